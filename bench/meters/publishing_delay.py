"""How late an energy counter publishes, found from the starts of work.

    start = rise(moments_s, joules, start_s)           # ObservedStart(delay_s=0.052, at_most_s=0.08)
    delay_of([start, ...], tick_s)                     # Delay(seconds=0.051, u_s=0.002, starts=12)

In the tick in which a step from rest to load falls, joules over those at rest grow with the time past the
step. So one clear start shows when the counter saw it; many agree within 2 ms where the delay is the
counter's. A start without a clear step still bounds the delay: the counter showed it no later than in the
first tick that rises.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LATEST_S = 0.45
"""How late a counter is looked for."""
RISE_W, RISE_OVER_REST = 8.0, 5.0
"""What counts as a rise: watts, and times what power changed by from tick to tick before."""
STEP_W, STEADY_SHARE = 40.0, 0.1
"""A clear step: its least height, and what power before it may change by as a share of it."""
RAMP_SHARE, LEVEL_SHARE, LEVEL_TICKS = 0.4, 0.15, 5
"""A ramp looks like a delay: power that changes by more than the first share of the step in the tick after,
or that lies further from rest by the second in the median of the next ticks."""
ENOUGH_STARTS, AGREEING_S = 3, 0.012
"""Fewest starts that must agree, and how near to their median counts as agreement."""
LARGEST_SPREAD_S, SPREAD_FLOOR_S, SPREAD_TICKS = 0.015, 0.005, 0.15
"""Largest scatter of starts that agree, and the least and the share of the tick that it may be of a fast
counter: starts that scatter by most of its tick are a part-time sensor's."""
SHARP_SHARE = 0.75
"""Share of the clear starts that must agree where few are clear (beside bursts)."""
LEAST_U_S, SLOW_TICK_S, SLOW_TICK_U, TICK_U = 0.002, 0.15, 0.3, 0.015
"""Least uncertainty of a delay from starts: of a slow counter 0.3 tick, since within so long a tick a ramp of
power looks like a late counter; else 1.5 % of the tick."""
SCATTERED_STARTS, SCATTERED_SHARE, SCATTERED_S = 5, 0.6, (0.03, 0.15)
"""Fewest starts that show a part-time sensor by their scatter, the share of all that must be clear, and the
range in which the latest of them lies: a sensor that looks every 100 ms shows a step within about that."""
WIDEST = 1.25
"""How late ends are read, over the latest of the starts: few show the latest possible one, and to read an end
too late costs little."""
SMALLEST_S = 0.006
"""A smaller delay than this, or than twice its uncertainty, is taken as none."""
FEWEST_BOUNDS, BOUNDS_SPREAD, BOUNDS_U = 2, 0.75, 0.15
"""Of a delay from bounds: fewest starts, their largest scatter and what other power around them adds to the
uncertainty, both in ticks (one delay scatters by 0.37, since a start has any phase of its tick)."""
LEAST_BOUNDS_U_S = 0.008
"""Its least uncertainty: power that rises with 80 ms looks 9 to 14 ms late to a tick of 20 ms."""
BOUND_SHARE = math.sqrt(3)
"""A delay that is only bounded lies anywhere between 0 and the bound; it is taken as 0."""


class Delay(NamedTuple):
    """Seconds that a counter publishes late, the standard uncertainty, and from how many starts (0: none).

    Where clear starts scatter, a part-time sensor shows each step at its next look: at a moment within
    `scatter_s` that differs from edge to edge.
    """

    seconds: float
    u_s: float
    starts: int = 0
    scatter_s: float = 0.0

    @property
    def latest_s(self) -> float:
        """How late the counter may show a step."""
        return self.seconds + self.scatter_s


TOLD_U_S = 0.004
"""Standard uncertainty of a calibrated delay."""
UNKNOWN = Delay(0.0, 0.03)
"""Without a calibration or a start so far."""
UNSEEN = Delay(0.0, 0.1)
"""After starts of which the counter showed none: it may be as late as any."""


class ObservedStart(NamedTuple):
    """Delay by one start where its step is clear, and an upper bound of it."""

    delay_s: float | None
    at_most_s: float | None


def rise(moments_s: Floats, energy_j: Floats, start_s: float) -> ObservedStart:
    """When the counter saw the load begin that began at `start_s`; a load may also lower the power."""
    nothing = ObservedStart(None, None)
    first = int(np.searchsorted(moments_s, start_s)) - 1
    if first < 3 or len(moments_s) < first + 5:
        return nothing
    lengths_s = np.diff(moments_s)
    powers_w = np.diff(energy_j) / lengths_s
    rest_w, restless_w = powers_w[first - 1], float(np.max(np.abs(np.diff(powers_w[first - 3 : first]))))
    over_w = powers_w - rest_w
    for number in range(first, len(powers_w) - 2):
        if moments_s[number] > start_s + LATEST_S:
            return nothing
        if abs(over_w[number]) > max(RISE_W, RISE_OVER_REST * restless_w):
            break
    else:
        return nothing
    at_most_s = float(moments_s[number + 1] - start_s)
    step_w = float(over_w[number + 1])
    if abs(step_w) < STEP_W or restless_w > STEADY_SHARE * abs(step_w) or _ramp(over_w[number + 1 :]):
        return ObservedStart(None, at_most_s)
    length_s = float(lengths_s[number])
    before_s = length_s * (1 - float(over_w[number] / step_w))
    if before_s < -0.1 * length_s:
        return ObservedStart(None, at_most_s)
    return ObservedStart(float(moments_s[number] - start_s) + max(0.0, before_s), at_most_s)


def _ramp(over_w: Floats) -> bool:
    """Whether the change of power grows on after its first whole tick: at once, or to where it then stays."""
    first_w, level_w = float(over_w[0]), float(np.median(over_w[1:LEVEL_TICKS]))
    at_once = abs(over_w[1] - first_w) > RAMP_SHARE * abs(first_w)
    return at_once or level_w / first_w - 1 > LEVEL_SHARE


def delay_of(starts: Sequence[ObservedStart], tick_s: float) -> Delay:
    """Delay that the starts agree on; else 0 s, with the uncertainty that they leave."""
    found_s = np.array([start.delay_s for start in starts if start.delay_s is not None])
    if len(found_s) >= ENOUGH_STARTS:
        middle_s, spread_s = _middle(found_s)
        agree = np.abs(found_s - middle_s) < max(AGREEING_S, 3 * spread_s)
        usual = len(found_s) >= 0.4 * len(starts) and np.mean(agree) >= 0.5
        rare_but_sharp = agree.sum() > ENOUGH_STARTS and np.mean(agree) >= SHARP_SHARE
        largest_s = min(LARGEST_SPREAD_S, max(SPREAD_FLOOR_S, SPREAD_TICKS * tick_s))
        if spread_s < largest_s and (usual or rare_but_sharp):
            least_s = SLOW_TICK_U * tick_s if tick_s > SLOW_TICK_S else max(LEAST_U_S, TICK_U * tick_s)
            u_s = max(least_s, 1.25 * spread_s / math.sqrt(len(found_s)))
            if middle_s < max(SMALLEST_S, 2 * u_s):
                return Delay(0.0, max(u_s, middle_s / 2), len(found_s))
            return Delay(middle_s, u_s, len(found_s))
        if scatter_s := _scatter_s(found_s, len(starts)):
            return Delay(0.0, LEAST_U_S, 0, scatter_s)
    return _bounded(starts, tick_s)


def _bounded(starts: Sequence[ObservedStart], tick_s: float) -> Delay:
    """The delay where few starts are clear: the others lay anywhere in the tick that rises first."""
    bounded = [(start.delay_s, start.at_most_s) for start in starts if start.at_most_s is not None]
    if not bounded:
        return UNSEEN if len(starts) >= ENOUGH_STARTS else UNKNOWN
    likely_s = np.array([most_s - tick_s / 2 if clear_s is None else clear_s for clear_s, most_s in bounded])
    middle_s, spread_s = _middle(likely_s)
    if len(bounded) < FEWEST_BOUNDS or tick_s > SLOW_TICK_S or spread_s > BOUNDS_SPREAD * tick_s:
        return Delay(0.0, max(LEAST_U_S, float(np.median([most_s for _, most_s in bounded])) / BOUND_SHARE))
    u_s = max(LEAST_BOUNDS_U_S, tick_s * math.hypot(BOUNDS_U, 0.5 / math.sqrt(len(bounded) + 2)))
    return Delay(middle_s, u_s) if middle_s >= 2 * u_s else Delay(0.0, max(u_s, middle_s / 2))


def _middle(values: Floats) -> tuple[float, float]:
    """The median, and the median distance from it as a standard deviation."""
    middle = float(np.median(values))
    return middle, 1.4826 * float(np.median(np.abs(values - middle)))


def _scatter_s(found_s: Floats, starts: int) -> float | None:
    """Seconds within which a part-time sensor shows a step; `None` where the starts do not show one."""
    if len(found_s) < max(SCATTERED_STARTS, SCATTERED_SHARE * starts):
        return None
    latest_s = float(found_s.max())
    return WIDEST * latest_s if SCATTERED_S[0] <= latest_s <= SCATTERED_S[1] else None


FIRST_STARTS = 6
"""Number of first starts that get room for the longest delay, so that one can be found at all."""


class Delays:
    """How late one counter publishes: as a calibration found it, else from the starts seen so far."""

    def __init__(self, calibrated_s: float | None = None) -> None:
        self._calibrated = None if calibrated_s is None else Delay(calibrated_s, TOLD_U_S)
        self._starts: dict[int, ObservedStart] = {}
        self._tick_s = 0.0

    def learn(self, start_ns: int, start: ObservedStart, tick_s: float) -> None:
        """Take in one start; the same one counts once."""
        self._starts[start_ns], self._tick_s = start, tick_s

    @property
    def room_s(self) -> float:
        """Seconds by which the counter may lag behind: its delay, or the longest possible one at first."""
        first = self._calibrated is None and len(self._starts) < FIRST_STARTS and not self.now.starts
        return LATEST_S if first else self.now.latest_s

    @property
    def now(self) -> Delay:
        """The delay as known so far; a calibration gives only the mean of starts that scatter."""
        found = delay_of(list(self._starts.values()), self._tick_s)
        return found if found.scatter_s else self._calibrated or found

    def as_mapping(self) -> dict[str, float | int | str]:
        """For the record: the delay, its uncertainty, and how it is known."""
        delay = self.now
        return {
            "delay_s": delay.seconds,
            "u_s": delay.u_s,
            "scatter_s": delay.scatter_s,
            "starts": delay.starts,
            "known": delay is self._calibrated or delay.starts > 0,
            "how": self._how(delay),
        }

    def _how(self, delay: Delay) -> str:
        if delay is self._calibrated:
            return "calibrated"
        if delay.scatter_s:
            return "starts scatter as a part-time sensor's do"
        return "from the starts of work" if delay.starts else "no clear start from rest, or starts disagree"
