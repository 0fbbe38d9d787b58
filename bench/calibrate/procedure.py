"""Calibrating one card: a varied load, the idle after it, and where asked for stretches for an outside meter.

A worker process works and stamps its edges; this one does nothing but look at the card meanwhile. No setting
of the card is changed. A card in use by another process is refused before, and its result after.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from bench.calibrate import response
from bench.calibrate.decay import decay, drawn
from bench.calibrate.excitation import LoadCurve, varied
from bench.core.calibration import LEVELS, Calibration, Plateau
from bench.errors import EngineError, MeterError, PrerequisiteError
from bench.machine import provenance
from bench.machine.gpu_processes import GpuProcesses, pids_on
from bench.machine.locks import Note
from bench.machine.placement import place
from bench.meters.fast_samples import FastSamples, sample_while
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.worker.messages import LoadDone, LoadPrepared, LoadStep, PrepareLoad, RunLoad
from bench.worker.process import WorkerProcess

BEFORE_DECAY_S, DECAY_S = 5.0, 25.0
"""A steady load, and the idle after it in which power settles."""
SETTLE_S, AFTER_S = 5.0, 2.0
"""Constant load before and after a stretch for an outside meter, so that a late hand loses little."""
LATE_S = 5.0
"""A load may take so much longer than its steps; then looking at the card ends: it may have been stopped."""


class LoadedGpu:
    """One card with a worker that can load it."""

    def __init__(self, gpu: Gpu, child: WorkerProcess) -> None:
        self._gpu = gpu
        self._child = child

    def drive(self, steps: tuple[LoadStep, ...]) -> tuple[LoadDone, FastSamples]:
        """Do the steps, looking at the card as fast as it answers. Raises EngineError."""
        request = RunLoad(steps)
        self._child.begin(request)
        latest_s = time.monotonic() + sum(step.seconds for step in steps) + LATE_S
        looks = sample_while(self._gpu, lambda: not self._child.answered and time.monotonic() < latest_s)
        return self._child.finish(request, LoadDone), looks


@contextmanager
def loaded(drivers: GpuDrivers, gpu: Gpu, note: Note) -> Iterator[LoadedGpu]:
    """A card with the load ready on it. Raises PrerequisiteError where it is in use, or torch cannot."""
    _refuse_others(gpu)
    gpu_processes = GpuProcesses((gpu,), outside=False)
    placement = place(drivers, gpu.uuid, "cuda")
    with WorkerProcess(placement.environment) as child:
        note("getting the load ready")
        ready = _prepared(child, *placement.torch_devices)
        if ready.uuid != gpu.uuid:
            raise MeterError(
                f"The load came up on {ready.uuid} and not on {gpu.uuid}.",
                f"Unset {' and '.join(gpu.facts.order)}.",
            )
        gpu_processes.loaded((child.pid,), (gpu,))
        yield LoadedGpu(gpu, child)
        foreign, reason = gpu_processes.foreign()
        if foreign:
            raise MeterError(
                f"Process {foreign[0]} came to the card meanwhile, so nothing is kept.", "Calibrate again."
            )
        if reason is not None:
            note(f"It cannot be seen who else computes on the card: {reason}.")


def _prepared(child: WorkerProcess, device: str) -> LoadPrepared:
    """The load, ready. What the machine lacks for it is a missing prerequisite and no failed case."""
    try:
        return child.ask(PrepareLoad(device), LoadPrepared)
    except EngineError as error:
        if error.missing:
            raise PrerequisiteError(error.message, error.remedy) from error
        raise


def _refuse_others(gpu: Gpu) -> None:
    pids = pids_on(gpu)
    if pids:
        shown = ", ".join(map(str, sorted(pids)[:8]))
        raise PrerequisiteError(
            f"{gpu.name} ({gpu.uuid}) is in use by process {shown}: its load would be taken for ours.",
            "End it, or name another card with --gpus.",
        )


def calibrate(loaded_gpu: LoadedGpu, gpu: Gpu, load_s: float, note: Note) -> Calibration:
    """All facts that a card reports about itself. Raises EngineError or MeterError."""
    note(f"a load of varied half-waves, {load_s:.0f} s")
    driven, looks = loaded_gpu.drive(varied(load_s))
    curve = LoadCurve.of(driven)
    counter, instant, average = response.of(curve, looks)
    if counter is None and instant is None and average is None:
        raise MeterError("Neither the energy counter nor a power reading moved under a load.")
    note(f"a steady load and the idle after it, {BEFORE_DECAY_S + DECAY_S:.0f} s")
    ended, after = loaded_gpu.drive((LoadStep("high", BEFORE_DECAY_S), LoadStep("idle", DECAY_S)))
    facts = gpu.identity()
    settled = decay(after, ended.edges_ns[1] / 1e9)
    parts = {"counter": counter, "power_instant": instant, "power_average": average, "decay": settled}
    absent = {name: _ABSENT[name] for name, part in parts.items() if part is None}
    return Calibration(
        uuid=gpu.uuid,
        name=gpu.name,
        created=provenance.now_utc(),
        driver=gpu.versions().driver,
        power_limit_w=facts.power_limit_w,
        looks=len(looks.t_s),
        look_s=float(np.median(np.diff(looks.t_s))),
        call_s=float(np.median(looks.call_s)),
        counter=counter,
        power_instant=instant,
        power_average=average,
        decay=settled,
        absent=absent,
    )


_ABSENT = {
    "counter": "the card has no energy counter, or it did not move",
    "power_instant": "the card does not report it, or it did not change",
    "power_average": "the card does not report it, or it did not change",
    "decay": "too few readings came in while power settled",
}


def stretches(loaded_gpu: LoadedGpu, seconds: float, note: Note) -> list[Plateau]:
    """Constant load at each level for so long, announced, and what the card counted of each."""
    found = []
    for number, level in enumerate(LEVELS, start=1):
        name = f"stretch {number} of {len(LEVELS)}, {level}"
        note(f"{name}: begins in {SETTLE_S:.0f} s")
        _, before = loaded_gpu.drive((LoadStep(level, SETTLE_S),))
        note(f"{name}: BEGINS NOW, for {seconds:.0f} s ({_clock()})")
        driven, during = loaded_gpu.drive((LoadStep(level, seconds),))
        note(f"{name}: ENDS NOW ({_clock()})")
        _, after = loaded_gpu.drive((LoadStep(level, AFTER_S),))
        start_s, end_s = (edge / 1e9 for edge in driven.edges_ns)
        read_j = _joules(FastSamples.joined((before, during, after)), start_s, end_s)
        note(f"{name}: the card counted {read_j:.1f} J")
        found.append(Plateau(level=level, seconds=end_s - start_s, read_j=read_j))
    return found


def _joules(looks: FastSamples, start_s: float, end_s: float) -> float:
    """Joules between two moments around which power is constant, so that the counter's tick drops out."""
    t_s, joules = drawn(looks)
    if len(t_s) < 2 or t_s[0] > start_s or t_s[-1] < end_s:
        raise MeterError("The card's counter ticks too slowly for its stretches.", "Use longer ones.")
    begin_j, end_j = np.interp([start_s, end_s], t_s, joules)
    return float(end_j - begin_j)


def _clock() -> str:
    return time.strftime("%H:%M:%S")
