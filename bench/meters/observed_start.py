"""Start of work, as an energy counter shows it.

    observed_start(moments_s, joules, start_s)         # ObservedStart(delay_s=0.052, at_most_s=0.08)

In the tick in which power steps to that of the work, joules over those at rest (or below them) grow with the
time past the step: a clear start shows when the counter saw it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bench.core.arrays import Floats

LATEST_S = 0.45
"""Largest delay of a counter that is searched."""
CHANGE_W, CHANGE_OVER_REST = 8.0, 5.0
"""Least change of power that counts: watts, and times what it changed by from tick to tick before."""
STEP_W, STEADY_SHARE = 40.0, 0.1
"""A clear step: its least height, and what power before it may change by as a share of it."""
RAMP_SHARE = 0.4
"""Power that changes by more than this share of the step in the tick after is a ramp."""
LEVEL_SHARE, LEVEL_TICKS = 0.15, 4
"""So is power whose median over this number of ticks after it is further from rest by this share."""


class ObservedStart(NamedTuple):
    """Delay by one start where its step is clear, and an upper bound of it; in seconds."""

    delay_s: float | None
    at_most_s: float | None


def observed_start(moments_s: Floats, energy_j: Floats, start_s: float) -> ObservedStart:
    """Delay with which the counter, updated at `moments_s`, saw the work that began at `start_s`."""
    nothing = ObservedStart(None, None)
    first = int(np.searchsorted(moments_s, start_s)) - 1
    if first < 3 or len(moments_s) < first + 5:
        return nothing
    lengths_s = np.diff(moments_s)
    powers_w = np.diff(energy_j) / lengths_s
    restless_w = float(np.max(np.abs(np.diff(powers_w[first - 3 : first]))))
    over_w = powers_w - powers_w[first - 1]
    number = _first_change(over_w, first, max(CHANGE_W, CHANGE_OVER_REST * restless_w))
    if number is None or moments_s[number] > start_s + LATEST_S:
        return nothing
    at_most_s = float(moments_s[number + 1] - start_s)
    step_w, length_s = float(over_w[number + 1]), float(lengths_s[number])
    before_s = length_s * (1 - float(over_w[number]) / step_w)
    delay_s = float(moments_s[number] - start_s) + max(0.0, before_s)
    steady = restless_w <= STEADY_SHARE * abs(step_w) and min(before_s, delay_s) > -0.1 * length_s
    if abs(step_w) < STEP_W or not steady or _ramp(over_w[number + 1 :]):
        return ObservedStart(None, at_most_s)
    return ObservedStart(delay_s, at_most_s)


def _first_change(over_w: Floats, first: int, least_w: float) -> int | None:
    """The first tick whose power has left that at rest, to the same side as the next one."""
    for number in range(first, len(over_w) - 2):
        if abs(over_w[number]) > least_w and math.copysign(1, over_w[number]) * over_w[number + 1] > 0:
            return number
    return None


def _ramp(over_w: Floats) -> bool:
    """Whether power grows on after its first whole tick: at once, or to where it then stays."""
    first_w, level_w = float(over_w[0]), float(np.median(over_w[1 : 1 + LEVEL_TICKS]))
    at_once = abs(over_w[1] - first_w) > RAMP_SHARE * abs(first_w)
    return bool(at_once) or level_w / first_w - 1 > LEVEL_SHARE
