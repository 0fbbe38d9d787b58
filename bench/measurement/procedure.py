"""One case, measured: load, idle, warm up until steady, blocks until the interval is narrow enough, idle.

Blocks follow the warm-up at once, for a card cools in a look at idle: by a fifth of its rise in 13 s, with a
heat sink of 60 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.catalog.cases import Planned
from bench.catalog.models import Measure
from bench.machine.gpu_processes import GpuProcesses
from bench.measurement import stopping
from bench.measurement.case_loading import loaded
from bench.measurement.case_state import CaseState
from bench.measurement.context import BlockDone
from bench.measurement.loaded_case import LoadedCase, setting
from bench.measurement.setup import RunSetup
from bench.measurement.stopping import StopLimits
from bench.worker import producers


def measure_case(planned: Planned, setup: RunSetup, state: CaseState, on_block: Callable[[], object]) -> None:
    """Measure one case. `state` is filled as it goes; `on_block` is called after each block.

    Raises EngineError, MeterError or KeyboardInterrupt with `state` kept.
    """
    gpu_processes = GpuProcesses(setup.instruments.drivers.gpus, outside=setup.placement.device == "cpu")
    starts = _starts(planned, setup)
    for number in range(1, starts + 1):
        if starts > 1:
            state.begin_start(number)
            setup.note(f"Start {number} of {starts} of the server.")
        with loaded(planned, setup, gpu_processes, state) as case:
            case.first_round()
            if number == 1:
                setup.stage("idle before")
                state.before = case.idle()
            case.warm_up()
            _repeat(planned, setup, case, on_block)
            if number == starts:
                setup.stage("idle after")
                state.after = case.idle()


def _starts(planned: Planned, setup: RunSetup) -> int:
    """How many times the case's server is started: once where it is up already, or where there is none."""
    started_here = producers.of(planned.case.workload).STARTS_SERVER and setup.endpoint is None
    return (planned.measure.restarts or 1) if started_here else 1


def _repeat(planned: Planned, setup: RunSetup, case: LoadedCase, on_block: Callable[[], object]) -> None:
    state, limits = case.state, stop_limits(planned.measure)
    begun = time.monotonic()
    while state.ended_by is None:
        setup.stage(f"measuring block {len(state.measured) + 1}")
        case.block()
        elapsed_s = time.monotonic() - begun
        measured = state.of_this_start
        state.ended_by = stopping.ended_by(measured, elapsed_s, limits)
        left_s = stopping.seconds_left(measured, elapsed_s, limits)
        setup.context.listener.block_done(done(state, limits.min_blocks, left_s))
        on_block()


def stop_limits(measure: Measure) -> StopLimits:
    """When the repeats of a case end."""
    return StopLimits(
        target=setting(measure.target),
        max_seconds=setting(measure.max_seconds),
        min_blocks=int(setting(measure.min_blocks)),
    )


def done(state: CaseState, at_least: int, seconds_left: float | None) -> BlockDone:
    """Progress of a case after the latest block."""
    measured = state.measured
    last = measured[-1]
    joules = last.joules(last.scope).gross_j
    return BlockDone(
        number=len(measured),
        at_least=at_least,
        valid=last.valid,
        reasons=tuple(last.reasons),
        headline_j=stopping.headline(measured),
        unit=state.case.model.unit,
        power_w=joules / last.work_s if joules is not None else None,
        seconds_left=seconds_left,
    )
