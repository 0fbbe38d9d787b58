"""When a counter really moved, though it was seen to move up to a sample later.

A counter that moves every 100 ms and is looked at every 50 ms is seen to move 0 to 50 ms late, each time by
another amount. But its moves lie on a grid: one period and one offset fit hundreds of them, and the earliest
sightings show the offset. Where samples and ticks run in step, all sightings are late alike; what is left of
the doubt is `slack_s`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.meters.recorder import Floats, Recorder

FEWEST_MOVES = 8
LATE_S = 0.06
"""A sample that came later than this after the one before says little about when the counter moved."""
SAMPLES_A_TICK = 1.03
"""A counter that moves in nearly every sample may tick more often still: no grid can be told then."""
GRID_ROUNDS = 50
"""How often a grid is laid anew between samples; simulated, 200 rounds bring nothing more."""
JITTER_S = 0.004
"""By how much sightings may miss the grid beyond a sample's length: clocks of two processes, late calls."""


class Moves(NamedTuple):
    """Moments of the counter's moves in seconds from `origin_ns`, the joules counted then, and the doubt.

    The true moments are up to `slack_s` earlier, all by the same amount.
    """

    origin_ns: int
    t_s: Floats
    energy_j: Floats
    slack_s: float


def moves(recorder: Recorder, gpu_index: int, start_ns: int, end_ns: int) -> Moves | None:
    """A counter's moves between two moments on their grid; `None` where they are few or lie on none."""
    t_ns, energy_j = recorder.fast(gpu_index, start_ns, end_ns, "energy_j")
    moved = np.flatnonzero(np.diff(energy_j) > 0) + 1
    if len(moved) < FEWEST_MOVES:
        return None
    seen_s = (t_ns - t_ns[0]) / 1e9
    moved_s, waited_s = seen_s[moved], np.diff(seen_s)[moved - 1]
    sharp = waited_s <= LATE_S
    if np.count_nonzero(sharp) < FEWEST_MOVES:
        return None
    numbers = _numbers(moved_s, waited_s)
    period_s, middle_s = (float(value) for value in np.polyfit(numbers[sharp], moved_s[sharp], 1))
    late_s = moved_s[sharp] - middle_s - numbers[sharp] * period_s
    sample_s = float(np.median(np.diff(seen_s)))
    spread_s = float(late_s.max() - late_s.min())
    if spread_s > sample_s + JITTER_S:
        return None
    # The early edge of the sightings is where the moves are, or up to a sample before that.
    t_s = middle_s + float(late_s.min()) + numbers * period_s
    return Moves(int(t_ns[0]), t_s, energy_j[moved], max(0.0, sample_s - spread_s) + JITTER_S)


def between_samples(before_s: Floats, seen_s: Floats) -> Floats | None:
    """Moments of a counter's two or more moves, each between the sample before it and the one that saw it.

    An even grid is laid through the moments, each moment moved on to it as far as its two samples allow, and
    so on, until the grid fits; some seconds of moves are known to a millisecond or so then. A counter that
    keeps no grid stays within its samples all the same. `None` where it ticks as often as it is looked at.
    """
    numbers = _numbers(seen_s, seen_s - before_s)
    if (seen_s[-1] - seen_s[0]) / numbers[-1] < SAMPLES_A_TICK * np.mean(seen_s - before_s):
        return None
    numbers -= np.mean(numbers)
    moments_s: Floats = (before_s + seen_s) / 2
    for _ in range(GRID_ROUNDS):
        period_s = np.dot(numbers, moments_s) / np.dot(numbers, numbers)
        moments_s = np.clip(np.mean(moments_s) + numbers * period_s, before_s, seen_s)
    return moments_s


def _numbers(moved_s: Floats, waited_s: Floats) -> Floats:
    """The number of each move since the first: one more each time, unless samples were missing before it."""
    gaps_s = np.diff(moved_s)
    usual_s = float(np.median(gaps_s))
    steps = np.where(
        waited_s[1:] <= max(LATE_S, usual_s / 2), 1.0, np.maximum(1.0, np.rint(gaps_s / usual_s))
    )
    return np.concatenate([[0.0], np.cumsum(steps)])
