"""A case that is loaded and can be metered: warm-up, looks at its idle power, one block after another.

Every block has whole batches, edge to edge. The worker is asleep before and after; between blocks nothing
runs but bookkeeping.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

from bench.catalog.models import Measure
from bench.core.block import Block
from bench.core.observed import Observed, StartConditions
from bench.errors import EngineError, MeterError
from bench.machine.gpu_processes import GpuProcesses
from bench.measurement import block_length, blocks, stopping
from bench.measurement.case_meters import CaseMeters
from bench.measurement.case_state import CaseState
from bench.measurement.idle import IdlePower, settling_s
from bench.measurement.phases import phases
from bench.measurement.recorder_check import require_recorder
from bench.measurement.setup import RunSetup
from bench.meters import edges
from bench.meters.meter_set import MeterSet
from bench.meters.metered_window import MeteredWindow, WindowEdges
from bench.worker.dealiasing import shift
from bench.worker.producer import Produced, Producer, WorkRequest

ROUND_S, ROUNDS_IN_WARMUP = 5.0, 4
"""A warm-up round is long enough to meter, and so short that at least four fit into the longest warm-up."""
MUCH_LONGER = 1.2
"""Blocks that are much alike compare best: only by this factor is the length corrected after the first."""
IDLE_SHARE = 0.1
"""Share of the target, taken of the work's power, to which idle power has to be known."""
AFTER_WINDOW_S = 0.3
"""Time for the energy counter's next tick after a window, wherever the phases' joules are read off it."""


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
        meters: CaseMeters,
    ) -> None:
        self.state = state
        self._measure = measure
        self._setup = setup
        self._gpu_processes = gpu_processes
        self._producer = producer
        self._meter_set = meter_set
        self._meters = meters
        self._known = [setup.instruments.calibrations.get(gpu.uuid) for gpu in state.gpus]
        self._next_prompt = 0
        self._batches = 1
        self._batch_s = 0.0
        self._between_s = 0.0
        """For how long the cards rest between two blocks."""
        self._rests = 0

    def idle(self) -> IdlePower:
        """The machine's power with this model loaded and nothing asked.

        It is looked at until it is known to a tenth of the target, as a share of the work's power.
        """
        measure = self._measure
        work_w = blocks.gpu_power_w(self.state.blocks[-1]) if self.state.blocks else None
        enough_w = None if work_w is None else setting(measure.target) * IDLE_SHARE * work_w
        settle_s = settling_s(setting(measure.settle_seconds), self._known)
        return self._meters.idle(settle_s, setting(measure.idle_seconds), enough_w)

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
        state, meter_set = self.state, self._meter_set
        require_recorder(meter_set.recorder)
        begun_ns = time.monotonic_ns()
        # Also in the warm-up: a clear start after idle shows how late the counter publishes.
        meter_set.settle_before()
        opened = meter_set.open()
        produced = self._produced(replace(request, margin_s=self._meters.begin()))
        window = meter_set.close(opened, WindowEdges(produced.start_ns, produced.end_ns, produced.steady))
        checked = self._producer.check(*self._output(len(state.blocks) + 1, warmup=warmup))
        window = self._meters.metered(self._refined(window, produced, warmup=warmup))
        observed = self._observe(window, produced, start)
        split = {} if produced.per_replica else phases(meter_set.recorder, state.gpus, produced.batches)
        block = blocks.build(state.case, window, produced, checked, split, observed, warmup=warmup)
        idle_w = state.before.power_w if state.before else {}
        block = blocks.without_rests(block, window, idle_w)
        state.blocks.append(block)
        state.outputs += map(Path, checked.files)
        rests_s = (opened.start_ns - begun_ns + time.monotonic_ns() - window.end_ns) / 1e9
        self._between_s = rests_s + (self._unrested_s(block) if warmup else 0.0)
        return block, produced

    def _produced(self, request: WorkRequest) -> Produced:
        """What the producer makes of a request; the next one goes on with the prompts after these."""
        produced = self._producer.produce(request)
        if not produced.done:
            raise EngineError("No output was finished between the edges of a window.", stage="generate")
        self._next_prompt += sum(batch.items for batch in produced.batches)
        self._rests += max(map(len, produced.rests_of.values()), default=len(produced.rests_ns))
        return produced

    def _refined(self, window: MeteredWindow, produced: Produced, *, warmup: bool) -> MeteredWindow:
        """The window without the error of counters' ticks; a warm-up round shows how late they publish."""
        rests_ns = produced.rests_of or produced.rests_ns
        if warmup:
            self._meter_set.learn(window, rests_ns)
            return window
        return self._meter_set.remove_tick_error(window, rests_ns, produced.work_ends_of)

    def _unrested_s(self, block: Block) -> float:
        """Missing part of a block's rests in a warm-up round: room after it, less a wait that it has."""
        ticks_s = block_length.ticks_s(block)
        return edges.room_s(max(ticks_s)) - AFTER_WINDOW_S if ticks_s else 0.0

    def _output(self, number: int, *, warmup: bool) -> tuple[Path | None, str]:
        """Folder and name of a block's kept output, if it is kept; `number` is that of `bench show`."""
        identity = self.state.case.as_mapping()["hash"][:8]
        name = f"{self.state.case.name}-{identity}-block{number:02d}"
        return None if warmup else self._setup.save_outputs, name

    def _observe(self, window: MeteredWindow, produced: Produced, start: StartConditions | None) -> Observed:
        foreign, reason = self._gpu_processes.foreign()
        gpus = self.state.gpus
        if gpus:
            self._meter_set.recorder.wait_past(window.end_ns + round(AFTER_WINDOW_S * 1e9))
        observed = blocks.observe(self._meter_set.recorder, gpus, window)
        observed.foreign_pids = foreign
        if reason:
            observed.absent = {"foreign_pids": reason}
        if start:
            observed.start = start
        if produced.served is not None:
            produced.served.start = self.state.start_number
        self._meters.observe(observed, window, produced.served)
        return observed


def setting(value: float | None) -> float:
    """A setting that the catalogue's defaults always fill."""
    if value is None:
        raise MeterError("A default is missing under defaults.measure in models.yaml.", "Restore it.")
    return float(value)
