"""The ratio of two cases measured in turns, against ratios that are known."""

from __future__ import annotations

import math
import random

import pytest

from bench.core.block import Block
from bench.stats.pairs import FOURS, ratio
from tests.support.factory import block


def measured(
    order: str,
    drift: float,
    truth: float = 0.9,
    spread: float = 0.0,
    chance: random.Random | None = None,
) -> dict[str, list[Block]]:
    """Blocks of both sides while everything rises by `drift` from first to last."""
    sides: dict[str, list[Block]] = {"A": [], "B": []}
    for number, side in enumerate(order):
        joules = 300.0 * (truth if side == "B" else 1.0) * (1 + drift * number / (len(order) - 1))
        sides[side].append(block(joules * (1 + (chance.gauss(0, spread) if chance else 0))))
    return sides


def test_a_drift_falls_on_both_sides_alike() -> None:
    turns, rows = "ABBA" * 4, "A" * 8 + "B" * 8
    in_turns = measured(turns, drift=0.02)
    found = ratio(in_turns["A"], in_turns["B"], turns)
    assert found is not None
    assert found.value == pytest.approx(0.9, rel=1e-4)
    assert found.n == 8
    one_after_the_other = measured(rows, drift=0.02)
    means = [
        sum(each.energy[next(iter(each.energy))].gross_j or 0 for each in one_after_the_other[s])
        for s in "AB"
    ]
    assert means[1] / means[0] == pytest.approx(0.9 * 1.0106, rel=1e-3)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    chance, held, cases = random.Random(7), 0, 400
    for number in range(cases):
        order = "".join(side for _ in range(3) for side in chance.choice(FOURS))
        order += "ABBA" * (number % 2)
        sides = measured(order, drift=0.01, spread=0.012, chance=chance)
        found = ratio(sides["A"], sides["B"], order)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.9 <= found.high
    assert 0.92 <= held / cases <= 0.98


def test_a_pair_with_a_block_that_does_not_count_is_left_out() -> None:
    a = [block(100.0), block(100.0, valid=False), block(None)]
    b = [block(200.0), block(900.0), block(200.0)]
    found = ratio(a, b, "ABBAAB")
    assert found is not None
    assert (found.n, found.low) == (1, None)
    assert found.value == pytest.approx(2.0)
    assert ratio(a[1:], b[1:], "ABAB") is None


def test_a_half_done_four_counts_its_whole_pairs() -> None:
    found = ratio([block(100.0), block(100.0)], [block(110.0)], "ABA")
    assert found is not None
    assert found.n == 1
    assert math.log(found.value) == pytest.approx(math.log(1.1))


def test_nothing_measured_is_no_ratio() -> None:
    assert ratio([], [], "") is None
