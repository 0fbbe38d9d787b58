"""Repeats that end at a narrow interval keep what it promises, over every spread and target of a run."""

from __future__ import annotations

from statistics import fmean

import numpy as np

from bench.core.energy import DomainEnergy
from bench.measurement import stopping
from scripts.accuracy.stopping import LEAST, MOST, blocks_until_narrow, shares
from tests.support.factory import GPU, block

CASES = 4000
"""The standard error of one share is then 0.35 points."""


def test_the_interval_holds_the_truth_as_often_as_it_says_where_blocks_are_independent() -> None:
    alone = [share for share in shares(CASES) if share.follows == 0]
    assert 0.935 <= fmean(share.held for share in alone) <= 0.965
    assert all(0.915 <= share.held <= 0.97 for share in alone)


def test_what_is_simulated_is_the_rule_that_runs() -> None:
    """Number of blocks by `stopping.ended_by` on real blocks, case by case."""
    rng = np.random.default_rng(5)
    for target in (0.01, 0.02):
        values = 1 + 0.02 * rng.normal(size=(40, MOST))
        for row, simulated in zip(values, blocks_until_narrow(values, target), strict=True):
            each = [
                block(energies={GPU: DomainEnergy(gross_j=300 * value, source="counter", kind="measured")})
                for value in row
            ]
            ends = (
                n
                for n in range(LEAST, MOST + 1)
                if stopping.ended_by(each[:n], 0.0, stopping.StopLimits(target, 1e9, LEAST))
            )
            assert next(ends, MOST) == simulated


def test_blocks_spread_by_one_percent_reach_two_percent_in_five() -> None:
    found = {(share.spread, share.target): share for share in shares(CASES) if share.follows == 0}
    assert 5.0 <= found[0.01, 0.02].blocks < 5.3
    assert 6.0 < found[0.01, 0.01].blocks < 7.5


def test_blocks_that_follow_each_other_are_held_less_often() -> None:
    """Which is why drift must be waited for, and why the budget widens from eight blocks on."""
    following = fmean(share.held for share in shares(CASES) if share.follows > 0)
    assert 0.80 < following < 0.90
