"""Calibration of cards with a generated load: what `bench calibrate` runs.

    run(CalibrationPlan(60.0, gpus="0"), context)        # [CalibratedCard(gpu_index, calibration, path)]

A card is locked like a run's; it is looked at directly, so no recorder is started.
"""

from __future__ import annotations

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
from bench.meters.nvml import Gpu, Nvml
from bench.store import calibration


class CalibratedCard(NamedTuple):
    """Calibrations by NVML index, and their files."""

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
        cards = chosen_cards(instruments.nvml, self.gpus)
        if self.reference_s is not None:
            require_one(cards)
        instruments.lock(lock_names_of(cards))
        folder = instruments.open_folder().path
        found = []
        for gpu in cards:
            context.check_stop()
            found.append(self._one(instruments.nvml, folder, gpu, context.listener.note))
        return found

    def _one(self, nvml: Nvml, folder: Path, gpu: Gpu, say: Note) -> CalibratedCard:
        """One card, saved. A line that was drawn for it is kept, unless new stretches replace its own."""

        def note(text: str) -> None:
            say(f"gpu {gpu.index}: {text}")

        before = _known(folder, gpu, note)
        with procedure.loaded(nvml, gpu, note) as bench:
            found = procedure.calibrate(bench, gpu, self.load_s, note)
            if before is not None:
                found = found.model_copy(update={"stretches": before.stretches, "line": before.line})
            if self.reference_s is not None:
                stretches = procedure.stretches(bench, self.reference_s, note)
                found = found.model_copy(update={"stretches": stretches, "line": None})
        calibration.save(folder, found)
        return CalibratedCard(gpu.index, found, calibration.path_of(folder, found.uuid))


def chosen_cards(nvml: Nvml, gpus: str | None) -> tuple[Gpu, ...]:
    """The cards named, or the one that a run would use. Raises PrerequisiteError or UsageError."""
    if not nvml.gpus:
        raise PrerequisiteError(
            f"No NVIDIA GPU to calibrate was found: {nvml.absent}.", "See `python -m bench doctor`."
        )
    return place(nvml, gpus, "cuda").visible


def require_one(cards: tuple[Gpu, ...]) -> None:
    """Raise UsageError where an outside meter would have to count several cards."""
    if len(cards) > 1:
        raise UsageError("A reference is for one card at a time.", "Name it with --gpus.")


def _known(folder: Path, gpu: Gpu, note: Callable[[str], None]) -> Calibration | None:
    """The earlier calibration; a damaged file is about to be replaced, and must not keep us from it."""
    try:
        return calibration.load(folder, gpu.uuid)
    except RecordError as error:
        note(f"{error.message} It is replaced.")
        return None
