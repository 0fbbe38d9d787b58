"""Numbers as a person reads them: rounded to what their range allows."""

from __future__ import annotations

import random

import pytest

from bench.view.numbers import grouped, plus_minus, ranged, rounded


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.598, 0.116, 2.69, "0.60 (0.1 to 2.7)"),
        (1477.3, 1209.0, 2024.0, "1,500 (1,200 to 2,000)"),
        (617.4, 406.5, 1022.1, "620 (410 to 1,020)"),
        (29626.0, 10066.0, 60249.0, "30,000 (10,000 to 60,000)"),
        (412.4, 406.0, 418.8, "412 (406 to 419)"),
        (412.4, 412.4, 412.4, "412"),
        (412.43, 412.42, 412.44, "412.430 (412.420 to 412.440)"),
    ],
)
def test_a_range_decides_the_digits(value: float, low: float, high: float, text: str) -> None:
    assert ranged(value, low, high) == text


@pytest.mark.parametrize(
    ("value", "text"), [(999.4, "999"), (1000.0, "1,000"), (0.0312, "0.0312"), (0.0, "0.0")]
)
def test_thousands_are_set_apart(value: float, text: str) -> None:
    assert grouped(value) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (412.3, 406.0, 418.0, "412 ± 6"),
        (412.3, 387.0, 437.0, "412 ± 25"),
        (303.6, 300.5, 306.7, "303.6 ± 3.1"),
        (41234.0, 38734.0, 43734.0, "41,200 ± 2,500"),
        (9.97, 8.99, 10.95, "10.0 ± 1.0"),  # 0.98 is 1.0, with two digits
        (14.0, 0.02, 1000.0, "14 ± 500"),
        (3.0, None, None, "3.00 ± ?"),
        (0.0, -0.5, 0.5, "0 ± 0.5"),
    ],
)
def test_half_an_interval_decides_the_digits(
    value: float, low: float | None, high: float | None, text: str
) -> None:
    assert plus_minus(value, low, high) == text


def test_rounding_hides_at_most_a_seventh_of_half_the_interval() -> None:
    draws = random.Random(1)
    for _ in range(5000):
        value, relative = 10 ** draws.uniform(-3, 6), 10 ** draws.uniform(-3, 1)
        half, lean = value * relative, draws.random()
        low = value - 2 * half * lean
        shown = float(rounded(value, low, low + 2 * half).value.replace(",", ""))
        assert abs(shown - value) <= half / 7, (value, half)


def test_a_value_just_below_a_thousand_has_its_comma() -> None:
    assert ranged(999.9, 899.0, 1100.0) == "1,000 (900 to 1,100)"
