"""Fast sampling of one card: its energy counter, its powers, and the cost of a sample.

The recorder is too slow for a tick of 20 ms. To find how a card's readings come about, it is
sampled every few milliseconds for a while: by `doctor` for two seconds, by `calibrate` for a minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.core.arrays import Floats
from bench.meters.gpu import Gpu, GpuSample

PAUSE_S = 0.001


@dataclass(frozen=True)
class FastSamples:
    """Samples of one card, in order. Times in seconds on CLOCK_MONOTONIC; `nan` is an absent reading."""

    t_s: Floats
    energy_j: Floats
    power_instant_w: Floats
    power_average_w: Floats
    call_s: Floats

    @classmethod
    def of(cls, samples: Sequence[GpuSample], costs_s: Sequence[float]) -> FastSamples:
        """Build from samples and the cost of each."""
        columns = [
            (each.t_ns / 1e9, each.energy_j, each.power_instant_w, each.power_average_w) for each in samples
        ]
        t_s, energy_j, instant_w, average_w = np.array(columns, dtype=np.float64).reshape(-1, 4).T
        return cls(t_s, energy_j, instant_w, average_w, np.array(costs_s, dtype=np.float64))

    @classmethod
    def joined(cls, parts: Sequence[FastSamples]) -> FastSamples:
        """Samples that followed one another, as one."""
        names = ("t_s", "energy_j", "power_instant_w", "power_average_w", "call_s")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def sample_while(gpu: Gpu, go_on: Callable[[], bool]) -> FastSamples:
    """Sample one card while `go_on` returns true, at least once."""
    samples: list[GpuSample] = []
    costs_s: list[float] = []
    while True:
        samples.append(gpu.sample())
        costs_s.append((time.monotonic_ns() - samples[-1].t_ns) / 1e9)
        if not go_on():
            return FastSamples.of(samples, costs_s)
        time.sleep(PAUSE_S)


def tick_s(steps_s: Sequence[float] | Floats, typical: float = 0.5) -> float | None:
    """The tick behind the moments at which steps were seen; `None` for fewer than two.

    A look that came late has seen two steps as one, so a typical gap only gives the ticks in each gap;
    their sum over all the time then gives the tick, free of how late the single looks were. Where a reading
    often stays the same from tick to tick, a `typical` gap is one of the shorter ones: a lower quantile.
    """
    if len(steps_s) < 2:
        return None
    gaps_s = np.diff(np.asarray(steps_s, dtype=np.float64))
    ticks = np.maximum(1, np.rint(gaps_s / np.quantile(gaps_s, typical)))
    few = ticks <= 3  # in longer gaps an error of the typical one adds up to another tick
    return float(gaps_s[few].sum() / ticks[few].sum())
