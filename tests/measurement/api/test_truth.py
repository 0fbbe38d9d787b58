"""A program that meters itself, against cards of known power: real recorder, real CodeCarbon, no guard.

The programs run beside each other; each has a process of its own, because CodeCarbon looks for GPUs when it
is imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.core.energy_result import EnergyResult
from tests.standin import StandIn
from tests.support.processes import ROOT

pytestmark = pytest.mark.slow
IDLE_W = 60.0

PRELUDE = """
import json, sys, time
import bench
from bench.measurement.api import metering
from tests.standin import draw
metering.SETTLE_S = 0.2

def work(gpu, seconds, watts):
    draw(gpu, watts)
    time.sleep(seconds)
    draw(gpu, 60.0)
    return seconds

def told(window):
    names = ("energy_j", "net_j", "energy_per_unit_j", "duration_s", "scope", "kind", "valid", "reasons",
             "absent")
    block = window.block
    return {name: getattr(window, name) for name in names} | {"edges": [block.start_ns, block.end_ns]}
"""

METER = """
with bench.Meter(unit="image", gpus="0", idle_seconds=2) as meter:
    windows = []
    for watts in (300.0, 320.0):
        with meter.window(units=8) as window:
            work(0, 2.0, watts)
        windows.append(window)
    print(json.dumps({"windows": [told(window) for window in windows], "result": meter.result().as_dict()}))
"""

FUNCTION = """
@bench.measured(units=lambda seconds: seconds * 10, unit="page", gpus=1, idle_seconds=0)
def write(watts):
    return work(1, 2.0, watts)

write(400.0)
result = write.meter.result()
print(json.dumps({"result": result.as_dict(), "interval": result.absent["interval"], "text": str(result)}))
"""

WITHOUT_A_GPU = """
with bench.measure(units=4, unit="page", gpus=(), idle_seconds=1) as window:
    time.sleep(1.0)
print(json.dumps(told(window) | {"sources": {name: e.source for name, e in window.block.energy.items()}}))
"""

Told = dict[str, Any]


@pytest.fixture(scope="module")
def card(standin_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    standin = StandIn(standin_library, tmp_path_factory.mktemp("energy") / "control")
    for gpu in (0, 1):
        standin.load(gpu, 0, IDLE_W)
    yield standin
    standin.close()


@pytest.fixture(scope="module")
def programs(card: StandIn, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """What each program printed: one is a script, one comes from stdin, one from the command line."""
    folder = tmp_path_factory.mktemp("programs")
    script = folder / "program.py"
    script.write_text(PRELUDE + METER)
    started = {
        "meter": start(card, folder, [str(script)]),
        "function": start(card, folder, ["-"], PRELUDE + FUNCTION),
        "without a gpu": start(card, folder, ["-c", PRELUDE + WITHOUT_A_GPU]),
    }
    return {name: finish(process) for name, process in started.items()}


def start(
    card: StandIn, folder: Path, arguments: list[str], text: str | None = None
) -> subprocess.Popen[str]:
    environment = (
        os.environ
        | card.environment()
        | {"PYTHONPATH": str(ROOT), "HOME": str(folder), "TMPDIR": str(folder)}
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "error", *arguments],
        env=environment,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(text or "")
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: subprocess.Popen[str]) -> Told:
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, ""), err
    found: Told = json.loads(out)  # one line: the program ran once
    return found


def test_joules_of_every_window_are_within_one_percent_of_the_truth(
    programs: dict[str, Told], card: StandIn
) -> None:
    for window in programs["meter"]["windows"]:
        truth_j = card.true_energy_j(0, *window["edges"])
        assert (window["valid"], window["scope"], window["kind"]) == (True, "gpu", "measured"), window
        assert window["energy_j"] == pytest.approx(truth_j, rel=0.01)
        assert window["energy_per_unit_j"] == window["energy_j"] / 8
        assert window["net_j"] == pytest.approx(truth_j - IDLE_W * window["duration_s"], rel=0.02)
        assert window["absent"] == {}


def test_result_is_the_mean_of_the_windows_with_an_interval_and_a_budget(programs: dict[str, Told]) -> None:
    result = EnergyResult.model_validate(programs["meter"]["result"])
    assert result.energy_per_unit_j is not None
    assert result.energy_per_unit_j.n == 2
    assert result.energy_per_unit_j.low is not None
    assert result.energy_per_unit_j.high is not None
    assert result.same_card is not None
    assert result.absolute is not None
    mean_j = sum(window["energy_per_unit_j"] for window in programs["meter"]["windows"]) / 2
    assert result.energy_per_unit_j.value == pytest.approx(mean_j)
    assert result.energy_per_unit_j.low < mean_j < result.energy_per_unit_j.high
    assert result.absolute.standard_uncertainty_j > result.same_card.standard_uncertainty_j > 0
    assert (result.valid, result.reasons) == (False, ["2 of 2 windows are valid, 5 are needed."])


def test_result_holds_what_a_record_would(programs: dict[str, Told], card: StandIn) -> None:
    result = EnergyResult.model_validate(programs["meter"]["result"])
    domain = f"gpu:{card.gpu(0).uuid.decode()}"
    assert result.idle[domain].power_w == pytest.approx(IDLE_W, rel=0.1)
    assert result.idle[domain].absent["after"] == "a meter looks at idle once, before its first window"
    assert (
        result.figures.carbon_per_unit_g.keys() == result.figures.energy_per_unit_j.keys() == {"gpu", "host"}
    )
    assert result.machine.metered == [card.gpu(0).uuid.decode()]
    assert "command" not in result.provenance.as_mapping(), "a program's arguments may hold what is secret"
    for block in result.blocks:
        assert block.energy[domain].source == "counter-padded"
        assert block.codecarbon is not None
        assert block.codecarbon.disagreement is not None
        assert abs(block.codecarbon.disagreement) < 0.15


def test_function_counts_what_it_returned_on_the_card_it_names(
    programs: dict[str, Told], card: StandIn
) -> None:
    result = EnergyResult.model_validate(programs["function"]["result"])
    (block,) = result.blocks
    assert block.valid, block.reasons
    assert block.units == 20
    truth_j = card.true_energy_j(1, block.start_ns, block.end_ns)
    assert result.energy_per_unit_j is not None
    assert result.energy_per_unit_j.value == pytest.approx(truth_j / 20, rel=0.01)


def test_one_window_has_no_interval_and_says_why(programs: dict[str, Told]) -> None:
    result = EnergyResult.model_validate(programs["function"]["result"])
    assert result.energy_per_unit_j is not None
    assert result.energy_per_unit_j.low is None
    assert result.same_card is None
    assert programs["function"]["interval"] == "one window has no spread"
    assert programs["function"]["text"].endswith("invalid: 1 of 1 windows are valid, 5 are needed.")


def test_without_a_look_at_idle_there_are_no_net_joules(programs: dict[str, Told]) -> None:
    result = EnergyResult.model_validate(programs["function"]["result"])
    assert result.net_per_unit_j is None
    assert result.idle == {}
    assert "idle_seconds=0" in result.absent["idle"]


def test_without_a_gpu_the_host_is_estimated_and_says_so(programs: dict[str, Told]) -> None:
    window = programs["without a gpu"]
    assert window["scope"] == "host"
    assert window["valid"], window["reasons"]
    assert window["energy_j"] > 0
    estimated = {source == "codecarbon" for source in window["sources"].values()}
    assert window["kind"] == {(True,): "estimated", (False,): "measured"}.get(tuple(estimated), "mixed")
    assert not any(name.startswith("gpu:") for name in window["sources"])
