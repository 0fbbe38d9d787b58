"""Distributions: their draws against their closed forms, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.errors import UsageError
from bench.footprint.scenarios.distributions import DistributionKind, Spread

COUNT = 40_000

SPREADS = [
    Spread.of("uniform", None, 2.0, 6.0),
    Spread.of("loguniform", None, 30.0, 1095.0),
    Spread.of("triangular", 300.0, 189.0, 371.0),
    Spread.of("triangular", 1.0, 1.0, 10.0),
    Spread.of("triangular", 10.0, 1.0, 10.0),
    Spread.of("normal", 400.0, 376.0, 424.0),
    Spread.of("lognormal", None, 0.5, 8.0),
]


@pytest.mark.parametrize("spread", SPREADS, ids=str)
def test_95_percent_of_draws_lie_in_the_interval(spread: Spread) -> None:
    """Each tail holds 2.5 %, with a standard error of 0.08 points."""
    drawn = spread.draw(np.random.default_rng(1), COUNT)
    low, high = spread.interval
    error = math.sqrt(0.025 * 0.975 / COUNT)
    assert np.mean(drawn < low) == pytest.approx(0.025, abs=4 * error)
    assert np.mean(drawn > high) == pytest.approx(0.025, abs=4 * error)
    if spread.kind not in ("normal", "lognormal"):
        assert spread.low <= drawn.min() <= drawn.max() <= spread.high


@pytest.mark.parametrize(
    ("spread", "mean"),
    [
        (SPREADS[0], 4.0),
        (SPREADS[1], (1095 - 30) / math.log(1095 / 30)),
        (SPREADS[2], (300 + 189 + 371) / 3),
        (SPREADS[5], 400.0),
        (SPREADS[6], 2.0 * math.exp((math.log(4) / 1.959964) ** 2 / 2)),
    ],
    ids=str,
)
def test_the_mean_of_draws_is_that_of_the_formula(spread: Spread, mean: float) -> None:
    drawn = spread.draw(np.random.default_rng(2), COUNT)
    assert drawn.mean() == pytest.approx(mean, abs=4 * drawn.std() / math.sqrt(COUNT))


def test_a_point_is_itself() -> None:
    point = Spread.of("point", 3.0, None, None)
    assert point.interval == (3.0, 3.0)
    assert set(point.draw(np.random.default_rng(0), 5)) == {3.0}


@pytest.mark.parametrize(
    ("kind", "value", "low", "high", "says"),
    [
        ("point", None, None, None, "a value and no range"),
        ("point", 1.5, 1.0, 2.0, "a value and no range"),
        ("uniform", 3.0, None, None, "a low that is below a high"),
        ("uniform", 3.0, 4.0, 2.0, "a low that is below a high"),
        ("uniform", 3.0, 2.0, 6.0, "has its value at 4"),
        ("normal", 5.9, 2.0, 6.0, "choose `triangular`"),
        ("lognormal", 4.0, 2.0, 6.0, "has its value at 3.46"),
        ("lognormal", None, 0.0, 6.0, "a low above 0"),
        ("loguniform", None, -1.0, 6.0, "a low above 0"),
        ("triangular", 7.0, 2.0, 6.0, "is outside 2 to 6"),
    ],
)
def test_what_fits_no_distribution_is_refused(
    kind: DistributionKind, value: float | None, low: float | None, high: float | None, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        Spread.of(kind, value, low, high)
