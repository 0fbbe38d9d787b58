"""Probes answer with a reason where something breaks, and what breaks costs nothing else."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.errors import MeterError, PrerequisiteError
from bench.meters.gpu import Gpu
from scripts.accuracy.waveforms import Work
from scripts.evidence import access, answers, attention, beside, probing, wheels
from tests.support.processes import ROOT

OBEDIENT = "tests.scripts.evidence.obedient"
GPU = Gpu(0, "GPU-1", "a card")
WORKS = {
    "decode_ms": {"new_length": 2.0, "known_length": 1.0},
    "masks": {"T5 bias": {"relative_error": 2e-3}},
}


def test_the_object_that_a_child_prints_last_is_its_answer() -> None:
    assert probing.in_child(OBEDIENT, ["0", "0"], {}, 60) == {"said": "so"}


@pytest.mark.parametrize(
    ("module", "arguments", "limit_s", "reason"),
    [
        (OBEDIENT, ["3", "0"], 60, "ended with status 3: Error: told to end with 3."),
        (OBEDIENT, ["0", "60"], 1, "did not end within 1 s"),
        ("this", [], 60, "printed no JSON document"),
        ("platform", ["--terse"], 60, "printed no JSON document"),
    ],
)
def test_a_child_without_an_answer_is_a_reason(
    module: str, arguments: list[str], limit_s: float, reason: str
) -> None:
    with pytest.raises(MeterError, match=reason):
        probing.in_child(module, arguments, {}, limit_s)


@pytest.mark.parametrize(("status", "printed"), [(-9, ""), (0, ""), (0, "[1]\n"), (0, "3\n")])
def test_a_child_that_dies_without_a_word_is_a_reason(
    monkeypatch: pytest.MonkeyPatch, status: int, printed: str
) -> None:
    done = subprocess.CompletedProcess([], status, stdout=printed, stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(MeterError, match=r"status -9: it printed no reason|no JSON document|not an object"):
        probing.in_child(OBEDIENT, [], {}, 1)


@pytest.mark.parametrize("error", [math.nan, math.inf])
def test_attention_that_returns_nan_is_null_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, error: float
) -> None:
    monkeypatch.setattr(attention, "relative_error", lambda *_: error)
    result = answers.Mask.model_validate(attention.checked("cpu", attention.MASKS["T5 bias"]))
    assert result.relative_error is None
    assert "NaN or infinity" in str(result.reason)


@pytest.mark.parametrize("message", ["no kernel found for this mask\nat line 3", ""])
def test_attention_that_fails_is_null_with_a_reason(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    def fail(*_: object) -> float:
        raise RuntimeError(message)

    monkeypatch.setattr(attention, "relative_error", fail)
    monkeypatch.setattr(attention, "decode_ms", fail)
    answer = attention.measured("cpu")
    answer.pop("uuids")
    order = answers.Order.model_validate_json(json.dumps(answer))
    assert order.decode_ms is None
    assert order.reason == (message.splitlines()[0] if message else "RuntimeError")
    assert {result.reason for result in order.masks.values()} == {order.reason}


def test_an_order_of_kernels_that_kills_its_process_costs_the_other_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def child(_: str, __: list[str], environment: dict[str, str], ___: float) -> dict[str, Any]:
        if environment[attention.VARIABLE] == "0":
            raise MeterError("it ended with status -11: it printed no reason")
        return {"uuids": [GPU.uuid], **WORKS}

    monkeypatch.setattr(attention, "in_child", child)
    first, last = answers.Attention.model_validate(attention.both(GPU, "cuda", {})).orders.values()
    assert (first.decode_ms, first.reason) == (None, "it ended with status -11: it printed no reason")
    assert last == answers.Order.model_validate(WORKS)


def test_attention_on_another_card_is_not_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "in_child", lambda *_: {"uuids": ["GPU-other"], **WORKS})
    for order in answers.Attention.model_validate(attention.both(GPU, "cuda", {})).orders.values():
        assert order.reason == f"PyTorch worked on GPU-other, not on {GPU.uuid}."
        assert order.masks == {}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"available": False, "versions": "2.11.0 (CUDA 13.0)"}, "PyTorch 2.11.0 .* sees no GPU"),
        ({"available": True, "uuids": ["GPU-other"]}, "PyTorch works on GPU-other, and NVML measures GPU-"),
    ],
)
def test_there_is_no_access_where_pytorch_works_on_no_or_another_card(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], reason: str
) -> None:
    monkeypatch.setattr(access, "in_child", lambda *_: dict(answer))
    with pytest.raises(PrerequisiteError, match=reason):
        access.access(GPU, "cuda", {})


@pytest.mark.usefixtures("clocked")
def test_what_a_card_says_of_itself_is_printed_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(access, "in_child", lambda *_: {"available": True, "uuids": []})
    probing.print_json(lambda _, gpu: access.access(gpu, "cpu", {}), None)
    answer = json.loads(capsys.readouterr().out)
    assert answer["identity"]["uuid"] == answer["uuid"]
    assert answer["driver"]["cuda_driver"]
    assert answer["git"]["commit"] or answer["git"]["absent"]


class Peer:
    """A contestant of 12 J that breaks in one of its calls."""

    def __init__(self, name: str, breaks: str) -> None:
        self.name, self._breaks = name, breaks
        self._call("made")

    def _call(self, name: str) -> None:
        if name == self._breaks:
            raise ValueError(f"{name} broke")

    def open(self) -> None:
        self._call("open")

    def close(self) -> None:
        self._call("close")

    def energies_j(self, works: Sequence[Work]) -> list[float | None]:
        self._call("read")
        return [12.0 for _ in works]


@pytest.mark.parametrize("breaks", ["made", "open", "close", "read"])
def test_a_peer_that_breaks_is_absent_and_the_other_goes_on(
    monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    kinds = {"broken": lambda _: Peer("broken", breaks), "whole": lambda _: Peer("whole", "never")}
    monkeypatch.setattr(beside, "PEERS", kinds)
    work = Work(((1.0, 0.0),), ((0.0, 1.0),), glows=False)
    peers = beside.Peers(1)
    for _ in range(2):
        peers.open()
        peers.close()
        assert peers.energies_j([work], 0) == {"whole": 12.0}
    assert peers.absent == {"broken": f"ValueError: {breaks} broke"}


def test_the_check_of_packages_imports_nothing_that_it_checks() -> None:
    carried = ["click", "pydantic", "pydantic_core", "yaml", "diffusers", "codecarbon", "pynvml"]
    program = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({carried}))\n"
        "sys.argv = ['wheels', '--check']; runpy.run_module('scripts.evidence.wheels', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_missing_packages_are_one_sentence_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = wheels._installed
    monkeypatch.setattr(wheels, "_installed", lambda name: None if name == "pydantic" else real(name))
    assert wheels.main(["--check"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Error: Packages are missing or too old here: pydantic")
    assert err.count("\n") == 1


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_without_wheels_is_one_sentence_and_status_2(tmp_path: Path, *, made: bool) -> None:
    folder = tmp_path / "wheels"
    if made:
        folder.mkdir()
    done = subprocess.run(
        ["scripts/gpu-evidence", "run", "--wheels", folder, "--out", tmp_path],
        cwd=ROOT,
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"Error: {folder} has no wheels. Carry the folder that scripts/gpu-evidence wheels DIR has filled.\n"
    )
