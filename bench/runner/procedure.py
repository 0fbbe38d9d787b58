"""One case, measured: load, idle, warm up until steady, blocks until the interval is narrow enough, idle.

Blocks follow the warm-up at once, for a card cools in a look at idle: by a fifth of its rise in 13 s, with a
heat sink of 60 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.catalog.cases import Planned
from bench.catalog.models import Measure
from bench.runner import stopping
from bench.runner.neighbours import Neighbours
from bench.runner.subject import Progress, Subject, Surroundings, loaded, setting
from bench.runner.watching import BlockDone


class Measurement:
    """The procedure for one case. `progress` is filled as it goes; `on_block` is called after each block."""

    def __init__(self, planned: Planned, around: Surroundings, on_block: Callable[[Progress], None]) -> None:
        self._planned = planned
        self._around = around
        self._on_block = on_block
        self.progress = Progress(planned.case)

    def go(self) -> None:
        """Measure. Raises EngineError, MeterError or KeyboardInterrupt with `progress` kept."""
        around, progress = self._around, self.progress
        neighbours = Neighbours(around.nvml.gpus, outside=around.placement.device == "cpu")
        with loaded(self._planned, around, neighbours, progress) as subject:
            subject.first_round()
            around.watcher.stage("idle before")
            progress.before = subject.idle()
            subject.warm_up()
            self._repeat(subject)
            around.watcher.stage("idle after")
            progress.after = subject.idle()

    def _repeat(self, subject: Subject) -> None:
        progress, bounds = self.progress, limits(self._planned.measure)
        begun = time.monotonic()
        while progress.ended_by is None:
            self._around.watcher.stage(f"measuring block {len(progress.measured) + 1}")
            subject.block()
            elapsed_s = time.monotonic() - begun
            measured = progress.measured
            progress.ended_by = stopping.verdict(measured, elapsed_s, **bounds)
            left_s = stopping.seconds_left(measured, elapsed_s, **bounds)
            self._around.watcher.block_done(done(progress, bounds["min_blocks"], left_s))
            self._on_block(progress)


def limits(measure: Measure) -> dict[str, Any]:
    """What bounds the repeats, as `stopping` wants it."""
    return {
        "target": setting(measure.target),
        "max_seconds": setting(measure.max_seconds),
        "min_blocks": int(setting(measure.min_blocks)),
    }


def done(progress: Progress, at_least: int, seconds_left: float | None) -> BlockDone:
    """Where a case stands after the block just measured."""
    measured = progress.measured
    last = measured[-1]
    joules = last.joules(last.scope).gross_j
    return BlockDone(
        number=len(measured),
        at_least=at_least,
        valid=last.valid,
        reasons=tuple(last.reasons),
        headline_j=stopping.headline(measured),
        unit=progress.case.model.unit,
        power_w=joules / last.work_s if joules is not None else None,
        seconds_left=seconds_left,
    )
