"""One case, measured: load, warm up until steady, idle, blocks until the interval is narrow enough, idle.

Every block holds whole batches, edge to edge: as many as filled the wished length at the end of the warm-up,
and more where they turn out quicker. The worker is asleep before and after; between blocks nothing runs but
bookkeeping.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench.catalog.cases import Case, Planned
from bench.catalog.models import Measure
from bench.catalog.workload import prompts
from bench.engines.base import Ready
from bench.errors import MeterError
from bench.meters.codecarbon import CodeCarbon
from bench.meters.nvml import Gpu, Nvml
from bench.meters.recorder import Recorder
from bench.meters.rig import Rig, Window
from bench.records.schema import Block
from bench.runner import blocks, stopping
from bench.runner.child import Child
from bench.runner.devices import Placement
from bench.runner.idle import IdleSeen, watch_idle
from bench.runner.messages import Checked, Inspect, Load, Produce, Produced
from bench.runner.neighbours import Neighbours
from bench.runner.phases import phases
from bench.runner.specs import engine_spec, with_revision
from bench.runner.watching import BlockDone, Watcher

WARMUP_ROUNDS_PER_BLOCK = 4
"""A warm-up round lasts this fraction of a block: long enough to meter, short enough to see a slope."""
STEADY_TOLERANCE = 0.03
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
    remote_code: frozenset[str] = frozenset()
    save_outputs: Path | None = None


@dataclass
class Progress:
    """What is known of a case so far; it survives whatever stops the case."""

    case: Case
    ready: Ready | None = None
    gpus: tuple[Gpu, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)
    before: IdleSeen | None = None
    after: IdleSeen | None = None
    blocks: list[Block] = field(default_factory=list)
    ended_by: Literal["target", "max_seconds"] | None = None
    warmup_by: Literal["steady", "max_seconds"] | None = None
    outputs: list[Path] = field(default_factory=list)
    trace: str | None = None
    last_words: str | None = None


class Measurement:
    """The procedure for one case. `progress` is filled as it goes; `on_block` is called after each block."""

    def __init__(self, planned: Planned, around: Surroundings, on_block: Callable[[Progress], None]) -> None:
        self._measure = planned.measure
        self._around = around
        self._on_block = on_block
        self.progress = Progress(planned.case)
        self._next_prompt = 0

    def go(self) -> None:
        """Measure. Raises EngineError, MeterError or KeyboardInterrupt with `progress` kept."""
        around, progress = self._around, self.progress
        self._require_recorder()
        neighbours = Neighbours(around.nvml.gpus, outside=around.placement.device == "cpu")
        around.watcher.stage("loading")
        with Child(around.placement.environment) as child:
            try:
                self._load(child)
                neighbours.worker_loaded(child.pid, progress.gpus)
                self._metered(child, neighbours)
            except BaseException:
                progress.trace, progress.last_words = child.trace, child.last_words()
                raise

    def _load(self, child: Child) -> None:
        around, progress = self._around, self.progress
        spec = engine_spec(progress.case, around.placement, around.remote_code)
        progress.ready = child.ask(Load(spec, prompts(progress.case.model.unit).texts), Ready)
        progress.case = with_revision(progress.case, progress.ready)
        self._compare_size(progress.ready)
        used = tuple(around.nvml.find(uuid) for uuid in progress.ready.device_uuids)
        progress.gpus = around.placement.named or used
        strangers = [gpu.uuid for gpu in used if gpu not in progress.gpus]
        if strangers:
            raise MeterError(
                f"The work runs on {', '.join(strangers)}, which --gpus does not name.",
                "Name every card that the work uses, or unset CUDA_VISIBLE_DEVICES.",
            )

    def _compare_size(self, ready: Ready) -> None:
        """Say so where a folder's model is not of the size of the model it is measured as."""
        case = self.progress.case
        found_b = sum(ready.parameters.values()) / 1e9
        if case.weights.kind == "path" and not 0.8 < found_b / case.model.parameters_b < 1.25:
            self._around.watcher.note(
                f"The folder's model has {found_b:.3g} billion parameters, {case.name} has "
                f"{case.model.parameters_b:.3g}: is it another model?"
            )

    def _metered(self, child: Child, neighbours: Neighbours) -> None:
        around, progress, measure = self._around, self.progress, self._measure
        codecarbon = CodeCarbon(around.country, [gpu.index for gpu in progress.gpus])
        try:
            rig = Rig(around.nvml, around.recorder, codecarbon, progress.gpus)
            progress.absent = rig.absent
            batches = self._warm_up(child, rig, neighbours)
            around.watcher.stage("idle before")
            progress.before = watch_idle(
                rig, _setting(measure.settle_seconds), _setting(measure.idle_seconds)
            )
            self._repeat(child, rig, neighbours, batches)
            around.watcher.stage("idle after")
            progress.after = watch_idle(rig, _setting(measure.settle_seconds), _setting(measure.idle_seconds))
        finally:
            codecarbon.close()

    def _warm_up(self, child: Child, rig: Rig, neighbours: Neighbours) -> int:
        """Rounds until time and energy per unit stop moving; returns the batches a block needs."""
        measure, progress = self._measure, self.progress
        block_s = _setting(measure.block_seconds)
        texts = prompts(progress.case.model.unit).texts
        # The longest prompt first: what grows to its length, or compiles for it, does so before it counts.
        self._next_prompt = max(range(len(texts)), key=lambda index: len(texts[index]))
        times_s: list[float] = []
        joules: list[float] = []
        begun = time.monotonic()
        while True:
            self._around.watcher.stage(f"warming up, round {len(times_s) + 1}")
            request = Produce(self._next_prompt, seconds=block_s / WARMUP_ROUNDS_PER_BLOCK)
            block, produced = self._block(child, rig, neighbours, request, warmup=True)
            times_s.append(block.duration_s / block.items)
            joules += [total / block.items for total in [_measured_gpu_j(block)] if total is not None]
            if stopping.steady(times_s, joules, tolerance=STEADY_TOLERANCE):
                progress.warmup_by = "steady"
                break
            if len(times_s) == 1:
                begun = time.monotonic()  # compiling and tuning fall into the first round and are not counted
            out_of_time = time.monotonic() - begun >= _setting(measure.warmup_max_seconds)
            if out_of_time and len(times_s) >= stopping.WARMUP_ROUNDS:
                progress.warmup_by = "max_seconds"
                break
        last = produced.batches
        batch_s = (last[-1].end_ns - last[0].start_ns) / 1e9 / len(last)
        return max(1, math.ceil(block_s / batch_s))

    def _repeat(self, child: Child, rig: Rig, neighbours: Neighbours, batches: int) -> None:
        measure, progress = self._measure, self.progress
        limits = _limits(measure)
        measured: list[Block] = []
        begun = time.monotonic()
        while progress.ended_by is None:
            self._around.watcher.stage(f"measuring block {len(measured) + 1}")
            block_s = _setting(measure.block_seconds)
            request = Produce(self._next_prompt, batches=batches, seconds=block_s)
            block, _ = self._block(child, rig, neighbours, request, warmup=False)
            measured.append(block)
            elapsed_s = time.monotonic() - begun
            progress.ended_by = stopping.verdict(measured, elapsed_s, **limits)
            self._around.watcher.block_done(self._done(measured, elapsed_s, limits))
            self._on_block(progress)

    def _block(
        self, child: Child, rig: Rig, neighbours: Neighbours, request: Produce, *, warmup: bool
    ) -> tuple[Block, Produced]:
        """One window around one request, then everything that must stay outside it."""
        progress = self.progress
        self._require_recorder()
        if not warmup:
            rig.rest()
        opened = rig.open()
        produced = child.ask(request, Produced)
        window = rig.close(opened)
        self._next_prompt += produced.items
        checked = child.ask(self._inspection(len(progress.blocks), warmup=warmup), Checked)
        if not warmup:
            window = rig.refine(window)
        foreign, reason = neighbours.foreign()
        observed = self._observe(rig, window) | {"foreign_pids": foreign}
        if reason is not None:
            observed["absent"] = {"foreign_pids": reason}
        split = phases(self._around.recorder, progress.gpus, produced)
        block = blocks.build(progress.case, window, produced, checked, split, observed, warmup=warmup)
        progress.blocks.append(block)
        progress.outputs += checked.files
        return block, produced

    def _require_recorder(self) -> None:
        if not self._around.recorder.alive:
            raise MeterError("The recorder process has ended.", "Run again; with --debug it says why.")

    def _inspection(self, number: int, *, warmup: bool) -> Inspect:
        folder = self._around.save_outputs
        identity = self.progress.case.as_mapping()["hash"][:8]
        return Inspect(None if warmup else folder, f"{self.progress.case.name}-{identity}-block{number:02d}")

    def _observe(self, rig: Rig, window: Window) -> dict[str, Any]:
        gpus = self.progress.gpus
        if gpus:
            rig.recorder.wait_past(window.end_ns + round(AFTER_WINDOW_S * 1e9))
        return blocks.observe(rig.recorder, gpus, window.start_ns, window.end_ns)

    def _done(self, measured: list[Block], elapsed_s: float, limits: dict[str, Any]) -> BlockDone:
        last = measured[-1]
        joules = [energy.gross_j for name, energy in last.energy.items() if name.startswith("gpu:")]
        joules = joules or [energy.gross_j for energy in last.energy.values()]
        known = [value for value in joules if value is not None]
        return BlockDone(
            number=len(measured),
            at_least=limits["min_blocks"],
            valid=last.valid,
            reasons=tuple(last.reasons),
            headline_j=stopping.headline(measured),
            unit=self.progress.case.model.unit,
            power_w=sum(known) / last.duration_s if known else None,
            seconds_left=stopping.seconds_left(measured, elapsed_s, **limits),
        )


def _limits(measure: Measure) -> dict[str, Any]:
    return {
        "target": _setting(measure.target),
        "max_seconds": _setting(measure.max_seconds),
        "min_blocks": int(_setting(measure.min_blocks)),
    }


def _setting(value: float | None) -> float:
    """A setting that the catalogue's defaults always fill."""
    if value is None:
        raise MeterError("A default is missing under defaults.measure in models.yaml.", "Restore it.")
    return float(value)


def _measured_gpu_j(block: Block) -> float | None:
    """Joules of the metered cards, where there are any and all gave a reading."""
    values = [energy.gross_j for name, energy in block.energy.items() if name.startswith("gpu:")]
    if not values or any(value is None for value in values):
        return None
    return sum(value for value in values if value is not None)
