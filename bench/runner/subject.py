"""A case that is loaded and can be metered: its worker, its meters, and one block after another.

Every block holds whole batches, edge to edge. The worker is asleep before and after; between blocks nothing
runs but bookkeeping.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bench.catalog.cases import Case, Planned
from bench.catalog.models import Measure
from bench.catalog.workload import prompts
from bench.core.block import Block
from bench.core.calibration import Calibration
from bench.core.machine import SourceUsed
from bench.core.observed import Observed, Start
from bench.core.record import BlockLength, Pair
from bench.engines.base import Ready
from bench.errors import MeterError
from bench.meters import edges
from bench.meters.codecarbon import CodeCarbon
from bench.meters.nvml import Gpu, Nvml
from bench.meters.recorder import Recorder
from bench.meters.rig import Rig, Window
from bench.runner import block_length, blocks, stopping
from bench.runner.calibrate import delays_s
from bench.runner.child import Child, Code
from bench.runner.devices import Placement
from bench.runner.idle import IdleSeen, settling_s, watch_idle
from bench.runner.messages import Checked, Inspect, Load, Produce, Produced
from bench.runner.neighbours import Neighbours
from bench.runner.phases import phases
from bench.runner.shifting import shift
from bench.runner.specs import engine_spec, with_revision
from bench.runner.watching import Watcher

ROUND_S, ROUNDS_IN_WARMUP = 5.0, 4
"""A warm-up round is long enough to meter, and so short that at least four fit into the longest warm-up."""
MUCH_LONGER = 1.2
"""Blocks that are much alike compare best: only by this factor is the length corrected after the first."""
IDLE_SHARE = 0.1
"""Share of the target, taken of the work's power, to which idle power has to be known."""
SILENT_S, PATIENCE_S = 2.0, 3.0
"""A recorder without a row for so long is waited for, and for how long."""
AFTER_WINDOW_S = 0.3
"""Time for the energy counter's next tick after a window, wherever the phases' joules are read off it."""


@dataclass(frozen=True)
class Surroundings:
    """What all cases of a run share."""

    nvml: Nvml
    recorder: Recorder
    placement: Placement
    country: str
    watcher: Watcher
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    """By UUID, of the cards that were calibrated."""
    remote_code: frozenset[str] = frozenset()
    save_outputs: Path | None = None


@dataclass
class Progress:
    """What is known of a case so far; it survives whatever stops the case."""

    case: Case
    start: Start | None = None
    ready: Ready | None = None
    loaded_ns: int | None = None
    """When its model was there: the trace begins then."""
    gpus: tuple[Gpu, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)
    energy_sources: dict[str, SourceUsed] = field(default_factory=dict)
    before: IdleSeen | None = None
    after: IdleSeen | None = None
    blocks: list[Block] = field(default_factory=list)
    block_length: BlockLength | None = None
    ended_by: Literal["target", "max_seconds"] | None = None
    warmup_by: Literal["steady", "max_seconds"] | None = None
    outputs: list[Path] = field(default_factory=list)
    pair: Pair | None = None
    trace: str | None = None
    last_words: str | None = None

    @property
    def measured(self) -> list[Block]:
        """The blocks after warm-up, invalid ones included."""
        return [block for block in self.blocks if not block.warmup]


@contextmanager
def loaded(
    planned: Planned,
    around: Surroundings,
    neighbours: Neighbours,
    progress: Progress,
    code: Code | None = None,
) -> Iterator[Subject]:
    """The case's model in a worker, with meters. What stops it leaves its trace in `progress`.

    The worker runs `code`, by default this program's own.
    """
    _require_recorder(around.recorder)
    around.watcher.stage("loading")
    with Child(around.placement.environment, code, around.watcher.meanwhile, around.watcher.note) as child:
        try:
            _load(child, around, progress)
            progress.loaded_ns = time.monotonic_ns()
            neighbours.worker_loaded(child.pid, progress.gpus)
            with closing(CodeCarbon(around.country, [gpu.index for gpu in progress.gpus])) as codecarbon:
                delays = delays_s(around.calibrations)
                rig = Rig(around.nvml, around.recorder, codecarbon, progress.gpus, delays)
                progress.absent, progress.energy_sources = rig.absent, rig.energy_sources
                yield Subject(planned.measure, around, neighbours, progress, child, rig)
        except BaseException:
            if progress.trace is None:
                progress.trace, progress.last_words = child.trace, child.last_words()
            raise


def _require_recorder(recorder: Recorder) -> None:
    """Begin nothing that nobody would watch. A recorder that was held up for a moment may catch up first."""
    fresh = recorder.wait_past(time.monotonic_ns() - round(SILENT_S * 1e9), timeout_s=PATIENCE_S)
    if recorder.alive and not fresh:
        raise MeterError(
            f"The recorder process has stood still for more than {SILENT_S + PATIENCE_S:.0f} s.",
            "Find out who stopped it, and run again.",
        )
    if not recorder.alive:
        raise MeterError("The recorder process has ended.", "Run again; with --debug it says why.")


def _load(child: Child, around: Surroundings, progress: Progress) -> None:
    spec = engine_spec(progress.case, around.placement, around.remote_code)
    progress.ready = child.ask(Load(spec, prompts(progress.case.model.unit).texts, notes=True), Ready)
    progress.case = with_revision(progress.case, progress.ready)
    _compare_size(around, progress)
    used = tuple(around.nvml.find(uuid) for uuid in progress.ready.device_uuids)
    progress.gpus = around.placement.named or used
    strangers = [gpu.uuid for gpu in used if gpu not in progress.gpus]
    if strangers:
        raise MeterError(
            f"The work runs on {', '.join(strangers)}, which --gpus does not name.",
            "Name every card that the work uses, or unset CUDA_VISIBLE_DEVICES.",
        )


def _compare_size(around: Surroundings, progress: Progress) -> None:
    """Say so where a folder's model is not of the size of the model it is measured as."""
    case = progress.case
    found_b = sum(progress.ready.parameters.values()) / 1e9 if progress.ready else 0.0
    if case.weights.kind == "path" and not 0.8 < found_b / case.model.parameters_b < 1.25:
        around.watcher.note(
            f"The folder's model has {found_b:.3g} billion parameters, {case.name} has "
            f"{case.model.parameters_b:.3g}: is it another model?"
        )


class Subject:
    """A loaded case: warm it up, look at its idle power, meter blocks. All of it is kept in `progress`."""

    def __init__(
        self,
        measure: Measure,
        around: Surroundings,
        neighbours: Neighbours,
        progress: Progress,
        child: Child,
        rig: Rig,
    ) -> None:
        self.progress = progress
        self._measure = measure
        self._around = around
        self._neighbours = neighbours
        self._child = child
        self._rig = rig
        self._known = [around.calibrations.get(gpu.uuid) for gpu in progress.gpus]
        self._next_prompt = 0
        self._batches = 1
        self._batch_s = 0.0
        self._between_s = 0.0
        """For how long the cards rest between two blocks."""
        self._rests = 0

    def idle(self) -> IdleSeen:
        """The machine's power with this model loaded and nothing asked.

        It is looked at until it is known to a tenth of the target, as a share of the work's power.
        """
        measure = self._measure
        work_w = blocks.gpu_power_w(self.progress.blocks[-1]) if self.progress.blocks else None
        enough_w = None if work_w is None else setting(measure.target) * IDLE_SHARE * work_w
        settle_s = settling_s(setting(measure.settle_seconds), self._known)
        return watch_idle(self._rig, settle_s, setting(measure.idle_seconds), enough_w)

    def first_round(self) -> None:
        """Half a round: what compiles, grows or is loaded late does so before idle power is looked at.

        The longest prompt comes first, for what grows to its length, or compiles for it.
        """
        self._next_prompt = self.progress.ready.longest_prompt if self.progress.ready else 0
        self._around.watcher.stage("warming up, round 1")
        self._meter(Produce(self._next_prompt, seconds=self._round_s / 2), warmup=True)

    def warm_up(self) -> None:
        """Rounds until time, energy and temperature stop moving; then it is known what fills a block."""
        measure, progress = self._measure, self.progress
        rounds: list[stopping.Round] = []
        begun = time.monotonic()
        while progress.warmup_by is None:
            self._around.watcher.stage(f"warming up, round {len(rounds) + 2}")
            request = Produce(self._next_prompt, seconds=self._round_s)
            block, produced = self._meter(request, warmup=True)
            rounds.append(blocks.warmup_round(block))
            if stopping.steady(rounds, setting(measure.target)):
                progress.warmup_by = "steady"
            out_of_time = time.monotonic() - begun >= setting(measure.warmup_max_seconds)
            if out_of_time and len(rounds) >= stopping.WARMUP_ROUNDS:
                progress.warmup_by = progress.warmup_by or "max_seconds"
        self._next_prompt = 0  # blocks begin alike, however long the warm-up took
        last = produced.batches
        self._batch_s = (last[-1].end_ns - last[0].start_ns) / 1e9 / len(last)
        self._choose_length()

    @property
    def _round_s(self) -> float:
        return min(ROUND_S, setting(self._measure.warmup_max_seconds) / ROUNDS_IN_WARMUP)

    def _choose_length(self) -> None:
        """How long blocks are: as asked for, else what the warm-up, and then the first block, showed."""
        measure, progress = self._measure, self.progress
        before = progress.block_length
        idle_w = progress.before.power_w if progress.before else {}
        seen = block_length.LengthEvidence(progress.blocks[-1], self._between_s, idle_w)
        now = block_length.choose(seen, setting(measure.target), self._known, measure.block_seconds)
        if before is not None and now.seconds <= MUCH_LONGER * before.seconds:
            return
        progress.block_length = now
        self._batches = max(1, math.ceil(now.seconds / self._batch_s))
        if before is None and (cost := block_length.sensor_cost(now)) is not None:
            self._around.watcher.note(cost)

    def block(self, start: Start | None = None) -> Block:
        """Meter one block: as many batches as filled it in the warm-up, more where they are quicker."""
        request = Produce(
            self._next_prompt,
            batches=self._batches,
            seconds=self._block_s,
            shift=shift(self._known, self._rests),
        )
        block, _ = self._meter(request, warmup=False, start=start)
        if len(self.progress.measured) == 1:
            self._choose_length()
        return block

    @property
    def _block_s(self) -> float:
        assert self.progress.block_length is not None, "set by the warm-up"
        return self.progress.block_length.seconds

    def _meter(self, request: Produce, *, warmup: bool, start: Start | None = None) -> tuple[Block, Produced]:
        """One window around one request, then everything that must stay outside it."""
        progress, rig, child = self.progress, self._rig, self._child
        _require_recorder(rig.recorder)
        begun_ns = time.monotonic_ns()
        rig.rest()  # also in the warm-up: a clear start from rest tells how late the counter publishes
        opened = rig.open()
        produced = child.ask(request, Produced)
        window = rig.close(opened)
        self._next_prompt += produced.items
        self._rests += len(produced.rests_ns)
        checked = child.ask(self._inspection(len(progress.blocks), warmup=warmup), Checked)
        if warmup:
            rig.learn(window, produced.rests_ns)
        else:
            window = rig.refine(window, produced.rests_ns)
        observed = self._observe(window)
        if start:
            observed.start = start
        split = phases(self._around.recorder, progress.gpus, produced)
        block = blocks.build(progress.case, window, produced, checked, split, observed, warmup=warmup)
        idle_w = progress.before.power_w if progress.before else {}
        block = blocks.without_rests(block, window, idle_w)
        progress.blocks.append(block)
        progress.outputs += map(Path, checked.files)
        rests_s = (opened.start_ns - begun_ns + time.monotonic_ns() - window.end_ns) / 1e9
        self._between_s = rests_s + (self._unrested_s(block) if warmup else 0.0)
        return block, produced

    def _unrested_s(self, block: Block) -> float:
        """What a warm-up round lacks of a block's rests: room after it, less a wait that it has."""
        ticks_s = block_length.ticks_s(block)
        return edges.room_s(max(ticks_s)) - AFTER_WINDOW_S if ticks_s else 0.0

    def _inspection(self, number: int, *, warmup: bool) -> Inspect:
        folder = None if warmup or self._around.save_outputs is None else str(self._around.save_outputs)
        identity = self.progress.case.as_mapping()["hash"][:8]
        return Inspect(folder, f"{self.progress.case.name}-{identity}-block{number:02d}")

    def _observe(self, window: Window) -> Observed:
        foreign, reason = self._neighbours.foreign()
        gpus = self.progress.gpus
        if gpus:
            self._rig.recorder.wait_past(window.end_ns + round(AFTER_WINDOW_S * 1e9))
        observed = blocks.observe(self._rig.recorder, gpus, window)
        observed.foreign_pids = foreign
        if reason:
            observed.absent = {"foreign_pids": reason}
        return observed


def setting(value: float | None) -> float:
    """A setting that the catalogue's defaults always fill."""
    if value is None:
        raise MeterError("A default is missing under defaults.measure in models.yaml.", "Restore it.")
    return float(value)
