"""The load that tells how a sensor sees: half-waves of many lengths, high and low in turn.

No two neighbours are equally long, so nothing keeps step with a sensor of any period, and every phase of
every period comes by. The lengths are the same in every run.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from bench.engines.square_load import Level
from bench.runner.looks import Floats
from bench.runner.messages import Driven, Step

SHORTEST_S, LONGEST_S = 0.02, 1.0
"""Short enough for a window of 25 ms, long enough for an average over a second."""
SEED = 2312


def varied(seconds: float) -> tuple[Step, ...]:
    """Steps that last about `seconds` together, beginning high and ending low."""
    chance = random.Random(SEED)
    steps: list[Step] = []
    left_s = seconds
    levels: tuple[Level, ...] = ("high", "idle")
    for level in cycle(levels):
        if left_s <= 0 and level == "high":
            return tuple(steps)
        length_s = math.exp(chance.uniform(math.log(SHORTEST_S), math.log(LONGEST_S)))
        steps.append(Step(level, length_s))
        left_s -= length_s
    raise AssertionError("a cycle has no end")


@dataclass(frozen=True)
class LoadCurve:
    """How long the load has been high since its first edge, by the time of each edge: exact in between."""

    edges_s: Floats
    high_s: Floats

    @classmethod
    def of(cls, driven: Driven) -> LoadCurve:
        """From what the worker did and when."""
        edges_s = np.array(driven.edges_ns, dtype=np.float64) / 1e9
        high = np.array([step.level == "high" for step in driven.steps], dtype=np.float64)
        return cls(edges_s, np.concatenate([[0.0], np.cumsum(high * np.diff(edges_s))]))

    def mean(self, start_s: Floats, end_s: Floats) -> Floats:
        """Share of the time between two moments that the load was high."""
        both = np.interp([start_s, end_s], self.edges_s, self.high_s)
        shares: Floats = (both[1] - both[0]) / (end_s - start_s)
        return shares
