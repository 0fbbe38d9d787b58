"""The interval of a figure: by hand, by simulation, and where there is too little for one."""

from __future__ import annotations

import random

import pytest

from bench.core.figures import Estimate
from bench.stats.figures import estimate


def test_three_values_give_the_interval_worked_out_by_hand() -> None:
    """Mean 12, standard deviation 2, t of 2 degrees of freedom 4.30265: 12 ± 4.30265 × 2 / √3."""
    found = estimate([10.0, 12.0, 14.0])
    assert (found.value, found.n) == (12.0, 3)
    assert found.low == pytest.approx(12.0 - 4.968275, abs=1e-5)
    assert found.high == pytest.approx(12.0 + 4.968275, abs=1e-5)
    assert found.relative_half_width == pytest.approx(0.4140229, abs=1e-6)


def test_five_values_give_the_interval_worked_out_by_hand() -> None:
    """Mean 300, standard deviation √62.5, t of 4 degrees of freedom 2.776445: ± 9.816215."""
    found = estimate([290.0, 295.0, 300.0, 305.0, 310.0])
    assert found.value == 300.0
    assert found.low == pytest.approx(290.183785)
    assert found.high == pytest.approx(309.816215)


@pytest.mark.parametrize("blocks", [5, 12])
def test_the_interval_holds_the_truth_as_often_as_it_says(blocks: int) -> None:
    """95 % of 4000 simulated figures, give or take three standard errors of that share."""
    chance = random.Random(3732)
    rounds = 4000
    hits = 0
    for _ in range(rounds):
        found = estimate([chance.gauss(412.0, 9.0) for _ in range(blocks)])
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 412.0 <= found.high
    assert hits / rounds == pytest.approx(0.95, abs=0.0104)


def test_equal_values_have_an_interval_of_no_width() -> None:
    assert estimate([3.0] * 5) == Estimate(value=3.0, low=3.0, high=3.0, n=5)


def test_one_value_has_no_interval() -> None:
    found = estimate([42.0])
    assert found == Estimate(value=42.0, low=None, high=None, n=1)
    assert found.relative_half_width is None


def test_no_value_has_no_mean() -> None:
    with pytest.raises(ValueError, match="at least one"):
        estimate([])


def test_a_figure_of_zero_has_no_relative_width() -> None:
    assert estimate([-1.0, 0.0, 1.0]).relative_half_width is None


def test_the_relative_width_of_a_negative_figure_is_positive() -> None:
    """Net joules can fall below zero where the work draws less than idle did."""
    relative = estimate([-10.0, -12.0, -14.0]).relative_half_width
    assert relative == pytest.approx(0.4140229, abs=1e-6)
