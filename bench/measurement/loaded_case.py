"""A case that is loaded and can be metered: its worker, its meters, and one block after another.

Every block has whole batches, edge to edge. The worker is asleep before and after; between blocks nothing
runs but bookkeeping.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.catalog.cases import Planned
from bench.catalog.models import Measure
from bench.core.block import Block
from bench.core.loading import Loading
from bench.core.observed import Observed, StartConditions
from bench.core.side_by_side import HOST_SHARED
from bench.core.workload import CLOSED
from bench.errors import EngineError, MeterError
from bench.machine.gpu_processes import GpuProcesses
from bench.measurement import block_length, blocks, stopping
from bench.measurement.case_state import CaseState
from bench.measurement.fitting import cards_of_case
from bench.measurement.idle import IdlePower, settling_s, watch_idle
from bench.measurement.neighbours import neighbours
from bench.measurement.node_metering import BY_NODES, NodeMetering
from bench.measurement.phases import phases
from bench.measurement.recorder_check import require_recorder
from bench.measurement.setup import RunSetup
from bench.meters import edges
from bench.meters.meter_set import MeterSet
from bench.meters.metered_window import MeteredWindow, WindowEdges
from bench.worker import producers
from bench.worker.dealiasing import shift
from bench.worker.engine_spec import with_revision
from bench.worker.process import WorkerCode
from bench.worker.producer import Produced, Producer, ProducerSetup, WorkRequest

ROUND_S, ROUNDS_IN_WARMUP = 5.0, 4
"""A warm-up round is long enough to meter, and so short that at least four fit into the longest warm-up."""
MUCH_LONGER = 1.2
"""Blocks that are much alike compare best: only by this factor is the length corrected after the first."""
IDLE_SHARE = 0.1
"""Share of the target, taken of the work's power, to which idle power has to be known."""
OVERLAPPING = "the phases of replicas overlap, so the counters cannot tell them apart"
AFTER_WINDOW_S = 0.3
"""Time for the energy counter's next tick after a window, wherever the phases' joules are read off it."""


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
                elsewhere = BY_NODES if setup.nodes else producer.elsewhere
                if elsewhere is not None:
                    state.absent = dict.fromkeys((*meter_set.domains, *state.absent), elsewhere)
                    state.energy_sources = {}
                if state.case.replicas > 1:
                    state.absent = {**state.absent, "phases": OVERLAPPING}
                if module.LOADS_HERE:
                    read = meter_set.between(begun_ns, state.loaded_ns)
                    state.loading = Loading(start_ns=begun_ns, end_ns=state.loaded_ns, energy=read)
                yield LoadedCase(planned.measure, setup, gpu_processes, state, producer, meter_set)
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


class LoadedCase:
    """A loaded case: warm it up, look at its idle power, meter blocks. All of it is kept in `state`."""

    def __init__(
        self,
        measure: Measure,
        setup: RunSetup,
        gpu_processes: GpuProcesses,
        state: CaseState,
        producer: Producer,
        meter_set: MeterSet,
    ) -> None:
        self.state = state
        self._measure = measure
        self._setup = setup
        self._gpu_processes = gpu_processes
        self._producer = producer
        self._meter_set = meter_set
        self._known = [setup.instruments.calibrations.get(gpu.uuid) for gpu in state.gpus]
        self._next_prompt = 0
        self._batches = 1
        self._batch_s = 0.0
        self._between_s = 0.0
        """For how long the cards rest between two blocks."""
        self._rests = 0
        self._nodes = NodeMetering(setup.nodes, setup.note) if setup.nodes else None

    def idle(self) -> IdlePower:
        """The machine's power with this model loaded and nothing asked.

        It is looked at until it is known to a tenth of the target, as a share of the work's power.
        """
        measure = self._measure
        if self._nodes is not None:
            return self._nodes.idle(setting(measure.settle_seconds), setting(measure.idle_seconds))
        if self._producer.elsewhere is not None:
            return IdlePower({}, {}, {}, {})
        work_w = blocks.gpu_power_w(self.state.blocks[-1]) if self.state.blocks else None
        enough_w = None if work_w is None else setting(measure.target) * IDLE_SHARE * work_w
        settle_s = settling_s(setting(measure.settle_seconds), self._known)
        return watch_idle(self._meter_set, settle_s, setting(measure.idle_seconds), enough_w)

    def first_round(self) -> None:
        """Half a round: what compiles, grows or is loaded late does so before idle power is looked at.

        The longest prompt comes first, for what grows to its length, or compiles for it.
        """
        self._next_prompt = self.state.ready.longest_prompt if self.state.ready else 0
        self._setup.stage("warming up, round 1")
        self._meter(WorkRequest(self._round_s / 2, first_prompt=self._next_prompt), warmup=True)

    def warm_up(self) -> None:
        """Rounds until time, energy and temperature stop moving; then it is known what fills a block."""
        measure, state = self._measure, self.state
        rounds: list[stopping.WarmupRound] = []
        begun = time.monotonic()
        while state.warmup_by is None:
            self._setup.stage(f"warming up, round {len(rounds) + 2}")
            request = WorkRequest(self._round_s, first_prompt=self._next_prompt)
            block, produced = self._meter(request, warmup=True)
            rounds.append(blocks.warmup_round(block))
            if stopping.steady(rounds, setting(measure.target)):
                state.warmup_by = "steady"
            out_of_time = time.monotonic() - begun >= setting(measure.warmup_max_seconds)
            if out_of_time and len(rounds) >= stopping.WARMUP_ROUNDS:
                state.warmup_by = state.warmup_by or "max_seconds"
        self._next_prompt = 0  # blocks begin alike, however long the warm-up took
        self._batch_s = produced.batch_s
        self._choose_length()

    @property
    def _round_s(self) -> float:
        return min(ROUND_S, setting(self._measure.warmup_max_seconds) / ROUNDS_IN_WARMUP)

    def _choose_length(self) -> None:
        """Length of blocks: as asked for, else from the warm-up, and then from the first block."""
        measure, state = self._measure, self.state
        before = state.block_length
        idle_w = state.before.power_w if state.before else {}
        evidence = block_length.LengthEvidence(state.blocks[-1], self._between_s, idle_w)
        now = block_length.choose(evidence, setting(measure.target), self._known, measure.block_seconds)
        if before is not None and now.seconds <= MUCH_LONGER * before.seconds:
            return
        state.block_length = now
        self._batches = max(1, math.ceil(now.seconds / self._batch_s))
        if before is None and (cost := block_length.sensor_cost(now)) is not None:
            self._setup.note(cost)

    def block(self, start: StartConditions | None = None) -> Block:
        """Meter one block: as many batches as filled it in the warm-up, more where they are quicker."""
        request = WorkRequest(
            self._block_s,
            batches=self._batches,
            first_prompt=self._next_prompt,
            shift=shift(self._known, self._rests),
        )
        block, _ = self._meter(request, warmup=False, start=start)
        if len(self.state.measured) == 1:
            self._choose_length()
        return block

    @property
    def _block_s(self) -> float:
        assert self.state.block_length is not None, "set by the warm-up"
        return self.state.block_length.seconds

    def _meter(
        self, request: WorkRequest, *, warmup: bool, start: StartConditions | None = None
    ) -> tuple[Block, Produced]:
        """One window around one request, then everything that must stay outside it."""
        state, meter_set, producer = self.state, self._meter_set, self._producer
        require_recorder(meter_set.recorder)
        begun_ns, nodes = time.monotonic_ns(), self._nodes
        # Also in the warm-up: a clear start after idle shows how late the counter publishes.
        meter_set.settle_before()
        opened = meter_set.open()
        margin_s = nodes.begin() if nodes else meter_set.margin_s
        produced = producer.produce(replace(request, margin_s=margin_s))
        if not produced.done:
            raise EngineError("No output was finished between the edges of a window.", stage="generate")
        window = meter_set.close(opened, WindowEdges(produced.start_ns, produced.end_ns, produced.steady))
        self._next_prompt += sum(batch.items for batch in produced.batches)
        rests_ns = produced.rests_of or produced.rests_ns
        self._rests += max(map(len, produced.rests_of.values()), default=len(produced.rests_ns))
        checked = producer.check(*self._output(len(state.blocks) + 1, warmup=warmup))
        if warmup:
            meter_set.learn(window, rests_ns)
        else:
            window = meter_set.remove_tick_error(window, rests_ns)
        if nodes is not None:
            window = nodes.metered(window)
        elif producer.elsewhere is not None:  # what this machine drew meanwhile is not the work's
            window = replace(window, energy={}, task=None)
        observed = self._observe(window)
        if nodes is not None:
            nodes.observe(observed, produced.served)
        if start:
            observed.start = start
        if produced.served is not None:
            produced.served.start = state.start_number
        if nodes is None and producer.elsewhere is None:
            observed.neighbours = neighbours(meter_set, window)
        split = {} if produced.per_replica else phases(meter_set.recorder, state.gpus, produced.batches)
        block = blocks.build(state.case, window, produced, checked, split, observed, warmup=warmup)
        idle_w = state.before.power_w if state.before else {}
        block = blocks.without_rests(block, window, idle_w)
        state.blocks.append(block)
        state.outputs += map(Path, checked.files)
        rests_s = (opened.start_ns - begun_ns + time.monotonic_ns() - window.end_ns) / 1e9
        self._between_s = rests_s + (self._unrested_s(block) if warmup else 0.0)
        return block, produced

    def _unrested_s(self, block: Block) -> float:
        """Missing part of a block's rests in a warm-up round: room after it, less a wait that it has."""
        ticks_s = block_length.ticks_s(block)
        return edges.room_s(max(ticks_s)) - AFTER_WINDOW_S if ticks_s else 0.0

    def _output(self, number: int, *, warmup: bool) -> tuple[Path | None, str]:
        """Folder and name of a block's kept output, if it is kept; `number` is that of `bench show`."""
        identity = self.state.case.as_mapping()["hash"][:8]
        name = f"{self.state.case.name}-{identity}-block{number:02d}"
        return None if warmup else self._setup.save_outputs, name

    def _observe(self, window: MeteredWindow) -> Observed:
        foreign, reason = self._gpu_processes.foreign()
        gpus = self.state.gpus
        if gpus:
            self._meter_set.recorder.wait_past(window.end_ns + round(AFTER_WINDOW_S * 1e9))
        observed = blocks.observe(self._meter_set.recorder, gpus, window)
        observed.foreign_pids = foreign
        if reason:
            observed.absent = {"foreign_pids": reason}
        return observed


def setting(value: float | None) -> float:
    """A setting that the catalogue's defaults always fill."""
    if value is None:
        raise MeterError("A default is missing under defaults.measure in models.yaml.", "Restore it.")
    return float(value)
