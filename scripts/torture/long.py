"""Hours of measuring: memory, handles and lag of every process, and whether the joules stay true.

`simulated` plays hours in virtual time (`scripts/faults`): a counter of 32 bits and RAPL wrap on the way.
`real` plays minutes of the command line beside the stand-in, and looks at its processes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pytest

from bench.core.block import Block
from bench.measurement.context import BlockDone
from scripts.faults.machine import BATCH_S, BUSY_W, IDLE_W, Machine, Stages, planned
from tests.standin import StandIn, build
from tests.support.main_job.running import environment, finish, start

UNREACHABLE = 1e-6
"""A target that ends no case before its time."""
BLOCK_S = 30.0
REAL_BLOCK_S = 5.0
FORGET_BLOCKS = 50
"""The stand-in's log has room for 65,536 changes of power, and a block of 30 s has 240."""
LOOK_S = 5.0
SETTLED = 1 / 3
"""Share of the looks at the beginning that the slope leaves out: imports, first blocks."""


class Look(NamedTuple):
    """Memory and open files of a process at a moment."""

    at_s: float
    rss_mb: float
    files: int


def look(process: psutil.Process, at_s: float) -> Look:
    """Look at a process now."""
    return Look(at_s, process.memory_info().rss / 1e6, process.num_fds())


def line(name: str, looks: Sequence[Look]) -> str:
    """Growth of memory and number of files, in words."""
    kept = looks[int(len(looks) * SETTLED) :]
    at_h = np.array([each.at_s for each in kept]) / 3600
    slope = float(np.polyfit(at_h, [each.rss_mb for each in kept], 1)[0])
    files = sorted({each.files for each in kept})
    return f"{name}: {kept[-1].rss_mb:.0f} MB, {slope:+.1f} MB an hour, {files[0]} to {files[-1]} files"


class _Hours(Stages):
    """Looks at this process after each block, and frees the stand-in's log."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.looks: list[Look] = []
        self.real_s: list[float] = []
        self._machine = machine

    def block_done(self, done: BlockDone) -> None:
        self.looks.append(look(psutil.Process(), self._machine.clock.monotonic()))
        self.real_s.append(time.perf_counter())
        if done.number % FORGET_BLOCKS == 0:
            self._machine.standin.forget_load()


def simulated(folder: Path, hours: float) -> Iterator[str]:
    """Play hours in virtual time; yields lines of what was seen. Raises AssertionError at wrong joules."""
    standin = StandIn(build(folder / "library"), folder / "standin.control")
    measure = planned().measure.model_copy(
        update={"target": UNREACHABLE, "max_seconds": hours * 3600, "block_seconds": BLOCK_S}
    )
    for card in (standin.gpu(0), standin.gpu(1)):
        card.base_w, card.counter_wraps_mj = IDLE_W, 2**32
    machine = Machine(standin, folder, replace(planned(), measure=measure))
    machine.stages = seen = _Hours(machine)
    (folder / "tmp").mkdir()
    with machine, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder / "tmp"))  # locks of its own
        machine.add_package()
        ending = machine.run()
    _check(ending.measured, hours)
    aside = [block.reasons[0] for block in ending.measured if not block.valid]
    blocks, took_h = len(ending.measured), ending.virtual_s / 3600
    yield f"{blocks} blocks in {took_h:.1f} simulated hours, {len(aside)} set aside"
    yield from sorted(set(aside))
    yield line("run, recorder and stand-in in one process", seen.looks)
    took_s = np.diff(seen.real_s)
    tenth = max(1, len(took_s) // 10)
    first_s, last_s = np.median(took_s[:tenth]), np.median(took_s[-tenth:])
    yield f"a block took {first_s:.2f} s at first, {last_s:.2f} s at last"
    standin.close()


def _check(blocks: Sequence[Block], hours: float) -> None:
    """Each valid block has its true joules; the wraps of a 32-bit counter alone set blocks aside."""
    wraps = hours * 3600 * BUSY_W / (2**32 / 1000)
    aside = [block for block in blocks if not block.valid]
    assert len(aside) <= wraps + 1, [block.reasons for block in aside]
    for block in blocks:
        joules = block.joules("gpu").gross_j
        assert not block.valid or joules is not None
        if block.valid and joules is not None:
            truth_j = BUSY_W * BATCH_S * block.batches
            assert abs(joules / truth_j - 1) < 0.005, f"{joules} J, {truth_j} J are true"


def real(folder: Path, minutes: float) -> Iterator[str]:
    """Play minutes of the command line; yields lines of what was seen of its processes."""
    standin = StandIn(build(folder / "library"), folder / "standin.control")
    standin.load(0, standin.now_ns(), IDLE_W)
    variables = environment(standin.environment(), pretend=True, temporary=folder / "tmp")
    limits = ["--max-seconds", str(minutes * 60), "--block-seconds", str(REAL_BLOCK_S)]
    arguments = ["tiny-bloom", "--device", "cpu", "--gpus", "0", *limits, "--target", str(UNREACHABLE)]
    process = start(arguments, folder / "results", variables)
    looks = _watched(psutil.Process(process.pid))
    done = finish(process, folder / "results")
    standin.close()
    (record,) = done.records
    measured = [block for block in record.blocks if not block.warmup]
    aside = [block.reasons[0] for block in measured if not block.valid]
    yield f"status {done.status}, {len(measured)} blocks in {minutes:.0f} minutes, {len(aside)} set aside"
    yield from sorted(set(aside))
    for name, of_process in looks.items():
        yield line(name, of_process)
    between_s = [(b.start_ns - a.end_ns) / 1e9 for a, b in itertools.pairwise(measured)]
    tenth = max(1, len(between_s) // 10)
    yield (
        f"between two blocks {np.median(between_s[:tenth]):.2f} s at first, "
        f"{np.median(between_s[-tenth:]):.2f} s at last"
    )
    cost = measured[-1].observed.recorder_so_far
    yield ", ".join(f"{name} {value:.3g}" for name, value in cost.items())


def _watched(parent: psutil.Process) -> dict[str, list[Look]]:
    """Looks at a run and its children until it ends, by the name of the process."""
    looks: dict[str, list[Look]] = defaultdict(list)
    begun = time.monotonic()
    with contextlib.suppress(psutil.NoSuchProcess):
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:
            at_s = time.monotonic() - begun
            looks["run"].append(look(parent, at_s))
            for child in parent.children():
                with contextlib.suppress(psutil.Error):
                    if name := _name(child):
                        looks[name].append(look(child, at_s))
            time.sleep(LOOK_S)
    return {name: each for name, each in looks.items() if len(each) > 2}


def _name(child: psutil.Process) -> str | None:
    opened = [os.path.basename(file.path) for file in child.open_files()]
    if any(name.startswith("joulebench-worker-") for name in opened):
        return "worker"
    return "recorder" if "samples.bin" in opened else None
