"""Numbers as a person reads them: rounded to what their range allows."""

from __future__ import annotations

import random

import pytest

from bench.view.numbers import by_share, grouped, p_value, plus_minus, ranged, rounded


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


def test_no_end_is_rounded_to_the_other_side_of_the_value() -> None:
    assert ranged(3600, 3550, 12_000) == "3,600 (3,600 to 12,000)"
    assert ranged(0.6, 0.11, 2.7) == "0.60 (0.1 to 2.7)"
    chance = random.Random(1)
    for _ in range(5000):
        low = chance.uniform(0.1, 100)
        value, high = low * chance.uniform(1, 2), low * chance.uniform(2, 50)
        found = rounded(value, low, high)
        texts = (float(text.replace(",", "")) for text in found[:3])
        assert sorted(texts) == [
            float(text.replace(",", "")) for text in (found.low, found.value, found.high)
        ]


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "<0.001"),
        (0.00099, "<0.001"),
        (0.001, "0.0010"),
        (0.0123, "0.012"),
        (0.6036, "0.60"),
        (1, "1.0"),
    ],
)
def test_a_p_value_has_two_digits(p: float, text: str) -> None:
    assert p_value(p) == text
    assert p_value(0.9949) == "0.99"
    assert p_value(0.9951) == "1.0"


def test_a_share_of_a_value_decides_its_digits() -> None:
    assert [by_share(412.34, half) for half in (None, 0.0001, 0.001, 0.01)] == [
        "412",
        "412.34",
        "412.3",
        "412",
    ]
    assert by_share(None, 0.01) == "—"
