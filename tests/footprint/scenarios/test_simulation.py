"""Draws against closed forms, and what a report says."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.distributions import Z_95
from bench.footprint.scenarios.files import bundled, find
from bench.footprint.scenarios.scenario import ratio
from bench.footprint.scenarios.simulation import LINEAR, SimulationReport, tornado
from tests.footprint.scenarios.helpers import EDITING, WHOLE, scenario
from tests.support.elsewhere import SCENARIO

DRAWS = 40_000

FACTORS = {
    "person.footprint": (10.0, 20.0),
    "person.work": (0.3, 2.4),
    "model.energy": (1200.0, 9000.0),
    "model.grid": (300.0, 500.0),
    "model.prompts": (1.0, 6.0),
}
"""Of these the ratio is a product: lognormal, if they are."""


def lognormal(folder: Path) -> SimulationReport:
    units = dict.fromkeys(FACTORS, "") | {"model.energy": "J/page host"}
    changes = (f"{key}={low}..{high} {units[key]} lognormal" for key, (low, high) in FACTORS.items())
    return SimulationReport.of(scenario(folder, SCENARIO, *changes), DRAWS, 3)


def test_the_draws_of_a_product_of_lognormals_are_lognormal(tmp_path: Path) -> None:
    """Median and 95 % range in closed form, each within 4 standard errors of its quantile."""
    found = lognormal(tmp_path).ratios["model"]
    sigma = math.sqrt(sum((math.log(high / low) / 2 / Z_95) ** 2 for low, high in FACTORS.values()))
    error = sigma * math.sqrt(math.pi / 2 / DRAWS)
    tail = sigma * math.sqrt(0.025 * 0.975 / DRAWS) / (math.exp(-(Z_95**2) / 2) / math.sqrt(2 * math.pi))
    assert math.log(found.median) == pytest.approx(math.log(found.value), abs=4 * error)
    assert math.log(found.low) == pytest.approx(math.log(found.value) - Z_95 * sigma, abs=4 * tail)
    assert math.log(found.high) == pytest.approx(math.log(found.value) + Z_95 * sigma, abs=4 * tail)


def test_the_tornado_of_a_product_is_in_the_order_of_the_inputs_own_widths(tmp_path: Path) -> None:
    bars = lognormal(tmp_path).bars
    widths = {key: high / low for key, (low, high) in FACTORS.items()}
    assert [bar.key for bar in bars] == sorted(widths, key=lambda key: -widths[key])
    for bar in bars:
        assert bar.reach == pytest.approx(widths[bar.key])


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    critics = build(find("critics"))
    first, again, other = (SimulationReport.of(critics, 2000, seed) for seed in (1, 1, 2))
    assert first == again
    assert first.ratios["model"].median != other.ratios["model"].median
    assert first.ratios["model"].value == other.ratios["model"].value


def test_changing_one_input_leaves_the_draws_of_all_others() -> None:
    draft = find("critics")
    one, two = (build(each).draws(1000, 5) for each in (draft, draft.changed("model.grid=100..900 uniform")))
    assert {key for key in one if not np.array_equal(one[key], two[key])} == {"model.grid"}


def test_draws_are_monotone_in_the_grid_one_by_one() -> None:
    """With the same draws of the rest, a dirtier grid never makes any draw better."""
    draft = find("collaboration")
    low, high = (
        SimulationReport.of(build(draft.changed(f"model.grid={grid}")), 2000, 0) for grid in (50, 900)
    )
    assert low.grams["model_g"].median < high.grams["model_g"].median
    assert low.ratios["model"].low > high.ratios["model"].low
    assert low.person_ahead["model"] <= high.person_ahead["model"]


@pytest.mark.parametrize("name", bundled())
def test_a_break_even_is_one(name: str) -> None:
    """At it both are equal; one more prompt or minute, and the person alone is ahead."""
    found = build(find(name))
    report = SimulationReport.of(found, 1000, 0)
    drafts = {("model.prompts", side) for side in found.sides}
    edited = {("editing.edit", "together")} if "together" in found.sides else set()
    assert {at for at, turn in report.turns.items() if turn is not None} == drafts | edited
    for (key, side), turn in report.turns.items():
        if key == "model.prompts":
            assert turn is not None
        if turn is not None:
            assert ratio(found.values() | {key: turn.value}, side) == pytest.approx(1.0)
            assert ratio(found.values() | {key: turn.value + 1}, side) < 1.0


def test_a_break_even_by_hand(tmp_path: Path) -> None:
    """1200 g: (1200 − 25 g/min × 14 min) / (0.6 + 25 × 1.5) prompts; (1200 − 1.2 − 25 × 7) / 25 minutes."""
    report = SimulationReport.of(scenario(tmp_path, SCENARIO + EDITING), 1000, 0)
    prompts, edit = (report.turns[key, "together"] for key in LINEAR)
    assert prompts is not None
    assert edit is not None
    assert prompts.value == pytest.approx((1200 - 25 * 14) / (0.6 + 25 * 1.5))
    assert edit.value == pytest.approx((1200 - 1.2 - 25 * 7) / 25)
    assert (prompts.low, prompts.high) == pytest.approx((prompts.value, prompts.value))
    assert report.turns["editing.edit", "model"] is None


def test_a_person_who_is_ahead_from_the_start_has_a_break_even_below_0(tmp_path: Path) -> None:
    report = SimulationReport.of(scenario(tmp_path, SCENARIO + EDITING, "editing.review=60"), 1000, 0)
    turn = report.turns["model.prompts", "together"]
    assert turn is not None
    assert turn.value < 0
    assert report.person_ahead["together"] == 1.0


def test_points_alone_have_no_tornado_and_no_width(tmp_path: Path) -> None:
    report = SimulationReport.of(scenario(tmp_path, WHOLE), 1000, 0)
    assert report.bars == []
    for interval in report.ratios.values():
        assert interval.low == interval.high == pytest.approx(interval.value)


def test_a_model_that_emits_nothing_leaves_an_infinite_ratio(tmp_path: Path) -> None:
    changes = ("model.grid=0", "model.prompts=1..3 uniform")
    report = SimulationReport.of(scenario(tmp_path, SCENARIO, *changes), 1000, 0)
    assert report.ratios["model"].value == report.ratios["model"].low == math.inf
    assert report.bars == []
    assert report.turns["model.prompts", "model"] is None


def test_a_bar_is_the_ratio_at_the_ends_of_its_input() -> None:
    found = build(find("collaboration"))
    for bar in tornado(found, "together"):
        assert bar.at_low == ratio(found.values() | {bar.key: bar.low}, "together")
        assert bar.at_high == ratio(found.values() | {bar.key: bar.high}, "together")
