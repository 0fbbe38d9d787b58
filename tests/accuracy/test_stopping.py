"""Repeats that end at a narrow interval keep what it promises, over every spread and target of a run."""

from __future__ import annotations

from statistics import fmean

from bench.runner.stopping import guard
from tests.accuracy.stopping import at_once, shares

CASES = 4000
"""The standard error of one share is then 0.35 points."""


def test_the_interval_holds_the_truth_as_often_as_it_says_where_blocks_are_independent() -> None:
    alone = [share for share in shares(CASES, guard) if share.follows == 0]
    assert 0.935 <= fmean(share.held for share in alone) <= 0.965
    assert all(0.92 <= share.held <= 0.97 for share in alone)
    first = [share for share in shares(CASES, at_once) if share.follows == 0]
    assert min(share.held for share in first) < min(share.held for share in alone)


def test_blocks_spread_by_one_percent_reach_two_percent_in_about_six() -> None:
    found = {(share.spread, share.target): share for share in shares(CASES, guard) if share.follows == 0}
    assert 5.0 < found[0.01, 0.02].blocks < 6.5
    assert 8.0 < found[0.01, 0.01].blocks < 10.0


def test_blocks_that_follow_each_other_are_held_less_often_and_no_rule_of_stopping_mends_that() -> None:
    """Which is why drift must be waited for, and why the budget widens from eight blocks on."""
    for rule in (guard, at_once):
        following = fmean(share.held for share in shares(CASES, rule) if share.follows > 0)
        assert 0.80 < following < 0.90
