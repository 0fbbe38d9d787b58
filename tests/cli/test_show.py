"""`show`: a record for a person and for a machine, whatever the record holds."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.cli.progress import Progress
from bench.compare.record_row import flat
from bench.compare.record_set import StoredRecord, records_below
from bench.core.block import CodeCarbonTask, Idle, Phase
from bench.core.loading import Loading
from bench.core.record import Record
from bench.core.repetition import StopInfo
from bench.core.sweep import SweepPoint
from bench.footprint.grid import choose
from bench.store import results as store
from bench.view import results, terminal
from bench.view.markdown import markdown
from bench.view.report import build
from bench.view.report.report_data import Settings
from tests.cli.conftest import Done, Typed
from tests.cli.odd_records import CONTROLS, ODD, everywhere
from tests.support.factory import CPU, GPU, RAM, block, blocks, case, energy, record
from tests.support.sample import save

Stored = Callable[[Record], Path]


def words(done: Done) -> str:
    """The output with its columns and line breaks taken out."""
    return " ".join(done.out.split())


def shown(typed: Typed, stored: Stored, sample: Record) -> str:
    """What a person reads of a record."""
    done = typed("show", stored(sample))
    assert (done.status, done.err) == (0, "")
    return words(done)


def test_the_figure_is_shown_with_its_interval_and_what_it_is_a_figure_of(
    typed: Typed, stored: Stored
) -> None:
    text = shown(typed, stored, record())
    assert "300 ± 10" in text
    assert "±3.3 %" in text
    assert "J per page, gpu" in text
    assert "240 ± 10" in text, "net"
    assert "g CO2e per page, gpu" in text
    assert "USA 2023, 360 g/kWh (a table of grid factors)" in text
    assert "95 % t interval" in text


def test_the_case_its_verdict_and_its_identity_are_shown(typed: Typed, stored: Stored) -> None:
    sample = record()
    text = shown(typed, stored, sample)
    assert f"bloom-560m bfloat16 batch 1 ok 2026-01-31T12:00:00Z hash {sample.case.hash}" in text


def test_every_block_is_shown_the_warm_up_as_such(typed: Typed, stored: Stored) -> None:
    lines = typed("show", stored(record())).out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("block "))
    table = [line.split() for line in lines[start + 1 : start + 7]]
    assert [row[:3] for row in table[:2]] == [["1", "warm-up", "30.0"], ["2", "counts", "30.0"]]
    assert [row[6] for row in table] == ["500", "290", "295", "300", "305", "310"]
    assert all(row[1] == "counts" for row in table[1:])


def test_idle_and_conditions_are_shown(typed: Typed, stored: Stored) -> None:
    text = shown(typed, stored, record())
    assert f"{GPU} 2.00 0.100 1.90 2.10 measured" in text
    for fact in (
        "NVIDIA Sample 1a2b3c4d",
        "cuda",
        "bigscience/bloom-560m",
        "ac2ae5fab2ce3f9f40dc79b5ca9f637430d24971",
        "new_tokens 340",
        "attention sdpa",
        "559,214,592",
        "target at ±3.3% (target 5%, at most 15 min 00 s); warm-up by steady",
        f"not metered: {CPU} this user may not read it",
        "torch 2.9.0",
        "python -m bench run bloom-560m",
    ):
        assert fact in text, fact


def test_what_is_not_known_is_a_dash_and_never_a_zero(typed: Typed, stored: Stored) -> None:
    lost = [block(energies={GPU: energy(None, reason="the GPU is lost")}) for _ in range(5)]
    idle = Idle(power_w=None, sd_w=None, before=None, after=None, kind="measured")
    done = typed("show", stored(record(status="invalid", blocks=lost, idle={GPU: idle})))
    assert done.status == 0
    [figure] = [line for line in done.out.splitlines() if line.startswith("J per page, gpu")]
    assert figure.split()[4:] == ["—", "—", "—", "measured"]
    assert f"{GPU} — — — — measured" in words(done)
    assert not {"0", "0.0", "0.00", "nan", "None"} & set(figure.split())


def test_estimated_figures_are_said_to_be_estimated(typed: Typed, stored: Stored) -> None:
    each = {GPU: energy(200.0), RAM: energy(5.0, kind="estimated")}
    text = shown(typed, stored, record(blocks=[block(energies=each)] * 5))
    assert "J per page, host 205 ± 0 ±0.0 % — mixed" in text
    assert "estimated, scope host: not all could be metered" in text


def test_estimated_joules_at_one_power_are_said_to_follow_time(typed: Typed, stored: Stored) -> None:
    each = {"cpu-estimate": energy(240.0, kind="estimated"), RAM: energy(600.0, kind="estimated")}
    text = shown(typed, stored, record(blocks=[block(energies=each)] * 5))
    assert "Here joules follow time only: a model of power, not a meter, gives 28 W in every window" in text


def test_random_weights_are_said_to_be_random(typed: Typed, stored: Stored) -> None:
    weights = {"kind": "random", "architecture": "bloom-560m"}
    text = shown(typed, stored, record(case=case(weights=weights)))
    assert "random weights: the true architecture with random numbers" in text


def test_phases_tokens_and_codecarbons_difference_are_shown(typed: Typed, stored: Stored) -> None:
    task = CodeCarbonTask(duration_s=30.1, gpu_j=306.0, cpu_j=1.0, ram_j=1.0, carbon_g=0.1, disagreement=0.02)
    decode = Phase(seconds=24.0, count=1, energy={GPU: energy(240.0)})
    each = block(300.0, tokens=600, phases={"decode": decode}, codecarbon=task)
    text = shown(typed, stored, record(blocks=[each] * 5))
    assert "phase % of the time % of the joules J per page, gpu decode 80.0 80.0 240 ± 0" in text
    assert "J per output token, gpu 0.5" in text
    assert "CodeCarbon − NVML, %" in text
    assert " +2.00 " in text


def test_a_failed_record_says_at_which_stage_and_what_to_do(typed: Typed, stored: Stored) -> None:
    failure = {
        "stage": "load",
        "message": "There is no revision abc.",
        "remedy": "Name another revision.",
    }
    sample = record(
        status="failed",
        reasons=["There is no revision abc."],
        blocks=[],
        failure=failure,
        engine=None,
        ended=None,
        idle={},
    )
    text = shown(typed, stored, sample)
    assert "failed (load)" in text
    assert "There is no revision abc." in text
    assert "Name another revision." in text
    assert "J per page" not in text


def test_an_invalid_record_says_why_and_which_blocks(typed: Typed, stored: Stored) -> None:
    spoilt = [
        block(valid=False, reasons=["foreign: process 77 used the GPU"]),
        block(valid=False, reasons=["throttled: 12 % of the time"]),
    ]
    sample = record(
        status="invalid",
        reasons=["Only 5 of 7 blocks are valid.", "foreign: process 77 used the GPU"],
        blocks=[*blocks(), *spoilt],
    )
    text = shown(typed, stored, sample)
    assert "Only 5 of 7 blocks are valid." in text
    assert re.search(r"7 set aside 30.0 [^:]*foreign: process 77 used the GPU", text)
    assert re.search(r"8 set aside 30.0 [^:]*throttled: 12 % of the time", text)
    assert "5 of 7" in text


def test_a_missed_target_is_said(typed: Typed, stored: Stored) -> None:
    ended = {"by": "max_seconds", "target": 0.01, "max_seconds": 60, "achieved": 0.033}
    assert "inconclusive (wanted ±1 %)" in shown(typed, stored, record(ended=ended))


def test_a_smaller_batch_than_asked_for_is_said(typed: Typed, stored: Stored) -> None:
    asked = {"batch": 16, "reason": "out of memory"}
    assert "asked for batch 16 (out of memory)" in shown(typed, stored, record(requested=asked))


def test_json_gives_the_record_back(typed: Typed, stored: Stored) -> None:
    sample = record(provenance={"note": "αβγ 漢字 🙂 [red] \x1b[31m"})
    path = stored(sample)
    done = typed("show", path, "--json")
    assert (done.status, done.err) == (0, "")
    assert done.out == path.read_text(encoding="utf-8")
    assert Record.model_validate_json(done.out) == sample


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no such file"),
        ("{", "not a JSON file"),
        ("[]", "not a record of this version"),
        ('{"schema": "joulebench/record/1"}', "not a whole record"),
        ("[" * 100_000, "not a JSON file"),
    ],
    ids=["missing", "not JSON", "a list", "not whole", "deep"],
)
def test_what_cannot_be_shown_is_one_sentence_and_status_2(
    content: str | None, says: str, typed: Typed, tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_text(content)
    for more in ((), ("--json",)):
        done = typed("show", path, *more)
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith(f"Error: {path}: {says}")
        assert len(done.err.splitlines()) == 1


def test_an_empty_folder_is_status_2(typed: Typed, tmp_path: Path) -> None:
    done = typed("show", tmp_path)
    assert (done.status, done.out) == (2, "")
    assert "this folder has no records" in done.err


PLACES = [place for place, _ in everywhere("x")]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "text", ["[red]x[/red]", "[/]", "[/lib/x.so]", "[link=http://x]y[/link]", "[cuda]", "a\\", "[bold\\]"]
)
def test_text_of_a_record_is_shown_as_it_is(text: str, place: str, typed: Typed, stored: Stored) -> None:
    done = typed("show", stored(dict(everywhere(text))[place]))
    assert (done.status, done.err) == (0, "")
    assert text in done.out


@pytest.mark.parametrize("place", PLACES)
def test_text_of_a_record_cannot_steer_the_terminal(
    place: str, typed: Typed, on_terminal: Typed, stored: Stored
) -> None:
    calm = on_terminal("show", stored(dict(everywhere("x"))[place]))
    done = on_terminal("show", stored(dict(everywhere(f"{CONTROLS}x"))[place]))
    assert (done.status, done.err) == (0, "")
    assert done.out.count("\x1b") == calm.out.count("\x1b") > 0
    assert not (set(CONTROLS) - {"\x1b"} - {mark for mark in CONTROLS if mark.isprintable()}) & set(done.out)
    piped = typed("show", stored(dict(everywhere(f"{CONTROLS}x"))[place]))
    assert {mark for mark in piped.out if not mark.isprintable()} == {"\n"}


@pytest.mark.parametrize("place", PLACES)
def test_a_very_long_text_of_a_record_is_no_hindrance(place: str, typed: Typed, stored: Stored) -> None:
    done = typed("show", stored(dict(everywhere("漢x" * 2000))[place]))
    assert (done.status, done.err) == (0, "")
    assert "漢x" in done.out


@pytest.mark.parametrize(("path", "value"), [pytest.param(*odd, id=name) for name, odd in ODD.items()])
def test_odd_values_that_a_record_may_hold_are_shown_or_refused(
    path: tuple[str | int, ...], value: Any, typed: Typed, tmp_path: Path
) -> None:
    """Status 0, or 2 with one sentence: never a fault of the program."""
    plain: Any = json.loads(store.to_json(record()))
    place = plain
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (tmp_path / "a.json").write_text(json.dumps(plain))
    done = typed("show", tmp_path / "a.json")
    assert done.status in (0, 2), done.err
    assert "fault" not in done.err


def test_one_word_for_what_came_of_a_case_in_every_view(typed: Typed, tmp_path: Path) -> None:
    """Time was up at ±25.8 % where ±5 % was asked for."""
    ended = StopInfo(by="max_seconds", target=0.05, max_seconds=15.0, achieved=0.258, warmup_by="steady")
    wide = record(ended=ended)
    path = save(tmp_path / "results" / "m" / "wide.json", wide)
    stream = io.StringIO()
    progress = Progress(stream)
    progress.case_begins(wide.label, 1, 1)
    progress.case_done(wide, path)
    shown = typed("show", path).out
    page = markdown(build.report([records_below(path)], Settings(choose("400"))))
    told = {
        "progress": stream.getvalue(),
        "title": shown.splitlines()[0],
        "table": terminal.text([results.section([wide])]),
        "report": page.partition("## Case ")[2].splitlines()[0],
    }
    for view, text in told.items():
        assert "inconclusive" in text, view
        assert not re.search(r"\bok\b", text), view
    assert flat(StoredRecord(wide, "wide.json", "1"))["verdict"] == "inconclusive"
    for status in ("invalid", "failed"):
        assert record(status=status, ended=ended).verdict == status
    assert record().verdict == "ok"


def test_joules_of_loading_and_the_place_in_a_sweep_are_conditions(typed: Typed, stored: Stored) -> None:
    unread = energy(None, kind="estimated", reason="its estimate begins later")
    loading = Loading(start_ns=1_000_000_000, end_ns=9_000_000_000, energy={GPU: energy(812.5), RAM: unread})
    point = SweepPoint(axes={"batch": 8, "dtype": None}, order="interleaved", order_seed=7, number=3, total=6)
    text = shown(typed, stored, record(loading=loading, sweep=point))
    assert "loading, gpu 812 J, measured, in 8 s" in text
    assert "loading, host not known: ram-estimate: its estimate begins later, in 8 s" in text
    assert "sweep 3 of 6, interleaved by seed 7: batch 8" in text
    found = json.loads(typed("show", "--json", stored(record(loading=loading, sweep=point))).out)
    assert '"order_seed": 7' in json.dumps(found)
    assert "812.5" in json.dumps(found)
