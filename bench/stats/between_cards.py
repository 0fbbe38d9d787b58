"""Standard deviation between like cards beyond the uncertainty of each one's own measurement.

    found = between_cards([300.0, 312.0, 291.0], [1.1, 0.9, 1.2])
    found.value, found.low, found.high          # 0.035, 0.018, 0.22: relative, 95 %

Each card's figure is taken to be its model's, times a deviation of the card, times the error of its
measurement; all on logarithms. The estimate is that of Paule and Mandel (1982): the spread with which the
weighted sum of squares is the number of cards less one. The interval is the Q profile (Viechtbauer 2007):
every spread whose sum of squares is within the central 95 % of chi-squared. It includes 0 where the
measurements alone explain the differences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import UsageError
from bench.stats.figures import CONFIDENCE

FEWEST_CARDS = 2
WIDEST = 64.0
"""Largest spread that is looked for, on logarithms: beyond any floating-point ratio of interest."""
HALVINGS = 80
"""Of `WIDEST`: 5e-23 is left, far below the uncertainty of any measurement."""


@dataclass(frozen=True)
class BetweenCards:
    """Relative standard deviation between cards with its 95 % interval, and the number of cards."""

    value: float
    low: float
    high: float
    cards: int


def between_cards(
    values: Sequence[float],
    uncertainties: Sequence[float],
    dofs: Sequence[float] | None = None,
) -> BetweenCards:
    """Spread of positive values whose standard uncertainties are known. Raises UsageError below two cards.

    `dofs` are the degrees of freedom of the uncertainties: one of few is widened to the standard deviation
    of Student's t, else cards without any spread would seem to have one.
    """
    if len(values) < FEWEST_CARDS:
        raise UsageError("One card has no spread between cards.", "Add records of another card of its model.")
    logs = [math.log(value) for value in values]
    known = dofs or [math.inf] * len(values)
    errors2 = [
        (u / value) ** 2 * _widened(dof) for value, u, dof in zip(values, uncertainties, known, strict=True)
    ]
    free = len(values) - 1
    return BetweenCards(
        value=_spread(logs, errors2, free),
        low=_spread(logs, errors2, _chi_squared((1 + CONFIDENCE) / 2, free)),
        high=_spread(logs, errors2, _chi_squared((1 - CONFIDENCE) / 2, free)),
        cards=len(values),
    )


def _widened(dof: float) -> float:
    """Variance of Student's t over that of the normal; of 2 degrees or fewer, which have none, as of 3."""
    return 1.0 if math.isinf(dof) else max(dof, 3.0) / (max(dof, 3.0) - 2)


def _chi_squared(share: float, free: int) -> float:
    """Quantile of chi-squared below which `share` of it is."""
    from scipy.special import chdtri  # scipy.stats would cost a second of start-up

    return float(chdtri(free, 1 - share))


def _sum_of_squares(logs: Sequence[float], errors2: Sequence[float], spread2: float) -> float:
    """Weighted squares about the weighted mean, if cards differ by that spread; falls as it grows."""
    weights = [1 / (error2 + spread2) for error2 in errors2]
    mean = math.fsum(w * x for w, x in zip(weights, logs, strict=True)) / math.fsum(weights)
    return math.fsum(w * (x - mean) ** 2 for w, x in zip(weights, logs, strict=True))


def _spread(logs: Sequence[float], errors2: Sequence[float], target: float) -> float:
    """Spread at which the sum of squares is the target; 0 where it is below that without any."""
    if len(set(logs)) == 1:
        return 0.0
    if min(errors2) > 0 and _sum_of_squares(logs, errors2, 0.0) <= target:
        return 0.0
    low, high = 0.0, WIDEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _sum_of_squares(logs, errors2, middle**2) > target:
            low = middle
        else:
            high = middle
    return high
