"""Spread between like cards: planted ones are found, and the interval covers them as often as it states."""

from __future__ import annotations

import math
import random
from statistics import fmean, median, stdev

import pytest
from scipy.stats import binom

from bench.errors import UsageError
from bench.stats.between_cards import BetweenCards, between_cards

TRIALS, BLOCKS, NOISE = 300, 6, 0.01


def simulated(chance: random.Random, cards: int, spread: float) -> BetweenCards:
    """Cards of one model, each with six blocks that spread by 1 %."""
    means, errors = [], []
    for _ in range(cards):
        truth = 300 * math.exp(chance.gauss(0, spread))
        blocks = [truth * (1 + chance.gauss(0, NOISE)) for _ in range(BLOCKS)]
        means.append(fmean(blocks))
        errors.append(stdev(blocks) / math.sqrt(BLOCKS))
    return between_cards(means, errors, [BLOCKS - 1.0] * cards)


@pytest.mark.parametrize("cards", [2, 4, 12])
@pytest.mark.parametrize("spread", [0.0, 0.03, 0.10])
def test_the_interval_covers_a_planted_spread(cards: int, spread: float) -> None:
    chance = random.Random(1000 * cards + round(1000 * spread))
    found = [simulated(chance, cards, spread) for _ in range(TRIALS)]
    covered = sum(each.low <= spread <= each.high for each in found)
    assert covered >= binom.ppf(1e-4, TRIALS, 0.95), covered / TRIALS
    if spread > 0:
        assert covered <= binom.ppf(1 - 1e-4, TRIALS, 0.95), "an interval that always covers is too wide"
    if spread > 0 and cards == 12:
        assert median(each.value for each in found) == pytest.approx(spread, rel=0.1)


def test_the_uncertainty_of_each_card_is_taken_out() -> None:
    """The plain standard deviation of measurements that are 2 % uncertain takes that for the cards'."""
    chance, plain, corrected = random.Random(5), [], []
    for _ in range(TRIALS):
        values = [300 * math.exp(chance.gauss(0, 0.01)) * (1 + chance.gauss(0, 0.02)) for _ in range(12)]
        plain.append(stdev(map(math.log, values)))
        corrected.append(between_cards(values, [0.02 * value for value in values]).value)
    assert fmean(each**2 for each in plain) == pytest.approx(0.01**2 + 0.02**2, rel=0.1)
    assert fmean(each**2 for each in corrected) == pytest.approx(0.01**2, rel=0.35)


def test_measurements_without_uncertainty_give_the_plain_standard_deviation() -> None:
    values = [300.0, 312.0, 291.0]
    assert between_cards(values, [0.0] * 3).value == pytest.approx(stdev(map(math.log, values)), rel=1e-9)
    assert between_cards([300.0, 300.0], [0.0, 0.0]) == BetweenCards(0.0, 0.0, 0.0, 2)


def test_one_card_has_no_spread() -> None:
    with pytest.raises(UsageError, match="One card has no spread"):
        between_cards([300.0], [1.0])
