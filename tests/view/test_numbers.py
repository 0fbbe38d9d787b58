"""Numbers as a person reads them: rounded to what their range allows."""

from __future__ import annotations

import pytest

from bench.view.numbers import grouped, ranged


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.598, 0.116, 2.69, "0.6 (0.1 to 3)"),
        (1477.3, 1209.0, 2024.0, "1,500 (1,200 to 2,000)"),
        (617.4, 406.5, 1022.1, "620 (410 to 1,000)"),
        (29626.0, 10066.0, 60249.0, "30,000 (10,000 to 60,000)"),
        (412.4, 406.0, 418.8, "412 (406 to 419)"),
        (412.4, 412.4, 412.4, "412"),
        (412.43, 412.42, 412.44, "412.4 (412.4 to 412.4)"),
    ],
)
def test_a_range_decides_the_digits(value: float, low: float, high: float, text: str) -> None:
    assert ranged(value, low, high) == text


@pytest.mark.parametrize(
    ("value", "text"), [(999.4, "999"), (1000.0, "1,000"), (0.0312, "0.0312"), (0.0, "0.0")]
)
def test_thousands_are_set_apart(value: float, text: str) -> None:
    assert grouped(value) == text
