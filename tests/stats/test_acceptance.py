"""Drafts until accepted: intervals hold for known shares, also of few drafts."""

from __future__ import annotations

import math
import random

import pytest

from bench.core.figures import Estimate
from bench.stats.acceptance import AcceptedShare, attempts, per_accepted, together
from bench.stats.figures import estimate

RUNS = 400
BLOCKS, BLOCK_SPREAD = 6, 0.05


@pytest.mark.parametrize("p", [0.1, 0.4, 0.8, 0.95])
@pytest.mark.parametrize("drafts", [20, 80])
def test_intervals_hold_the_known_attempts_and_joules_in_95_percent_of_runs(p: float, drafts: int) -> None:
    """Each run draws its drafts and its blocks anew; 93 % of 400 is 1.8 standard errors below 95 %."""
    rng = random.Random(f"{p}/{drafts}")
    truth_j = 300.0 / p
    held_attempts = held_joules = 0
    for _ in range(RUNS):
        share = AcceptedShare.of(sum(rng.random() < p for _ in range(drafts)), drafts)
        a_draft = estimate([300.0 * rng.gauss(1.0, BLOCK_SPREAD) for _ in range(BLOCKS)])
        found, joules = attempts(share), per_accepted(a_draft, share)
        # Without an accepted draft there is no estimate, and the lower bound of attempts is what is shown.
        held_attempts += 1 / share.high <= 1 / p <= (1 / share.low if share.low else math.inf)
        if found is None or joules is None:
            held_joules += 1
            continue
        assert (found.low, found.high) == (1 / share.high, 1 / share.low)
        assert joules.low is not None
        assert joules.high is not None
        held_joules += joules.low <= truth_j <= joules.high
    assert held_attempts / RUNS >= 0.93
    assert held_joules / RUNS >= 0.93


def test_the_interval_of_joules_is_no_wider_than_its_two_causes_need() -> None:
    share = AcceptedShare.of(40, 80)
    known = Estimate(value=300.0, low=299.999, high=300.001, n=6)
    found = per_accepted(known, share)
    assert found is not None
    assert found.value == 600.0
    assert (found.low, found.high) == pytest.approx((300 / share.high, 300 / share.low), rel=1e-4)


def test_clopper_and_pearsons_limits_are_those_of_their_table() -> None:
    few = AcceptedShare.of(3, 10)
    assert (few.low, few.high) == pytest.approx((0.0667, 0.6525), abs=1e-4)
    none = AcceptedShare.of(0, 10)
    assert (none.low, none.high) == pytest.approx((0.0, 0.3085), abs=1e-4)
    assert attempts(none) is None
    every = AcceptedShare.of(10, 10)
    assert (every.low, every.high) == pytest.approx((0.6915, 1.0), abs=1e-4)


def test_a_draft_of_one_block_gives_joules_without_an_interval() -> None:
    found = per_accepted(Estimate(value=300.0, low=None, high=None, n=1), AcceptedShare.of(5, 10))
    assert found is not None
    assert (found.value, found.low, found.high) == (600.0, None, None)


def test_writer_and_judge_add_up_and_their_intervals_as_squares() -> None:
    writer = Estimate(value=300.0, low=297.0, high=303.0, n=6)
    judge = Estimate(value=40.0, low=36.0, high=44.0, n=5)
    both = together(writer, judge)
    assert (both.value, both.low, both.high, both.n) == (340.0, 335.0, 345.0, 5)


@pytest.mark.parametrize(("accepted", "tried"), [(1, 0), (3, 2), (-1, 4)])
def test_counts_that_cannot_be_are_refused(accepted: int, tried: int) -> None:
    with pytest.raises(ValueError, match="cannot be accepted"):
        AcceptedShare.of(accepted, tried)
