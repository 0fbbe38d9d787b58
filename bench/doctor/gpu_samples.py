"""Watching cards for two seconds: how often their counters tick, what a look costs, what they draw.

All cards are read in turn as fast as they answer (with a millisecond between rounds), through the call that
the meter uses at a window's edge. The recorder's rate would not see a tick of 20 ms.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bench.meters.fast_samples import PAUSE_S, tick_s
from bench.meters.gpu import Gpu, GpuSample

ENOUGH_STEPS = 4
"""Steps of every counter after which watching may end on time; slow counters get until `longest_s`."""
FEWEST_LOOKS = 50
"""Looks that the median cost rests on at least; they end early only where a call takes ages."""


@dataclass(frozen=True)
class WatchedCard:
    """Result of watching one card. Times in seconds, power in watts; `None` where nothing was seen.

    `tick_s` is the time between two steps of the counter; `look_s` between two looks at it, so that steps
    that come faster than `look_s` are not separated. `power_w` is the counter's slope between its first and
    last step, or, without such a slope, the mean of the power readings (`power_source` "sensor").
    """

    looks: int
    watched_s: float
    call_s: float
    look_s: float
    steps: int
    tick_s: float | None
    power_w: float | None
    power_source: str | None
    has_counter: bool
    reason: str | None

    @property
    def metered(self) -> bool:
        """Whether a window on this card has joules: from a counter that counts, or integrated from power.

        A stalled counter hides the power readings, because the meter trusts it.
        """
        return self.steps > 0 if self.has_counter else self.power_w is not None

    @property
    def every_look(self) -> bool:
        """Whether the counter moved at about every look, so that its tick is `look_s` at most."""
        return self.tick_s is not None and self.tick_s < 2 * self.look_s


def watch(gpus: Iterable[Gpu], seconds: float, longest_s: float) -> dict[str, WatchedCard]:
    """Watch cards together for `seconds`; up to `longest_s` where a counter is slow. By UUID."""
    gpus = tuple(gpus)
    logs = {gpu.uuid: _Log() for gpu in gpus}
    start = time.monotonic()
    while gpus:
        for gpu in gpus:
            logs[gpu.uuid].add(gpu.sample(), time.monotonic_ns())
        elapsed = time.monotonic() - start
        if elapsed >= longest_s or (elapsed >= seconds and all(log.enough for log in logs.values())):
            break
        time.sleep(PAUSE_S)
    return {uuid: log.conclude() for uuid, log in logs.items()}


class _Log:
    """The looks at one card, and the moments at which its counter had moved since the look before."""

    def __init__(self) -> None:
        self._samples: list[GpuSample] = []
        self._costs_s: list[float] = []
        self._steps: list[GpuSample] = []
        self._last_j: float | None = None

    def add(self, sample: GpuSample, after_ns: int) -> None:
        self._samples.append(sample)
        self._costs_s.append((after_ns - sample.t_ns) / 1e9)
        if sample.energy_j is not None:
            if self._last_j is not None and sample.energy_j > self._last_j:
                self._steps.append(sample)
            self._last_j = sample.energy_j

    @property
    def enough(self) -> bool:
        """Whether more time would add nothing: the counter's ticks are seen, or it has none."""
        without_counter = len(self._samples) >= FEWEST_LOOKS and self._last_j is None
        return without_counter or (len(self._steps) >= ENOUGH_STEPS and len(self._samples) >= FEWEST_LOOKS)

    def conclude(self) -> WatchedCard:
        stamps_ns = [sample.t_ns for sample in self._samples]
        watched_s = (stamps_ns[-1] - stamps_ns[0]) / 1e9
        looks_s = np.diff(stamps_ns) / 1e9
        power_w, source = self._power()
        reasons = [sample.reason for sample in self._samples if sample.reason]
        return WatchedCard(
            looks=len(self._samples),
            watched_s=watched_s,
            call_s=statistics.median(self._costs_s),
            look_s=float(np.median(looks_s)) if len(looks_s) else watched_s,
            steps=len(self._steps),
            tick_s=tick_s([step.t_ns / 1e9 for step in self._steps]),
            power_w=power_w,
            power_source=source,
            has_counter=self._last_j is not None,
            reason=reasons[-1] if reasons else None,
        )

    def _power(self) -> tuple[float | None, str | None]:
        if len(self._steps) > 1:
            first, last = self._steps[0], self._steps[-1]
            joules = (last.energy_j or 0.0) - (first.energy_j or 0.0)
            return joules / ((last.t_ns - first.t_ns) / 1e9), "counter"
        instant = [sample.power_instant_w for sample in self._samples if sample.power_instant_w is not None]
        average = [sample.power_average_w for sample in self._samples if sample.power_average_w is not None]
        powers_w = instant or average
        return (statistics.fmean(powers_w), "sensor") if powers_w else (None, None)
