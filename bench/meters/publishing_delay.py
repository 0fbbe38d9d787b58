"""Publishing delay of an energy counter, found from the starts of work.

    delay_of([ObservedStart(delay_s=0.052, at_most_s=0.08), ...], tick_s)   # Delay(0.051, 0.002, ...)

Clear starts that agree show the delay within 2 ms. Starts without a clear step bound it: the counter showed
each no later than in the first tick that moves. Starts that scatter are those of a part-time sensor, which
shows a step at its next look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from bench.core.arrays import Floats
from bench.core.observed import CounterDelay
from bench.meters.observed_start import LATEST_S, ObservedStart

DelayBasis = Literal["calibrated", "starts", "bounds", "scatter", "bound", "not shown", "none yet"]
BASES: dict[DelayBasis, str] = {
    "calibrated": "calibrated",
    "starts": "from the starts of work",
    "bounds": "from starts of which few have a clear step",
    "scatter": "starts scatter as a part-time sensor's do",
    "bound": "starts disagree, or too few are clear: bounded by them",
    "not shown": "the counter showed no start of work",
    "none yet": "no start of work so far",
}
"""Basis of a delay, in words."""

ENOUGH_STARTS = 3
"""Fewest clear starts that give a delay."""
AGREEING_S = 0.012
"""Largest distance of agreeing starts from their median."""
LARGEST_SPREAD_S, SPREAD_FLOOR_S, SPREAD_TICKS = 0.015, 0.005, 0.15
"""Largest scatter of starts that agree: this share of the tick, within these seconds."""
SHARP_SHARE = 0.75
"""Share of the clear starts that must agree where few are clear (beside bursts)."""
LEAST_U_S, TICK_U = 0.002, 0.015
"""Least uncertainty of a delay from clear starts, in seconds and in ticks."""
SLOW_TICK_S, SLOW_TICK_U = 0.15, 0.3
"""Tick from which on a ramp of power within a tick looks like a delay: the uncertainty in ticks is this."""
SCATTERED_STARTS, SCATTERED_SHARE = 5, 0.6
"""Fewest clear starts that show a part-time sensor, and their share of all."""
SCATTERED_S, SCATTERED_OVER = (0.03, 0.15), 0.5
"""Range of the latest of them (sensors look about every 100 ms), and the least share of it that they span."""
OUTLIER = 2.0
"""Scatter beyond the median from which a start is left out; a uniform distribution ends at 1.35."""
WIDER = 1.25
"""Time beyond the scatter at which an end is read: few starts show the latest moment."""
SMALLEST_S = 0.006
"""A smaller delay than this, or than twice its uncertainty, is taken as none."""
FEWEST_BOUNDS, BOUNDS_SPREAD = 2, 0.75
"""Fewest starts for a delay from bounds, and their largest scatter in ticks (one delay's is 0.37)."""
BOUNDS_U, LEAST_BOUNDS_U_S = 0.15, 0.008
"""Uncertainty by other power, in ticks; the least: a rise over 80 ms looks 9 to 14 ms late."""
BOUND_SHARE = math.sqrt(3)
"""A delay between 0 and a bound is taken as 0, with the bound over this as its uncertainty."""
CALIBRATED_U_S = 0.004
"""Standard uncertainty of a calibrated delay."""


class Delay(NamedTuple):
    """Seconds that a counter publishes late, their standard uncertainty, their basis, and the clear starts.

    A part-time sensor shows each step at its next look: at a moment within `scatter_s` that differs from edge
    to edge.
    """

    seconds: float
    u_s: float
    basis: DelayBasis = "starts"
    starts: int = 0
    scatter_s: float = 0.0

    @property
    def latest_s(self) -> float:
        """Largest delay at which the counter may show a step."""
        return self.seconds + WIDER * self.scatter_s


UNKNOWN = Delay(0.0, 0.03, "none yet")
"""Before any start, without a calibration."""
NOT_SHOWN = Delay(0.0, LATEST_S / math.sqrt(12), "not shown")
"""After starts of which the counter showed none: a uniform distribution's uncertainty."""


class _Centre(NamedTuple):
    """The median, and the median distance from it as a standard deviation."""

    middle_s: float
    spread_s: float


def delay_of(starts: Sequence[ObservedStart], tick_s: float) -> Delay:
    """Delay, or scatter, that the starts agree on; else what they bound."""
    clear_s = np.array([start.delay_s for start in starts if start.delay_s is not None])
    if len(clear_s) >= ENOUGH_STARTS:
        middle_s, spread_s = _centre(clear_s)
        agree = np.abs(clear_s - middle_s) < max(AGREEING_S, 3 * spread_s)
        usual = len(clear_s) >= 0.4 * len(starts) and np.mean(agree) >= 0.5
        rare_but_sharp = agree.sum() > ENOUGH_STARTS and np.mean(agree) >= SHARP_SHARE
        largest_s = min(LARGEST_SPREAD_S, max(SPREAD_FLOOR_S, SPREAD_TICKS * tick_s))
        if spread_s < largest_s and (usual or rare_but_sharp):
            least_s = SLOW_TICK_U * tick_s if tick_s > SLOW_TICK_S else max(LEAST_U_S, TICK_U * tick_s)
            u_s = max(least_s, 1.25 * spread_s / math.sqrt(len(clear_s)))
            if middle_s < max(SMALLEST_S, 2 * u_s):
                return Delay(0.0, max(u_s, middle_s / 2), "starts", len(clear_s))
            return Delay(middle_s, u_s, "starts", len(clear_s))
        if scatter_s := _scatter_s(clear_s, len(starts)):
            return Delay(0.0, LEAST_U_S, "scatter", len(clear_s), scatter_s)
    return _bounded(starts, tick_s)


def _bounded(starts: Sequence[ObservedStart], tick_s: float) -> Delay:
    """The delay where few starts are clear: the others were anywhere in the tick that moves first."""
    bounded = [(start.delay_s, start.at_most_s) for start in starts if start.at_most_s is not None]
    if not bounded:
        return NOT_SHOWN if len(starts) >= ENOUGH_STARTS else UNKNOWN
    likely_s = np.array([most_s - tick_s / 2 if clear_s is None else clear_s for clear_s, most_s in bounded])
    middle_s, spread_s = _centre(likely_s)
    if len(bounded) < FEWEST_BOUNDS or tick_s > SLOW_TICK_S or spread_s > BOUNDS_SPREAD * tick_s:
        bound_s = float(np.median([most_s for _, most_s in bounded]))
        return Delay(0.0, max(LEAST_U_S, bound_s / BOUND_SHARE), "bound")
    median_u = 0.5 / math.sqrt(len(bounded) + 2)  # standard error of a uniform distribution's median
    u_s = max(LEAST_BOUNDS_U_S, tick_s * math.hypot(BOUNDS_U, median_u))
    if middle_s < 2 * u_s:
        return Delay(0.0, max(u_s, middle_s / 2), "bounds")
    return Delay(middle_s, u_s, "bounds")


def _centre(values_s: Floats) -> _Centre:
    middle_s = float(np.median(values_s))
    return _Centre(middle_s, 1.4826 * float(np.median(np.abs(values_s - middle_s))))


def _scatter_s(clear_s: Floats, starts: int) -> float | None:
    """Seconds within which a part-time sensor shows a step; `None` where the starts do not show one."""
    middle_s, spread_s = _centre(clear_s)
    kept_s = clear_s[clear_s <= middle_s + OUTLIER * spread_s]
    if len(kept_s) < max(SCATTERED_STARTS, SCATTERED_SHARE * starts):
        return None
    latest_s = float(kept_s.max())
    spans = latest_s - float(kept_s.min()) >= SCATTERED_OVER * latest_s
    if not spans or not SCATTERED_S[0] <= latest_s <= SCATTERED_S[1]:
        return None
    return latest_s * (1 + 1 / len(kept_s))  # a uniform distribution's end


FIRST_STARTS = 6
"""Number of first starts that get room for the longest delay, so that one can be found at all."""


class DelayTracker:
    """Publishing delay of one counter: by its calibration, else from the starts seen so far."""

    def __init__(self, calibrated_s: float | None = None) -> None:
        self._calibrated = None if calibrated_s is None else Delay(calibrated_s, CALIBRATED_U_S, "calibrated")
        self._starts: dict[int, ObservedStart] = {}
        self._tick_s = 0.0

    def learn(self, start_ns: int, start: ObservedStart, tick_s: float) -> None:
        """Take in one start; the same one counts once."""
        self._starts[start_ns], self._tick_s = start, tick_s

    @property
    def longest_s(self) -> float:
        """Seconds by which the counter may lag behind: its delay, or the longest possible one at first."""
        first = self._calibrated is None and len(self._starts) < FIRST_STARTS and not self.now.starts
        return LATEST_S if first else self.now.latest_s

    @property
    def now(self) -> Delay:
        """The delay as known so far; a calibration gives only the mean of starts that scatter."""
        delay = delay_of(list(self._starts.values()), self._tick_s)
        return delay if delay.basis == "scatter" else self._calibrated or delay

    def stated(self) -> CounterDelay:
        """For the record: the delay, its uncertainty, and what it rests on."""
        delay = self.now
        return CounterDelay(
            delay_s=delay.seconds,
            u_s=delay.u_s,
            scatter_s=delay.scatter_s,
            starts=delay.starts,
            known=delay.basis in ("calibrated", "starts", "bounds"),
            basis=delay.basis,
            how=BASES[delay.basis],
        )
