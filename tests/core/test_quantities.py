"""Units that cannot be mixed, and ranges that hold every value their inputs can take."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bench.core.quantities import (
    Grams,
    Joules,
    Litres,
    Money,
    Quantity,
    Range,
    Seconds,
    UnitError,
    WattHours,
)

UNITS: tuple[type[Quantity], ...] = (Joules, WattHours, Grams, Litres, Money, Seconds)
PAIRS = [(one, other) for one in UNITS for other in UNITS if one is not other]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_different_units_are_never_added_divided_or_multiplied(
    one: type[Quantity], other: type[Quantity]
) -> None:
    mine: Any = one.of(1.0)
    theirs: Any = other.of(1.0)
    with pytest.raises(UnitError, match="cannot be added to"):
        mine + theirs
    with pytest.raises(UnitError, match="cannot be divided by"):
        mine / theirs
    with pytest.raises(UnitError, match="cannot be multiplied by"):
        mine * theirs


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_does_not_mix_with_bare_numbers(unit: type[Quantity]) -> None:
    mine: Any = unit.of(1.0)
    with pytest.raises(UnitError):
        mine + 1.0
    assert (unit.of(1.0) * 2).value == 2.0


def test_mypy_refuses_them_too() -> None:
    """The comments below are errors of the type checker themselves if it accepts the lines."""
    with pytest.raises(UnitError):
        WattHours.of(1.0) + Grams.of(1.0)  # type: ignore[operator]
    with pytest.raises(UnitError):
        WattHours.of(1.0) * Grams.of(1.0)  # type: ignore[operator]


def test_joules_become_watt_hours() -> None:
    found = Joules.of(7200.0, 3600.0, 10800.0).wh()
    assert (found.value, found.low, found.high) == (2.0, 1.0, 3.0)


def test_a_ratio_of_like_quantities_is_a_number_with_a_range() -> None:
    ratio = Grams.of(100.0, 90.0, 110.0) / Grams.of(2.0, 1.0, 4.0)
    assert (ratio.value, ratio.low, ratio.high) == (50.0, 22.5, 110.0)


@pytest.mark.parametrize("seed", range(20))
def test_the_range_of_a_chain_holds_every_value_of_its_inputs(seed: int) -> None:
    """a × b / c + d, with inputs of either sign (a divisor keeps its own): drawn values stay inside."""
    draw = random.Random(seed)

    def some(least: float, most: float) -> Range:
        low, value, high = sorted(draw.uniform(least, most) for _ in range(3))
        return Range(value, low, high)

    a, b, c, d = some(-5, 5), some(-5, 5), some(0.1, 5), some(-5, 5)
    found = a * b / c + d
    for _ in range(200):
        x, y, z, w = (draw.uniform(one.low, one.high) for one in (a, b, c, d))
        assert found.low - 1e-9 <= x * y / z + w <= found.high + 1e-9
    corners = [x * y / z + w for x in ends(a) for y in ends(b) for z in ends(c) for w in ends(d)]
    assert (found.low, found.high) == pytest.approx((min(corners), max(corners)))


def ends(found: Range) -> tuple[float, float]:
    """Both ends."""
    return found.low, found.high


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [(1.0, 2.0, 3.0), (4.0, 2.0, 3.0), (float("nan"), 0.0, 1.0), (1.0, 0.0, float("inf"))],
)
def test_what_is_no_range_is_refused(value: float, low: float, high: float) -> None:
    with pytest.raises(ValueError, match=r"is outside|is not finite"):
        Range(value, low, high)


def test_nothing_is_divided_by_a_range_that_holds_zero() -> None:
    with pytest.raises(ZeroDivisionError, match="contains 0"):
        Range.of(1.0) / Range(1.0, -1.0, 2.0)
