"""Measuring the ceilings of the devices that a run would use, in a worker, where a model would run."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.machine import Machine
from bench.engines.roofline.ceiling_values import ReachedCeilings, Sizes
from bench.errors import EngineError, PrerequisiteError
from bench.machine import provenance
from bench.machine.placement import Placement
from bench.store.ceilings import Ceilings
from bench.worker.messages import MeasureCeilings
from bench.worker.process import WorkerProcess


def measure(placement: Placement, machine: Machine, command: Sequence[str]) -> list[Ceilings]:
    """The ceilings of every device of the placement. Raises PrerequisiteError where torch cannot use one."""
    devices = ["cpu"]
    if placement.device == "cuda":
        devices = [f"cuda:{index}" for index in range(placement.spread_over)]
    with WorkerProcess(placement.environment) as child:
        try:
            reached = [
                child.ask(MeasureCeilings(name, Sizes.for_device(name)), ReachedCeilings) for name in devices
            ]
        except EngineError as error:
            if error.missing or error.out_of_memory:
                raise PrerequisiteError(error.message, error.remedy) from error
            raise
    return [_kept(each, placement, machine, command) for each in reached]


def _kept(
    reached: ReachedCeilings, placement: Placement, machine: Machine, command: Sequence[str]
) -> Ceilings:
    origin = provenance.collect(list(command), placement.visible)
    origin.libraries = reached.libraries
    cpu = str(machine.cpu.model if machine.cpu else None)
    return Ceilings(
        device=reached.device,
        name=cpu if reached.device == "cpu" else reached.name,
        created=provenance.now_utc(),
        copy_gb_per_s=reached.copy_gb_per_s,
        read_gb_per_s=reached.read_gb_per_s,
        matrix_tflops=reached.matrix_tflops,
        buffer_bytes=reached.sizes.buffer_bytes,
        matrix_sides=list(reached.sizes.matrix_sides),
        cpu_threads=reached.cpu_threads,
        float32_matmul=reached.float32_matmul,
        machine=Machine(name=machine.name, id=machine.id, driver=machine.driver),
        provenance=origin,
        absent=reached.absent,
    )
