"""Ratios, intervals and p-values against scipy's and against simulated truth."""

from __future__ import annotations

import math
import random
from statistics import fmean

import pytest
from scipy import stats

from bench.stats import ratio
from bench.stats.budget.gum import Term


def blocks(mean: float, spread: float, n: int, chance: random.Random) -> list[float]:
    """Block values that spread relatively."""
    return [mean * math.exp(chance.gauss(0, spread)) for _ in range(n)]


def test_welch_is_scipys_on_logarithms() -> None:
    chance = random.Random(3)
    a, b = blocks(300, 0.01, 6, chance), blocks(310, 0.012, 7, chance)
    ours = ratio.ratio(a, b)
    theirs = stats.ttest_ind([math.log(v) for v in b], [math.log(v) for v in a], equal_var=False)
    interval = theirs.confidence_interval(0.95)
    assert ours.method == "Welch t"
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert (ours.low, ours.high) == pytest.approx((math.exp(interval.low), math.exp(interval.high)), rel=1e-9)
    assert ours.n == (6, 7)


def test_an_unsteady_run_says_little_of_the_next() -> None:
    """Two runs of one case as a machine with neighbours measured them, J a page."""
    a, b = [24.1, 32.5, 13.5, 12.6, 11.2], [7.4, 6.9, 7.4, 8.2, 7.7]
    alone = stats.ttest_ind([math.log(v) for v in b], [math.log(v) for v in a], equal_var=False)
    assert alone.pvalue < 0.05
    found = ratio.ratio(a, b)
    assert found.unsteady
    assert found.p is not None
    assert found.p > 0.05
    assert not ratio.ratio([300, 301, 299, 300.5], [301, 302, 300, 301.5]).unsteady


@pytest.mark.parametrize("spread", [0.05, 0.3])
def test_disturbed_runs_of_one_case_are_seldom_told_apart(spread: float) -> None:
    """Means of runs shift as much as blocks spread."""
    chance, told, cases = random.Random(13), 0, 400

    def one_run() -> list[float]:
        return blocks(300 * math.exp(chance.gauss(0, spread)), spread, 5, chance)

    for _ in range(cases):
        found = ratio.ratio(one_run(), one_run())
        assert found.p is not None
        told += found.p < 0.05
    assert told / cases <= 0.07


def test_paired_is_scipys_one_sample_test() -> None:
    logs = [0.01, 0.03, 0.02, 0.025, 0.001, 0.018]
    ours, theirs = ratio.paired(logs), stats.ttest_1samp(logs, 0)
    interval = theirs.confidence_interval(0.95)
    assert ours.value == pytest.approx(math.exp(fmean(logs)))
    assert ours.p == pytest.approx(theirs.pvalue)
    assert (ours.low, ours.high) == pytest.approx((math.exp(interval.low), math.exp(interval.high)))


def test_a_block_far_out_among_enough_is_judged_by_ranks() -> None:
    chance = random.Random(5)
    a, b = blocks(300, 0.01, 9, chance), [*blocks(310, 0.01, 9, chance), 900.0]
    ours = ratio.ratio(a, b)
    theirs = stats.mannwhitneyu(a, b, method="asymptotic")
    assert ours.method == "Mann-Whitney"
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6)
    assert ours.low is not None
    assert ours.high is not None
    assert 1.0 < ours.low < 310 / 300 < ours.high < 1.06, "one block of 900 moves neither edge"
    assert ratio.ratio(a[:5], [*b[:4], 900.0]).method == "Welch t", "too few for ranks"


def test_the_rank_interval_holds_the_truth_as_often_as_it_says() -> None:
    chance, held, cases = random.Random(11), 0, 400
    for _ in range(cases):
        a, b = blocks(300, 0.01, 10, chance), blocks(330, 0.01, 10, chance)
        found = ratio.ratio([*a, 3000.0], b)
        assert found.method == "Mann-Whitney"
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 1.1 <= found.high
    assert held / cases >= 0.93


def test_what_no_spread_shows_widens_the_interval_and_p() -> None:
    a, b = [300.0, 301.0, 302.0, 299.0, 300.5], [306.0, 307.0, 305.0, 308.0, 306.5]
    alone, with_common = ratio.ratio(a, b), ratio.ratio(a, b, [Term(0.01), Term(0.01)])
    assert alone.p is not None
    assert alone.p < 0.001
    assert with_common.p is not None
    assert with_common.p > 0.05, "2 % against 1.4 % of standard uncertainty"
    assert with_common.low is not None
    assert with_common.low < 1 < with_common.value


def test_p_and_interval_never_disagree() -> None:
    chance = random.Random(17)
    for _ in range(300):
        n, m = chance.randint(2, 7), chance.randint(2, 7)
        a, b = blocks(300, 0.02, n, chance), blocks(306, chance.choice([0.001, 0.05]), m, chance)
        found = ratio.ratio(a, b, [Term(0.002)])
        assert found.p is not None
        assert found.low is not None
        assert found.high is not None
        assert (found.p < 0.05) == (not found.low <= 1 <= found.high)


def test_one_block_gives_a_ratio_and_no_interval() -> None:
    found = ratio.ratio([300.0], [330.0, 331.0])
    assert found.value == pytest.approx(1.1, rel=0.01)
    assert (found.low, found.high, found.p) == (None, None, None)
    assert ratio.paired([0.1]).low is None


def test_equal_blocks_without_spread_differ_by_nothing_or_for_certain() -> None:
    assert ratio.ratio([2.0, 2.0], [2.0, 2.0]).p == 1.0
    assert ratio.ratio([2.0, 2.0], [3.0, 3.0]).p == 0.0


def test_holm_is_the_textbooks() -> None:
    assert ratio.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert ratio.holm([0.9, 0.8]) == [1.0, 1.0]
    assert ratio.holm([]) == []
