"""Ticks of a counter: when it really moved, though samples show it up to one sample later.

A counter that moves every 100 ms and is looked at every 43 ms is seen to move 0 to 43 ms late, each time by
another amount. But its moves form an even grid, and each is between two samples: some seconds of moves
are known to a millisecond or so then. A sample that comes late adds less, and does no harm. Where samples
and ticks run in step, the whole grid may still be off by as much as a sample.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.core.arrays import Floats
from bench.meters.recorder import Recorder

USUAL_TICK_S = 0.1
"""Of a counter whose tick was not seen."""
LOOK_BACK_S = 10.0
"""Time before a window from which a counter's tick is learnt."""
FEWEST_MOVES = 8
LATE_S = 0.06
"""A sample that came no later than this after the one before is not late; one more tick has passed in it."""
SAMPLES_A_TICK = 1.03
"""Samples per tick below which no grid is fitted: the counter may tick faster than it is sampled."""
GRID_ROUNDS = 50
"""Rounds of fitting a grid between samples; simulated, 200 rounds bring nothing more."""
JITTER_S = 0.004
"""By how much a grid may miss the samples around a move: clocks of two processes, late calls."""
ON_GRID = 0.95
"""Share of the moves that must not miss it by more."""


def seen_tick_s(recorder: Recorder, gpu_index: int, start_ns: int, end_ns: int) -> float | None:
    """Median time between the counter's moves between two moments."""
    t_ns, _ = recorder.counter_curve(gpu_index, start_ns, end_ns, margin_s=0.0)
    return median_s(t_ns)


def usual_or_seen_tick_s(recorder: Recorder, gpu_index: int, start_ns: int, end_ns: int) -> float:
    """The tick as seen between two moments, or the usual one where none was."""
    seen_s = seen_tick_s(recorder, gpu_index, start_ns, end_ns)
    return USUAL_TICK_S if seen_s is None else seen_s


def median_s(moved_ns: NDArray[np.int64]) -> float | None:
    """The median time from move to move; `None` for fewer than three moves."""
    return float(np.median(np.diff(moved_ns))) / 1e9 if len(moved_ns) > 2 else None


class CounterUpdates(NamedTuple):
    """Moments of the counter's moves in seconds from `origin_ns`, and the joules counted then.

    The true moments may be up to `sample_s` earlier or later, all by the same amount.
    """

    origin_ns: int
    t_s: Floats
    energy_j: Floats
    sample_s: float

    @property
    def power_w(self) -> float:
        """Mean power from the first update to the last."""
        return float((self.energy_j[-1] - self.energy_j[0]) / (self.t_s[-1] - self.t_s[0]))


def counter_updates(recorder: Recorder, gpu_index: int, start_ns: int, end_ns: int) -> CounterUpdates | None:
    """A counter's moves between two moments on their grid; `None` if they are few or form no grid."""
    t_ns, energy_j = recorder.fast(gpu_index, start_ns, end_ns, "energy_j")
    moved = np.flatnonzero(np.diff(energy_j) > 0) + 1
    if len(moved) < FEWEST_MOVES:
        return None
    samples_s = (t_ns - t_ns[0]) / 1e9
    grid = fit_update_times(samples_s[moved - 1], samples_s[moved])
    if grid is None or np.quantile(np.abs(grid.even_s - grid.between_s), ON_GRID) > JITTER_S:
        return None
    return CounterUpdates(int(t_ns[0]), grid.even_s, energy_j[moved], float(np.median(np.diff(samples_s))))


class UpdateTimes(NamedTuple):
    """Moments of a counter's moves: on an even grid, and as near to it as their samples allow."""

    even_s: Floats
    between_s: Floats


def fit_update_times(before_s: Floats, seen_s: Floats) -> UpdateTimes | None:
    """The grid of a counter's two or more moves, each between the sample before it and the one that saw it.

    An even grid is laid through the moments, each moment moved on to it as far as its two samples allow, and
    so on, until the grid fits. `None` where the counter ticks as often as it is looked at.
    """
    numbers = _numbers(before_s, seen_s)
    if (seen_s[-1] - seen_s[0]) / numbers[-1] < SAMPLES_A_TICK * np.mean(seen_s - before_s):
        return None
    numbers -= np.mean(numbers)
    moments_s: Floats = (before_s + seen_s) / 2
    for _ in range(GRID_ROUNDS):
        period_s = np.dot(numbers, moments_s) / np.dot(numbers, numbers)
        even_s: Floats = np.mean(moments_s) + numbers * period_s
        moments_s = np.clip(even_s, before_s, seen_s)
    return UpdateTimes(even_s, moments_s)


def _numbers(before_s: Floats, seen_s: Floats) -> Floats:
    """The number of each move since the first: one more each time, unless samples were missing before it."""
    gaps_s, waited_s = np.diff(seen_s), (seen_s - before_s)[1:]
    quickest_s = float(np.quantile(waited_s, 0.25))
    hasty = quickest_s < LATE_S / 4  # beside looks that fast, a usual one may miss several ticks
    sharp = waited_s <= (2 * quickest_s if hasty else LATE_S)
    usual_s = float(np.mean(gaps_s[sharp]) if np.any(sharp) else np.median(gaps_s))
    once_s = usual_s if hasty else max(LATE_S, usual_s)
    steps = np.where(waited_s <= once_s, 1.0, np.maximum(1.0, np.rint(gaps_s / usual_s)))
    return np.concatenate([[0.0], np.cumsum(steps)])
