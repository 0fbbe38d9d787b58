"""`roofline peaks` and `roofline show`: what they print and store, and what they say of what is not known."""

from __future__ import annotations

import json
import math
import random
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.core.block import Phase
from bench.core.peaks import DevicePeaks
from bench.core.record import Record
from bench.machine.locks import CPU, exclusive_use
from bench.store import peaks, results
from bench.store.results import slug
from tests.cli.conftest import Typed
from tests.support import factory
from tests.support.sample import pair, run

UUID = "GPU-00000000-1111-2222-3333-444444444444"
NEW, PROMPT, STEP_S = 340, 20, 0.005


def limit(**changes: Any) -> DevicePeaks:
    facts: dict[str, Any] = {
        "device": UUID,
        "name": "NVIDIA Sample",
        "created": "2026-01-31T12:00:00Z",
        "copy_gb_per_s": 3000.0,
        "read_gb_per_s": 4000.0,
        "matrix_tflops": {"bfloat16": 700.0},
        "buffer_bytes": 2**32,
        "matrix_sides": [8192],
        "cpu_threads": 8,
        "float32_matmul": "highest",
    }
    return DevicePeaks(**facts | changes)


def pages(joules: float = 300.0, engine: dict[str, Any] | None = None, **case: Any) -> Record:
    """Five blocks of ten pages of bloom-7b1, each token in `STEP_S`."""
    decode = Phase(seconds=10 * NEW * STEP_S, count=10, energy={factory.GPU: factory.energy(joules * 0.9)})
    short = Phase(seconds=0.1, count=10, energy={factory.GPU: factory.energy(None, reason="too short")})
    blocks = [
        factory.block(
            joules + number,
            units=10.0,
            items=10,
            tokens=10 * NEW,
            phases={"prefill": short, "decode": decode},
            observed={"prompt_tokens": 10 * PROMPT},
        )
        for number in (-2, -1, 0, 1, 2)
    ]
    facts = {"parameters": {"model": 7069016064}, "used": {}, "device_uuids": [UUID]} | (engine or {})
    label = "bloom-7b1 bfloat16 batch 1 340 tokens"
    return factory.record(
        blocks=blocks, case=factory.case(model="bloom-7b1", **case), engine=facts, label=label
    )


def kept(folder: Path, name: str, record: Record) -> Path:
    path = folder / f"{name}.json"
    path.write_text(results.to_json(record))
    return path


def test_a_decode_step_is_held_against_the_peaks_beside_the_record(typed: Typed, tmp_path: Path) -> None:
    file = kept(tmp_path, "plain", pages())
    peaks.save(tmp_path, limit())
    done = typed("roofline", "show", file, "--json")
    assert (done.status, done.err) == (0, "")
    prefill, decode, whole = json.loads(done.out)["records"][0]["phases"]
    # By hand: weights, and keys and values of 20 + 170 tokens and the new one, in bf16, 339 times a page.
    step_bytes = 2 * (7069016064 + 2 * 30 * 4096 * (PROMPT + NEW / 2 + 1))
    assert decode["demand"]["bytes"] == pytest.approx(50 * (NEW - 1) * step_bytes)
    share = step_bytes * (NEW - 1) / (NEW * STEP_S) / 4000e9
    assert decode["bandwidth_share"] == pytest.approx(share)
    assert decode["binds"] == "bandwidth"
    assert decode["joules_per_gb"] == pytest.approx(5 * 270 / (50 * (NEW - 1) * step_bytes / 1e9))
    assert prefill["joules"] is None
    assert prefill["absent"] == ["joules: too short"]
    assert (whole["phase"], whole["joules"]) == ("all", 1500.0)
    shown = typed("roofline", "show", file).out
    assert f"{share * 100:.3g} %" in shown
    assert "prefill — joules: too short" in shown


def test_variants_stand_beside_the_plain_way_with_their_ratio(typed: Typed, tmp_path: Path) -> None:
    kept(tmp_path, "plain", pages())
    faster: dict[str, Any] = {"compile": True, "compile_mode": "reduce-overhead"}
    options = {"new_tokens": 340, "prompt_format": "plain", "static_cache": True}
    used = {"used": {"cache": "StaticCache"}}
    kept(tmp_path, "graphs", pages(240.0, used, **faster, options=options))
    kept(tmp_path, "other", pages(100.0, batch=8))
    done = typed("roofline", "show", tmp_path)
    assert done.status == 0
    assert done.out.count("Variants of") == 1
    line = next(line for line in done.out.splitlines() if "static_cache, compile" in line)
    assert "compile_mode reduce-overhead" in line
    assert "0.800" in line
    assert "better" in line
    (variant,) = json.loads(typed("roofline", "show", tmp_path, "--json").out)["variants"]
    assert variant["ratios"]["energy"]["value"] == pytest.approx(0.8, rel=0.001)


def variant(**options: Any) -> dict[str, Any]:
    return factory.case(
        options={"new_tokens": 340, "prompt_format": "plain", "static_cache": False} | options
    )


def test_a_variant_measured_in_turns_is_compared_with_its_own_plain_record(
    typed: Typed, tmp_path: Path
) -> None:
    """The card was warmer in the second pair: across pairs the first variant would seem to save 17 %."""
    chance, static = random.Random(1), variant(static_cache=True)
    older = pair(300.0, 300.0, chance, drift=0.0, b=static, created="2026-01-01T00:00:00Z")
    newer = pair(
        360.0, 324.0, chance, drift=0.0, b=factory.case(compile=True), created="2026-01-02T00:00:00Z"
    )
    for name, made in zip(("old-A", "old-B", "new-A", "new-B"), (*older, *newer), strict=True):
        kept(tmp_path, name, made)
    found = json.loads(typed("roofline", "show", tmp_path, "--json").out)["variants"]
    by_way = {each["ways"][0]: each for each in found}
    assert by_way["static_cache"]["plain"].endswith("old-A.json")
    assert by_way["static_cache"]["ratios"]["energy"]["value"] == pytest.approx(1.0, abs=0.01)
    assert by_way["compile"]["plain"].endswith("new-A.json")
    assert by_way["compile"]["ratios"]["energy"]["value"] == pytest.approx(0.9, abs=0.01)
    assert by_way["compile"]["verdict"] == "better"
    shown = typed("roofline", "show", tmp_path).out
    assert "- static_cache; compile: measured in turns: ratios are of pairs" in shown


def test_what_equal_things_differ_by_on_the_machine_holds_for_variants_too(
    typed: Typed, tmp_path: Path
) -> None:
    chance, saved = random.Random(2), tmp_path / "records"
    saved.mkdir()
    kept(saved, "plain", run(300.0, chance))
    kept(saved, "static", run(270.0, chance, case=variant(static_cache=True)))
    (alone,) = json.loads(typed("roofline", "show", saved, "--json").out)["variants"]
    assert alone["verdict"] == "better"
    noisy = tmp_path / "results" / slug("NVIDIA Sample 1a2b3c4d")
    noisy.mkdir(parents=True)
    for side, made in zip("AB", pair(300.0, 345.0, chance), strict=True):
        kept(noisy, side, made)
    (beside,) = json.loads(typed("roofline", "show", saved, "--json", "--results", noisy.parent).out)[
        "variants"
    ]
    assert beside["verdict"] == "same"


def test_what_is_not_known_is_a_dash_with_its_reason(typed: Typed, tmp_path: Path) -> None:
    strange = kept(tmp_path, "strange", pages(engine={"parameters": {"model": 1}}))
    done = typed("roofline", "show", strange)
    said = " ".join(done.out.split())
    assert done.status == 0
    assert "the model that ran has other parameters than the stored shape bloom-7b1" in said
    assert f"no peaks of {UUID} are stored; `python -m bench roofline peaks` measures them" in said
    assert (
        typed("roofline", "show", kept(tmp_path, "no-shape", factory.record())).out.count(
            "no valid block resolves"
        )
        == 1
    )


def test_a_record_that_tells_too_little_has_a_reason_in_place_of_bytes(typed: Typed, tmp_path: Path) -> None:
    vague = typed("roofline", "show", kept(tmp_path, "vague", pages(options={}, dtype="int3")))
    assert vague.status == 0
    assert "the record lacks its new_tokens, dtype" in vague.out
    weights = factory.case()["weights"] | {"architecture": "of-tomorrow"}
    newer = typed("roofline", "show", kept(tmp_path, "newer", pages(weights=weights)))
    assert newer.status == 0
    assert "Unknown architecture 'of-tomorrow'" in newer.out


def test_peaks_without_the_dtype_give_the_bandwidth_alone(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "others.json"
    file.write_text(results.to_json(limit(matrix_tflops={}, absent={"bfloat16": "torch cannot"})))
    done = typed("roofline", "show", kept(tmp_path, "plain", pages()), "--peaks", file, "--json")
    _, decode, _ = json.loads(done.out)["records"][0]["phases"]
    assert decode["bandwidth_share"] > 0
    assert decode["matrix_share"] is decode["binds"] is None
    assert "share of the matrix rate: torch cannot" in decode["absent"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not a file of peaks"),
        ("[]", "is not a file of peaks"),
        ('{"schema": "joulebench/record/1"}', "is not a file of peaks"),
        (results.to_json(limit()).replace("4000.0", "NaN"), "is not a file of peaks"),
        (results.to_json(limit()).replace("4000.0", "-1"), "read_gb_per_s"),
        (None, "no such file"),
    ],
)
def test_a_file_of_no_peaks_is_one_sentence(
    content: str | None, sentence: str, typed: Typed, tmp_path: Path
) -> None:
    file = tmp_path / "a file's name.json"
    if content is not None:
        file.write_text(content)
    done = typed("roofline", "show", kept(tmp_path, "plain", pages()), "--peaks", file)
    assert (done.status, done.out) == (2, "")
    assert sentence in done.err
    assert len(done.err.splitlines()) == 1


def test_a_record_that_cannot_be_read_leaves_the_others(typed: Typed, tmp_path: Path) -> None:
    kept(tmp_path, "plain", pages())
    (tmp_path / "broken.json").write_text("{")
    done = typed("roofline", "show", tmp_path)
    assert done.status == 2
    assert "decode" in done.out
    assert "broken.json: not a JSON file" in done.err


def test_the_peaks_of_this_cpu_are_measured_stored_and_hidden_from_records(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.engines.roofline.peak_sizes import PeakSizes

    small = PeakSizes(2**24, (64,), rounds=2, round_s=0.002)
    monkeypatch.setattr(PeakSizes, "for_device", classmethod(lambda cls, device: small))
    asked = ("roofline", "peaks", "--device", "cpu", "--results", str(tmp_path), "--json")
    monkeypatch.setattr(sys, "argv", ["bench", *asked])
    done = typed(*asked)
    assert done.status == 0
    found = DevicePeaks.model_validate_json(done.out)
    assert found.device == "cpu"
    assert found.bandwidth_gb_per_s > 0.1
    assert all(math.isfinite(rate) and rate > 0 for rate in found.matrix_tflops.values())
    assert set(found.matrix_tflops) | set(found.absent) == {"bfloat16", "float16", "float32"}
    assert found.provenance.libraries["torch"]
    (path,) = tmp_path.glob("*/.peaks/cpu.json")
    assert peaks.load(path) == peaks.of_device(path.parents[1], "cpu") == found
    path.parent.rename(path.parents[1] / ".ceilings")  # as earlier versions named the folder
    assert peaks.of_device(path.parents[1], "cpu") == found
    assert found.provenance.command == shlex.join(["python", "-m", "bench", *asked])
    assert "this folder has no records" in typed("compare", tmp_path, tmp_path).err


def test_peaks_are_not_measured_beside_a_measurement(typed: Typed, tmp_path: Path) -> None:
    with exclusive_use([CPU], tmp_path, pytest.fail):
        done = typed("roofline", "peaks", "--device", "cpu", "--results", tmp_path)
    assert (done.status, done.out) == (2, "")
    assert "is measuring on the CPU" in done.err
    assert not list(tmp_path.glob("*/.peaks/*"))
