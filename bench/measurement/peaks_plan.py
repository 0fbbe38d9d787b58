"""Measuring what the devices of a run reach at most: what `bench roofline peaks` does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from bench.machine.locks import lock_names
from bench.machine.placement import place
from bench.measurement import ceilings as procedure
from bench.measurement.context import NoteListener, RunContext
from bench.measurement.instruments import Instruments
from bench.store import ceilings
from bench.store.ceilings import Ceilings


class MeasuredPeaks(NamedTuple):
    """The peaks of a device, and where they are kept."""

    peaks: Ceilings
    path: Path


@dataclass(frozen=True)
class PeaksPlan:
    """Measure the devices that a run would use."""

    gpus: str | None = None
    device: Literal["auto", "cuda", "cpu"] = "auto"

    def measure(self, instruments: Instruments, context: RunContext[NoteListener]) -> list[MeasuredPeaks]:
        """Measure and keep the peaks of each. Raises PrerequisiteError where torch cannot use one."""
        placement = place(instruments.drivers, self.gpus, self.device)
        instruments.lock(lock_names(placement))
        folder = instruments.open_folder().path
        context.check_stop()
        reached = procedure.measure(placement, instruments.identity)
        return [MeasuredPeaks(each, ceilings.save(folder, each)) for each in reached]
