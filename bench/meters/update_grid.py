"""The even grid of a counter's updates, searched for among periods and phases.

    grid = fit(t_s, energy_j)                  # samples of the counter around a moment, in seconds from it
    moments_s, joules = updates(t_s, energy_j, grid)

A sample with a new value shows that an update fell between it and the sample before; one with the old value
shows that none did. For each period such pairs rule phases in or out; the period and phase that agree with
most pairs are the grid. Samples of uneven spacing separate periods that even ones confuse. Simulated with 23
samples a second, 10 % of them late and 20 % missing: phase within 1 ms for ticks of 45 to 130 ms.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.core.arrays import Floats

PERIODS_S, COARSE, FINE, FINE_STEPS = (0.007, 0.7), 0.002, 0.0001, 22
"""Periods that are tried, in seconds, and the relative steps between them, first and around the best."""
BINS = 128
"""Phases searched per period: 0.8 ms of a tick of 100 ms."""
AT_ONCE = 128
"""Periods tried together, so that their pairs fit into a processor's cache: 16 ms a search in place of 80."""
LATE_S = 0.0015
"""By how much a sample's stamp may be earlier than its reading."""
LONGEST_PAIR_S = 0.2
TELLING_SHARE = 0.95
"""Share of a period: two samples further apart have an update between them at any phase."""
FEWEST_UPDATES, ENOUGH_UPDATES = 5, 8
"""Updates needed for a grid, and the number from which on more of them do not matter."""
LEAST_AGREEMENT, NEARLY_BEST = 0.6, 0.97
"""Share of the updates that a grid must explain, and what counts as good as the best."""
OPEN = 0.02
"""Pairs that may disagree with a phase that is still possible, as a share of all updates."""
SHARPEST_S = 0.0003
"""A phase is not known better than this."""


class UpdateGrid(NamedTuple):
    """Updates fall at `phase_s` + n × `period_s`; `u_s` is the standard uncertainty of these moments."""

    phase_s: float
    period_s: float
    u_s: float


def fit(t_s: Floats, energy_j: Floats, near_s: tuple[float, float] = PERIODS_S) -> UpdateGrid | None:
    """The grid of a counter's updates; `None` where samples are too few, or agree with no grid."""
    before_s, after_s = t_s[:-1], t_s[1:]
    close = (after_s - before_s) < LONGEST_PAIR_S
    pairs = _Pairs(before_s[close], after_s[close], (np.diff(energy_j) > 0)[close])
    if not len(pairs.moved):
        return None
    periods_s = np.exp(np.arange(np.log(near_s[0]), np.log(near_s[1]), COARSE))
    agree, updates = _agreement(periods_s, pairs)
    best = agree.max(axis=1)
    share = np.where(updates >= FEWEST_UPDATES, best / np.maximum(updates, 1), -1.0)
    share *= np.minimum(1.0, updates / ENOUGH_UPDATES)
    if share.max() < LEAST_AGREEMENT:
        return None
    first = periods_s[int(np.argmax(np.where(share >= NEARLY_BEST * share.max(), best, -1.0)))]
    periods_s = first * (1 + FINE * np.arange(-FINE_STEPS, FINE_STEPS + 1))
    agree, updates = _agreement(periods_s, pairs)
    best = agree.max(axis=1)
    as_good = np.flatnonzero(best >= best.max() - 0.5)
    number = int(as_good[len(as_good) // 2])
    return _phase(periods_s[number], agree[number], float(updates[number]))


class _Pairs(NamedTuple):
    """Pairs of neighbouring samples, and whether the second showed a new value."""

    before_s: Floats
    after_s: Floats
    moved: NDArray[np.bool_]


def _agreement(periods_s: Floats, pairs: _Pairs) -> tuple[Floats, Floats]:
    """By period: updates explained less those that should have shown, for each phase; and updates in all."""
    parts = [_part(periods_s[at : at + AT_ONCE], pairs) for at in range(0, len(periods_s), AT_ONCE)]
    return np.concatenate([agree for agree, _ in parts]), np.concatenate([updates for _, updates in parts])


def _part(periods_s: Floats, pairs: _Pairs) -> tuple[Floats, Floats]:
    """The same for a few periods, without the pairs that are too wide for all of them."""
    near = pairs.after_s - pairs.before_s < TELLING_SHARE * periods_s.max()
    few = _Pairs(*(values[near] for values in pairs))
    shown, updates = _steps(periods_s, few, moved=True)
    ruled_out, _ = _steps(periods_s, few, moved=False)
    twice = np.cumsum(shown - ruled_out, axis=1)
    return twice[:, :BINS] + twice[:, BINS:], updates


def _steps(periods_s: Floats, pairs: _Pairs, *, moved: bool) -> tuple[Floats, Floats]:
    """Where the bins of pairs of one kind begin (1) and end (-1), over two turns; and how many pairs tell."""
    before_s, after_s = pairs.before_s[pairs.moved == moved], pairs.after_s[pairs.moved == moved]
    late_s, period_s = 0.0 if moved else LATE_S, periods_s[:, None]
    low = (before_s + late_s) / period_s
    low = (low - np.floor(low)) * BINS
    high = ((after_s - late_s) - (before_s + late_s)) / period_s * BINS + low
    # An update may be in any bin that its pair touches; a pair without one rules out what it covers in full.
    first, last = (np.floor, np.ceil) if moved else (np.ceil, np.floor)
    start = first(low).astype(np.int64)
    width = np.clip(last(high).astype(np.int64) - start, 0, BINS)
    telling = (width > 0) & (after_s - before_s < TELLING_SHARE * period_s)
    begin = (start % BINS + 2 * BINS * np.arange(len(periods_s))[:, None])[telling]
    shape = (len(periods_s), 2 * BINS)
    begun = np.bincount(begin, minlength=shape[0] * shape[1])
    ended = np.bincount(begin + width[telling], minlength=shape[0] * shape[1])
    return (begun - ended).reshape(shape).astype(np.float64), telling.sum(axis=1).astype(np.float64)


def _phase(period_s: float, agree: Floats, updates: float) -> UpdateGrid:
    """Middle and width of the phases that agree best."""
    open_ = np.flatnonzero(agree >= agree.max() - max(0.5, OPEN * updates))
    turn = np.angle(np.exp(2j * np.pi * (open_ + 0.5) / BINS).sum()) / (2 * np.pi) % 1.0
    u_s = max(SHARPEST_S, len(open_) / 2 / BINS * period_s / np.sqrt(3))
    return UpdateGrid(float(turn * period_s), float(period_s), float(u_s))


GUARD_SHARE, GUARD_S = 0.15, 0.003
"""A sample this near to an update may have seen either value."""


def updates(t_s: Floats, energy_j: Floats, grid: UpdateGrid) -> tuple[Floats, Floats]:
    """Moments of updates and the joules counted then.

    Samples right beside an update are left out, and so is an update without joules: the counter is at rest.
    """
    position = (t_s - grid.phase_s) / grid.period_s
    number = np.floor(position)
    guard = min(GUARD_S, GUARD_SHARE * grid.period_s) / grid.period_s
    clear = (position - number > guard) & (position - number < 1 - guard)
    numbers, first = np.unique(number[clear], return_index=True)
    joules = energy_j[clear][first]
    grown = np.diff(joules, prepend=-np.inf) > 0
    return grid.phase_s + numbers[grown] * grid.period_s, joules[grown]
