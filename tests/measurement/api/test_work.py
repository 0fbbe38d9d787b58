"""Where the work is, who else is there, and when it is done."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import bench
from bench.core.observed import Observed
from bench.errors import UsageError
from bench.machine.gpu_processes import OwnWork
from bench.measurement.api import metering
from bench.measurement.api.metering import GpuSelection
from bench.measurement.api.work import synchronise_torch
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from tests.standin import Family, StandIn
from tests.support.processes import ROOT

OURS, THEIRS, SERVER = os.getpid(), 2**22 + 1, 2**22 + 2
"""The last two are no processes here: Linux gives out ids up to 2**22."""


@pytest.fixture
def drivers(with_gpus: StandIn) -> GpuDrivers:
    return GpuDrivers()


def uuid(standin: StandIn, gpu: int) -> str:
    return str(standin.gpu(gpu).uuid.decode())


# ---- processes -----------------------------------------------------------------------------------------


def test_cards_of_this_program_are_those_it_computes_on(drivers: GpuDrivers, standin: StandIn) -> None:
    assert OwnWork(drivers).cards() == ()
    standin.set_processes(1, compute={OURS: 10**9})
    assert OwnWork(drivers).cards() == (drivers.gpus[1],)


def seen(work: OwnWork, metered: Sequence[Gpu]) -> dict[str, Any]:
    """What it adds to a window's observations."""
    observed = Observed()
    work.add_to(observed, metered)
    return observed.as_mapping()


def test_processes_that_it_started_are_ours(drivers: GpuDrivers, standin: StandIn) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        standin.set_processes(0, compute={child.pid: 10**9, THEIRS: 10**9})
        work = OwnWork(drivers)
        work.begins(drivers.gpus)
        assert seen(work, drivers.gpus) == {"foreign_pids": [THEIRS], "unmetered_gpus": []}
        child.communicate(b"\n")


def test_server_that_was_there_before_is_the_work_and_who_comes_later_is_not(
    drivers: GpuDrivers, standin: StandIn
) -> None:
    standin.set_processes(0, compute={SERVER: 10**9})
    work = OwnWork(drivers)
    work.begins(drivers.gpus[:1])
    assert seen(work, drivers.gpus[:1])["foreign_pids"] == []
    standin.set_processes(0, compute={SERVER: 10**9, THEIRS: 10**9})
    assert seen(work, drivers.gpus[:1])["foreign_pids"] == [THEIRS]


def test_list_that_cannot_be_had_is_absent_with_the_reason(drivers: GpuDrivers, standin: StandIn) -> None:
    standin.fail(Family.PROCESSES, 4)  # NO_PERMISSION
    assert seen(OwnWork(drivers), drivers.gpus) == {
        "foreign_pids": None,
        "absent": {"foreign_pids": "this user may not read it"},
    }


def test_metered_are_the_cards_of_the_program_or_those_it_may_use_or_those_named(
    drivers: GpuDrivers, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def metered(gpus: GpuSelection = None) -> list[int]:
        return [gpu.index for gpu in metering.metered(drivers, OwnWork(drivers), gpus)]

    assert metered() == [0, 1]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert metered() == [1]
    standin.set_processes(0, compute={OURS: 10**9})
    assert metered() == [0]
    assert metered(0) == [0]
    assert metered("1, 0") == [1, 0]
    assert metered([1, uuid(standin, 0)]) == [1, 0]
    assert metered(()) == []
    with pytest.raises(UsageError, match='gpus: "7" is not a GPU of this machine'):
        metered(7)


def test_work_on_a_card_that_is_not_metered_invalidates_the_window(with_gpus: StandIn) -> None:
    with_gpus.set_processes(1, compute={OURS: 10**9})
    with bench.measure(units=1, gpus=0, idle_seconds=0) as window:
        pass
    (reason,) = [reason for reason in window.reasons if reason.startswith("other card")]
    assert uuid(with_gpus, 1) in reason
    assert "gpus=" in reason


# ---- synchronised edges --------------------------------------------------------------------------------


class Cuda:
    """torch.cuda, as far as it is asked: two cards in use, one never touched."""

    def __init__(self, *, initialized: bool) -> None:
        self.is_initialized = lambda: initialized
        self.waited_for: list[int] = []
        self.device_count = lambda: 3
        self.current_device = lambda: 0
        self.memory_reserved = {0: 0, 1: 10**9, 2: 0}.__getitem__
        self.synchronize = self.waited_for.append


@pytest.mark.parametrize(("initialized", "expected"), [(True, [0, 1]), (False, [])])
def test_torch_is_waited_for_on_the_cards_it_uses(
    monkeypatch: pytest.MonkeyPatch, initialized: bool, expected: list[int]
) -> None:
    cuda = Cuda(initialized=initialized)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    synchronise_torch()
    assert cuda.waited_for == expected


def test_both_edges_are_synchronised(without_gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = Cuda(initialized=True)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    with bench.measure(idle_seconds=0):
        assert cuda.waited_for == [0, 1]
    assert cuda.waited_for == [0, 1] * 2


def test_own_way_of_waiting_replaces_torchs(without_gpu: None) -> None:
    calls = []
    with bench.measure(idle_seconds=0, synchronise=lambda: calls.append("edge")):
        calls.append("work")
    assert calls == ["edge", "work", "edge"]


def test_import_takes_nothing_and_torch_is_never_imported(tmp_path: Path) -> None:
    code = """
import sys, bench
heavy = {"numpy", "pydantic", "codecarbon", "pynvml", "psutil", "bench.runner"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
with bench.measure(idle_seconds=0, gpus=()):
    pass
assert "torch" not in sys.modules
print(bench.__all__, hasattr(bench, "nothing"))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "['EnergyResult', 'Meter', 'Window', '__version__', 'measure', 'measured'] False\n"
