"""Measuring the peaks of the devices that a run would use, in a worker, where a model would run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.core.machine import Machine
from bench.core.peaks import DevicePeaks
from bench.engines.roofline.peak_sizes import PeakSizes
from bench.errors import EngineError, PrerequisiteError
from bench.machine import provenance
from bench.machine.placement import Placement
from bench.worker.messages import MeasurePeaks
from bench.worker.process import WorkerProcess


def measure(placement: Placement, machine: Machine, command: Sequence[str]) -> list[DevicePeaks]:
    """The peaks of every device of the placement. Raises PrerequisiteError where torch cannot use one."""
    with WorkerProcess(placement.environment) as child:
        try:
            reached = [
                child.ask(MeasurePeaks(name, PeakSizes.for_device(name)), DevicePeaks)
                for name in placement.torch_devices
            ]
        except EngineError as error:
            if error.missing or error.out_of_memory:
                raise PrerequisiteError(error.message, error.remedy) from error
            raise
    return [_completed(each, placement, machine, command) for each in reached]


def _completed(
    found: DevicePeaks, placement: Placement, machine: Machine, command: Sequence[str]
) -> DevicePeaks:
    """Add the machine, and how and under which conditions the peaks were measured."""
    origin = provenance.collect(list(command), placement.visible)
    origin.libraries = found.provenance.libraries
    facts: dict[str, Any] = {
        "machine": Machine(name=machine.name, id=machine.id, driver=machine.driver),
        "provenance": origin,
    }
    if found.device == "cpu":
        facts["name"] = str(machine.cpu.model if machine.cpu else None)
    return found.model_copy(update=facts)
