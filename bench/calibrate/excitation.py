"""Load that reveals a sensor's window: half-waves of many lengths, high and low in turn.

No two neighbours are equally long, so nothing keeps step with a sensor of any period, and every phase of
every period comes by. The lengths are the same in every run.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from bench.core.arrays import Floats
from bench.core.calibration import LoadLevel
from bench.worker.messages import LoadDone, LoadStep

SHORTEST_S, LONGEST_S = 0.02, 1.0
"""Short enough for a window of 25 ms, long enough for an average over a second."""
SEED = 2312
SHARPEST_S = 1e-4
"""Time constant of a power that follows its load at once."""


def varied(seconds: float) -> tuple[LoadStep, ...]:
    """Steps that last about `seconds` together, beginning high and ending low."""
    chance = random.Random(SEED)
    steps: list[LoadStep] = []
    left_s = seconds
    levels: tuple[LoadLevel, ...] = ("high", "idle")
    for level in cycle(levels):
        if left_s <= 0 and level == "high":
            return tuple(steps)
        length_s = math.exp(chance.uniform(math.log(SHORTEST_S), math.log(LONGEST_S)))
        steps.append(LoadStep(level, length_s))
        left_s -= length_s
    raise AssertionError("a cycle has no end")


@dataclass(frozen=True)
class LoadCurve:
    """The power of a load, 0 when idle and 1 when high, and its exact integral at every moment.

    A card's power follows its load with a delay of its own: it nears each new level with a time constant, one
    for rising and one for falling. Arrays are by stretch, from edge to edge.
    """

    edges_s: Floats
    high: Floats
    times_s: Floats
    level: Floats
    """At the beginning of each stretch."""
    drawn: Floats
    """Integral up to there."""

    @classmethod
    def of(cls, driven: LoadDone) -> LoadCurve:
        """Build from the worker's steps and their times: as sharp as its edges."""
        edges_s = np.array(driven.edges_ns, dtype=np.float64) / 1e9
        high = np.array([step.level == "high" for step in driven.steps], dtype=np.float64)
        return cls._following(edges_s, high, SHARPEST_S, SHARPEST_S)

    def following(self, rise_s: float, fall_s: float) -> LoadCurve:
        """The same load on a card whose power rises and falls with these time constants."""
        return self._following(self.edges_s, self.high, rise_s, fall_s)

    @classmethod
    def _following(cls, edges_s: Floats, high: Floats, rise_s: float, fall_s: float) -> LoadCurve:
        lengths_s, times_s = np.diff(edges_s), np.where(high > 0, rise_s, fall_s)
        left = np.exp(-lengths_s / times_s)
        level, levels = 0.0, []
        for towards, share in zip(high.tolist(), left.tolist(), strict=True):
            levels.append(level)
            level = towards + (level - towards) * share
        begun = np.array(levels)
        gains = high * lengths_s + (begun - high) * times_s * (1 - left)
        return cls(edges_s, high, times_s, begun, np.concatenate([[0.0], np.cumsum(gains)[:-1]]))

    def integral(self, t_s: Floats) -> Floats:
        """Seconds' worth of full load up to each moment; none before the first edge and after the last."""
        inside = np.clip(t_s, self.edges_s[0], self.edges_s[-1])
        at = np.clip(np.searchsorted(self.edges_s, inside, side="right") - 1, 0, len(self.high) - 1)
        since_s, high, times_s = inside - self.edges_s[at], self.high[at], self.times_s[at]
        bent = (self.level[at] - high) * times_s * (1 - np.exp(-since_s / times_s))
        found: Floats = self.drawn[at] + high * since_s + bent
        return found

    def mean(self, start_s: Floats, end_s: Floats) -> Floats:
        """Mean of the power between two moments."""
        means: Floats = (self.integral(end_s) - self.integral(start_s)) / (end_s - start_s)
        return means
