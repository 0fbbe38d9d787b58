"""Cards beside the work: their power together, whether something ran on them, and why it is not known."""

from __future__ import annotations

from typing import Any

import pytest

from bench.core.block import Block
from bench.stats.neighbours import neighbour_figures
from tests.support.factory import block


def beside(seconds: float = 30.0, **cards: dict[str, Any]) -> Block:
    return block(seconds=seconds, observed={"neighbours": cards})


IDLE: dict[str, Any] = {"energy_j": 1800.0, "source": "counter", "utilisation_percent": 0.0}


def test_power_is_that_of_all_of_them_over_the_whole_window() -> None:
    blocks = [beside(a=IDLE, b=IDLE | {"energy_j": 1200.0}), beside(60.0, a=IDLE, b=IDLE)]
    warmup = block(warmup=True, observed={"neighbours": {"a": IDLE | {"energy_j": 1e9}}})
    found = neighbour_figures([warmup, *blocks])
    assert found is not None
    assert (found.cards, found.busy, found.reason) == (2, 0, None)
    assert found.power_w is not None
    assert found.power_w.value == pytest.approx((100.0 + 60.0) / 2)
    assert found.power_w.n == 2


def test_without_neighbours_there_is_no_figure() -> None:
    assert neighbour_figures([block()]) is None
    assert neighbour_figures([]) is None


@pytest.mark.parametrize(("percent", "busy"), [(1.0, 0), (40.0, 1), (None, None)])
def test_a_card_on_which_something_ran_is_not_idle(percent: float | None, busy: int | None) -> None:
    found = neighbour_figures([beside(a=IDLE, b=IDLE | {"utilisation_percent": percent})])
    assert found is not None
    assert found.busy == busy


def test_cards_of_other_cases_of_the_run_are_left_out() -> None:
    used = {"energy_j": 9000.0, "source": "counter", "utilisation_percent": 90.0, "used_by": "another"}
    found = neighbour_figures([beside(a=IDLE, b=used), beside(a=IDLE, b=IDLE)])
    assert found is not None
    assert (found.cards, found.busy, found.of_other_cases) == (1, 0, 1)
    assert found.power_w is not None
    assert found.power_w.value == pytest.approx(60.0), "of the other card alone"
    none_left = neighbour_figures([beside(b=used)])
    assert none_left is not None
    assert (none_left.cards, none_left.power_w, none_left.of_other_cases) == (0, None, 1)
    assert none_left.reason == "other cases of this run were at work on all of them"


def test_a_card_without_a_reading_makes_the_sum_absent_with_its_reason() -> None:
    lost = IDLE | {"energy_j": None, "reason": "the card is lost"}
    found = neighbour_figures([beside(a=IDLE, b=IDLE), beside(a=IDLE, b=lost)])
    assert found is not None
    assert (found.power_w, found.reason) == (None, "b: the card is lost")
    gone = neighbour_figures([beside(a=IDLE, b=IDLE), beside(a=IDLE)])
    assert gone is not None
    assert (gone.power_w, gone.reason) == (None, "b: no reading")
