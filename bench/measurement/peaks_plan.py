"""Measuring what the devices of a run reach at most: what `bench roofline peaks` does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from bench.core.peaks import DevicePeaks
from bench.machine.locks import lock_names
from bench.machine.placement import place
from bench.measurement import peaks as procedure
from bench.measurement.context import NoteListener, RunContext
from bench.measurement.instruments import Instruments
from bench.store import peaks


class MeasuredPeaks(NamedTuple):
    """The peaks of a device, and where they are kept."""

    peaks: DevicePeaks
    path: Path


@dataclass(frozen=True)
class PeaksPlan:
    """Measure the devices that a run would use; `command` is how it was asked for."""

    gpus: str | None = None
    device: Literal["auto", "cuda", "cpu"] = "auto"
    command: tuple[str, ...] = ("roofline", "peaks")

    def measure(self, instruments: Instruments, context: RunContext[NoteListener]) -> list[MeasuredPeaks]:
        """Measure and keep the peaks of each. Raises PrerequisiteError where torch cannot use one."""
        placement = place(instruments.drivers, self.gpus, self.device)
        instruments.lock(lock_names(placement))
        folder = instruments.open_folder().path
        context.check_stop()
        reached = procedure.measure(placement, instruments.identity, self.command)
        return [MeasuredPeaks(each, peaks.save(folder, each)) for each in reached]
