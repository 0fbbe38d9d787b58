"""Loading of a case: a worker or server with its model, its meters, and what the model turned out to be.

with loaded(planned, setup, gpu_processes, state) as case:      # a LoadedCase
    case.warm_up()
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bench.catalog.cases import Planned
from bench.core.loading import Loading
from bench.core.side_by_side import HOST_SHARED
from bench.core.workload import CLOSED
from bench.errors import EngineError, MeterError
from bench.machine.gpu_processes import GpuProcesses
from bench.measurement import case_meters
from bench.measurement.case_state import CaseState
from bench.measurement.fitting import cards_of_case
from bench.measurement.loaded_case import LoadedCase
from bench.measurement.recorder_check import require_recorder
from bench.measurement.setup import RunSetup
from bench.worker import producers
from bench.worker.engine_spec import with_revision
from bench.worker.process import WorkerCode
from bench.worker.producer import Producer, ProducerSetup

OVERLAPPING = "the phases of replicas overlap, so the counters cannot tell them apart"


@contextmanager
def loaded(
    planned: Planned,
    setup: RunSetup,
    gpu_processes: GpuProcesses,
    state: CaseState,
    code: WorkerCode | None = None,
) -> Iterator[LoadedCase]:
    """The case's model in a worker, with meters. What stops it leaves its trace in `state`.

    The worker runs `code`, by default this program's own.
    """
    require_recorder(setup.instruments.recorder)
    setup.stage("loading")
    setup = replace(setup, placement=cards_of_case(state.case, setup.placement))
    asked = ProducerSetup(
        setup.placement,
        setup.remote_code,
        code,
        setup.meanwhile,
        setup.note,
        setup.endpoint,
        setup.logs,
        state.case.replicas,
    )
    module, begun_ns = producers.of(state.case.workload), time.monotonic_ns()
    with module.create(asked) as producer:
        try:
            _load(producer, setup, state)
            state.loaded_ns = state.loaded_ns or time.monotonic_ns()
            gpu_processes.loaded(producer.pids, state.gpus)
            host_absent = HOST_SHARED if setup.side_by_side else None
            with setup.instruments.meter_set(state.gpus, setup.country, host_absent) as meter_set:
                state.absent, state.energy_sources = meter_set.absent, meter_set.energy_sources
                state.nodes = setup.nodes
                meters = case_meters.choose(setup, producer, meter_set)
                if meters.why_not_here is not None:
                    state.absent = dict.fromkeys((*meter_set.domains, *state.absent), meters.why_not_here)
                    state.energy_sources = {}
                if state.case.replicas > 1:
                    state.absent = {**state.absent, "phases": OVERLAPPING}
                if module.LOADS_HERE:
                    read = meter_set.between(begun_ns, state.loaded_ns)
                    state.loading = Loading(start_ns=begun_ns, end_ns=state.loaded_ns, energy=read)
                yield LoadedCase(planned.measure, setup, gpu_processes, state, producer, meter_set, meters)
        except BaseException:
            if state.trace is None:
                state.trace, state.last_words = producer.trace, producer.last_words()
            raise


def _load(producer: Producer, setup: RunSetup, state: CaseState) -> None:
    has_server = state.case.model.serve is not None and state.case.workload == CLOSED
    try:
        state.ready = producer.load(state.case)
    except EngineError as error:
        if has_server:
            error.remedy = f"Add --workload single to ask its server. {error.remedy or ''}".rstrip()
        raise
    if has_server:
        setup.note(f"{state.case.name} is loaded here. Add --workload single to ask its server instead.")
    state.case = with_revision(state.case, state.ready)
    _compare_size(setup, state)
    used = tuple(setup.instruments.drivers.find(uuid) for uuid in state.ready.device_uuids)
    state.gpus = setup.placement.named or used
    strangers = [gpu.uuid for gpu in used if gpu not in state.gpus]
    if strangers:
        hiding = dict.fromkeys(str(gpu.facts.visible_by) for gpu in used)
        raise MeterError(
            f"The work runs on {', '.join(strangers)}, which --gpus does not name.",
            f"Name every card that the work uses, or unset {' and '.join(hiding)}.",
        )


def _compare_size(setup: RunSetup, state: CaseState) -> None:
    """Say so where a folder's model is not of the size of the model it is measured as."""
    case = state.case
    found_b = sum(state.ready.parameters.values()) / 1e9 if state.ready else 0.0
    if case.weights.kind == "path" and found_b and not 0.8 < found_b / case.model.parameters_b < 1.25:
        setup.note(
            f"The folder's model has {found_b:.3g} billion parameters, {case.name} has "
            f"{case.model.parameters_b:.3g}: is it another model?"
        )
