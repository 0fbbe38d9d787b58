"""Calibration of cards with a generated load: what `bench calibrate` runs.

    run(CalibrationPlan(60.0, gpus="0"), context)        # [CalibratedCard(gpu_index, calibration, path)]

A card is locked like a run's; it is looked at directly, so no recorder is started.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.calibrate import procedure
from bench.core.calibration import Calibration
from bench.errors import PrerequisiteError, RecordError, UsageError
from bench.machine.locks import Note, lock_names_of
from bench.machine.placement import place
from bench.measurement.context import NoteListener, RunContext
from bench.measurement.instruments import Instruments
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.store import calibration


class CalibratedCard(NamedTuple):
    """Calibrations by index, and their files."""

    gpu_index: int
    calibration: Calibration
    path: Path


@dataclass(frozen=True)
class CalibrationPlan:
    """Calibrate cards, by default the one that a run would use; then stretches for an outside meter."""

    load_s: float
    gpus: str | None = None
    reference_s: float | None = None

    def measure(self, instruments: Instruments, context: RunContext[NoteListener]) -> list[CalibratedCard]:
        """Calibrate one card after the other. Raises BenchError."""
        cards = chosen_cards(instruments.drivers, self.gpus)
        if self.reference_s is not None:
            require_one(cards)
        instruments.lock(lock_names_of(cards))
        folder = instruments.open_folder().path
        calibrated = []
        for gpu in cards:
            context.check_stop()
            calibrated.append(self._one(instruments.drivers, folder, gpu, context.listener.note))
        return calibrated

    def _one(self, drivers: GpuDrivers, folder: Path, gpu: Gpu, say: Note) -> CalibratedCard:
        """One card, saved. A line that was drawn for it is kept, unless new stretches replace its own."""

        def note(text: str) -> None:
            say(f"gpu {gpu.index}: {text}")

        before = _known(folder, gpu, note)
        with procedure.loaded(drivers, gpu, note) as loaded_gpu:
            result = procedure.calibrate(loaded_gpu, gpu, self.load_s, note)
            if before is not None:
                result = result.model_copy(update={"stretches": before.stretches, "line": before.line})
            if self.reference_s is not None:
                stretches = procedure.stretches(loaded_gpu, self.reference_s, note)
                result = result.model_copy(update={"stretches": stretches, "line": None})
        calibration.save(folder, result)
        return CalibratedCard(gpu.index, result, calibration.path_of(folder, result.uuid))


def chosen_cards(drivers: GpuDrivers, gpus: str | None) -> tuple[Gpu, ...]:
    """The cards named, or the one that a run would use. Raises PrerequisiteError or UsageError."""
    if not drivers.gpus:
        raise PrerequisiteError(
            f"No {drivers.vendors} GPU to calibrate was found: {drivers.absent}.",
            "See `python -m bench doctor`.",
        )
    return place(drivers, gpus, "cuda").visible


def require_one(cards: tuple[Gpu, ...]) -> None:
    """Raise UsageError where an outside meter would have to count several cards."""
    if len(cards) > 1:
        raise UsageError("A reference is for one card at a time.", "Name it with --gpus.")


def calibrate_command(results: Path, gpu_index: int, more: str) -> str:
    """`calibrate` for this card and folder, ready to be typed."""
    elsewhere = f" --results {shlex.quote(str(results))}" if results != Path("results") else ""
    return f"python -m bench calibrate --gpus {gpu_index}{elsewhere} {more}"


def _known(folder: Path, gpu: Gpu, note: Callable[[str], None]) -> Calibration | None:
    """The earlier calibration; a damaged file is about to be replaced, and must not keep us from it."""
    try:
        return calibration.load(folder, gpu.uuid)
    except RecordError as error:
        note(f"{error.message} It is replaced.")
        return None
