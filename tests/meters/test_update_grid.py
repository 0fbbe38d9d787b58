"""The grid of a counter's updates, from samples as the recorder takes them around a window."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.meters import edges, sampling, update_grid
from bench.meters.update_grid import fit
from tests.support.metering import sampled_s

WINDOWS = 20
SECONDS = 1.0
STAMPED_S = 0.0005
"""A reading is stamped up to this long before the counter is read."""


def samples_s(tick_s: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """When samples within 2.5 s of a start were stamped, and when they were read."""
    room_s = edges.room_s(tick_s)
    read_s = np.sort(
        np.concatenate(
            [
                sampled_s(-4.0, 4.0, sampling.FAST_HZ, rng),
                sampled_s(-room_s, min(edges.FAST_PAST_START_S, SECONDS), sampling.EDGE_HZ, rng),
                sampled_s(SECONDS, SECONDS + room_s, sampling.EDGE_HZ, rng),
            ]
        )
    )
    stamps_s = np.sort(read_s - rng.uniform(0, STAMPED_S, len(read_s)))
    near = np.abs(stamps_s) <= edges.SPANS_S[0]
    return stamps_s[near], read_s[near]


def off_s(tick_s: float, seed: int) -> float:
    """By how much a window's grid misses the updates, in seconds."""
    rng = np.random.default_rng(seed)
    phase_s = rng.uniform(0, tick_s)
    stamps_s, read_s = samples_s(tick_s, rng)
    grid = fit(stamps_s, 20.0 * np.floor((read_s - phase_s) / tick_s))
    assert grid is not None
    assert grid.period_s == pytest.approx(tick_s, rel=0.01)
    return grid.phase_s + round((phase_s - grid.phase_s) / grid.period_s) * grid.period_s - phase_s


@pytest.mark.parametrize(("tick_s", "limit_s"), [(0.02, 0.0006), (0.1, 0.0006), (0.5, 0.0013)])
def test_updates_are_known_within_a_millisecond(tick_s: float, limit_s: float) -> None:
    found_s = [off_s(tick_s, seed) for seed in range(WINDOWS)]
    assert math.sqrt(np.mean(np.square(found_s))) < limit_s


@pytest.mark.parametrize("seed", [35, 40])
def test_a_slow_counter_has_a_grid_where_samples_beside_its_updates_are_dense(seed: int) -> None:
    """A pair of samples without an update, 6 ms wide, rules out no more than it covers."""
    assert abs(off_s(0.6, seed)) < 0.005


def agreement_of(period_s: float, pairs: update_grid._Pairs) -> tuple[list[int], int]:
    """What a period explains, pair by pair and bin by bin, as the module's head says it."""
    agree, updates = [0] * update_grid.BINS, 0
    for before_s, after_s, moved in zip(*pairs, strict=True):
        late_s = 0.0 if moved else update_grid.LATE_S
        low = (before_s + late_s) / period_s % 1.0 * update_grid.BINS
        high = low + (after_s - before_s - 2 * late_s) / period_s * update_grid.BINS
        first, last = (math.floor(low), math.ceil(high)) if moved else (math.ceil(low), math.floor(high))
        if after_s - before_s < update_grid.TELLING_SHARE * period_s and last > first:
            updates += bool(moved)
            for bin_ in range(first, min(last, first + update_grid.BINS)):
                agree[bin_ % update_grid.BINS] += 1 if moved else -1
    return agree, updates


@pytest.mark.parametrize("tick_s", [0.02, 0.1])
def test_what_periods_explain_is_what_each_pair_says_of_each_phase(tick_s: float) -> None:
    """Also where more periods are tried than are tried together, and where pairs are too wide for some."""
    rng = np.random.default_rng(4)
    stamps_s, read_s = samples_s(tick_s, rng)
    moved = np.diff(np.floor(read_s / tick_s)) > 0
    pairs = update_grid._Pairs(stamps_s[:-1], stamps_s[1:], moved)
    periods_s = np.geomspace(0.008, 0.6, update_grid.AT_ONCE + 12)
    agree, updates = update_grid._agreement(periods_s, pairs)
    assert agree.shape == (len(periods_s), update_grid.BINS)
    for number in (0, 70, update_grid.AT_ONCE - 1, update_grid.AT_ONCE, len(periods_s) - 1):
        assert (list(agree[number]), updates[number]) == agreement_of(float(periods_s[number]), pairs)
