"""The arithmetic of a budget: against the GUM's own examples, tables of Student's t, and by hand."""

from __future__ import annotations

import math

import pytest

from bench.stats.budget.gum import Term, combine, coverage_factor, expansion, lag1, rectangular, widening


def test_the_gums_end_gauge_comes_out_as_published() -> None:
    """JCGM 100, H.1: 25, 9.7, 2.9 and 16.6 nm make 32 nm, 16 degrees of freedom, and 93 nm at 99 %."""
    found = combine([Term(25.0, 18), Term(9.7, 25.6), Term(2.9, 50), Term(16.6, 2)])
    assert round(found.standard) == 32
    assert found.standard == pytest.approx(math.sqrt(25**2 + 9.7**2 + 2.9**2 + 16.6**2))
    assert math.floor(found.dof) == 16
    factor = coverage_factor(math.floor(found.dof), 0.99)
    assert factor == pytest.approx(2.92, abs=0.005)
    assert round(factor * 32) == 93


def test_the_gums_end_gauge_comes_out_as_in_the_gum_tree_calculator() -> None:
    """GTC 1.5.1 of the Measurement Standards Laboratory of New Zealand, same inputs."""
    found = combine([Term(25.0, 18), Term(9.7, 25.6), Term(2.9, 50), Term(16.6, 2)])
    assert found.standard == pytest.approx(31.67112249352713, rel=1e-12)
    assert found.dof == pytest.approx(16.76455398091716, rel=1e-12)
    assert coverage_factor(found.dof, 0.99) == pytest.approx(2.903271296456451, rel=1e-9)


def test_a_budget_with_infinite_degrees_of_freedom_comes_out_as_in_the_gum_tree_calculator() -> None:
    """412 J ± 1.82 J of 4 degrees of freedom, gain ±5 %, offset ±2.45 %, half a tick of 1.37 J."""
    gain, offset, tick = 412 * 0.05, 412 * 0.0245, 1.37 * 0.5
    found = combine([Term(1.82, 4), *(Term(rectangular(half)) for half in (gain, offset, tick))])
    assert found.standard == pytest.approx(13.374792970360327, rel=1e-12)
    assert found.dof == pytest.approx(11666.019886980892, rel=1e-9)
    assert coverage_factor(found.dof, 0.95) == pytest.approx(1.9601673540880171, rel=1e-9)


def test_one_term_keeps_its_own_degrees_of_freedom() -> None:
    assert combine([Term(2.0, 4)]) == combine([Term(2.0, 4), Term(0.0)])
    assert combine([Term(2.0, 4)]).dof == pytest.approx(4)


@pytest.mark.parametrize("terms", [[], [Term(0.0)], [Term(0.0, 4)]])
def test_nothing_uncertain_is_a_zero_with_infinite_degrees_of_freedom(terms: list[Term]) -> None:
    assert combine(terms).standard == 0
    assert math.isinf(combine(terms).dof)


def test_terms_too_large_to_square_are_still_added() -> None:
    found = combine([Term(3e200, 5), Term(4e200)])
    assert found.standard == pytest.approx(5e200)
    assert found.dof == pytest.approx(5 / 0.6**4)


@pytest.mark.parametrize(
    ("dof", "factor"), [(1, 12.71), (4, 2.776), (8, 2.306), (50, 2.009), (math.inf, 1.960)]
)
def test_the_coverage_factor_is_that_of_the_tables(dof: float, factor: float) -> None:
    assert coverage_factor(dof, 0.95) == pytest.approx(factor, abs=0.005)


def test_a_further_error_never_makes_an_interval_narrower() -> None:
    """Ballico's case: 2 degrees of freedom, and a second term without error of its own beside it."""
    alone, factor = expansion([Term(1.0, 2)], 0.95)
    assert factor * alone.standard == pytest.approx(4.302653)
    both = combine([Term(1.0, 2), Term(0.6)])
    assert coverage_factor(both.dof, 0.95) * both.standard < 4.2, "what the formula by itself gives"
    kept, factor = expansion([Term(1.0, 2), Term(0.6)], 0.95)
    assert kept == both
    assert factor * kept.standard == pytest.approx(4.302653)


def test_nothing_uncertain_has_the_factor_of_the_normal_distribution() -> None:
    assert expansion([], 0.95)[1] == pytest.approx(1.959964)
    assert expansion([Term(0.0, 4)], 0.95)[1] == pytest.approx(1.959964)


def test_the_standard_uncertainty_of_a_rectangle_is_its_half_width_over_root_three() -> None:
    assert rectangular(0.05) == pytest.approx(0.0288675)


def test_lag_1_worked_out_by_hand() -> None:
    """1 2 3 4: off the mean −1.5 −0.5 0.5 1.5; products 0.75 − 0.25 + 0.75 over squares 5."""
    assert lag1([1.0, 2.0, 3.0, 4.0]) == pytest.approx(0.25)
    assert lag1([1.0, -1.0, 1.0, -1.0]) == pytest.approx(-0.75)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [3.0] * 9, [0.1 + 0.2, 0.3, 0.3]])
def test_too_few_or_equal_values_have_no_lag_1(values: list[float]) -> None:
    assert lag1(values) is None


@pytest.mark.parametrize(
    ("correlation", "n", "factor"),
    [
        (0.8, 9, 3.0),
        (0.8, 8, 3.0),
        (0.8, 7, 1.0),
        (0.6, 9, 1.0),
        (0.6, 16, 2.0),
        (-0.8, 16, 1.0),
        (None, 16, 1.0),
    ],
)
def test_an_autocorrelation_widens_only_where_it_is_told_apart(
    correlation: float | None, n: int, factor: float
) -> None:
    assert widening(correlation, n) == pytest.approx(factor)
