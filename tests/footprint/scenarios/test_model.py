"""The formulas of scenarios: by hand, against the chain, and what must hold whatever the numbers."""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import pytest

from bench.core.quantities import Joules, Seconds
from bench.footprint.chain import Device, Training, carbon, embodied, facility, metered, training
from bench.footprint.reference import ratio_vectors
from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.files import find
from bench.footprint.scenarios.model import PARAMETERS, footprint
from bench.footprint.scenarios.scenario import ComparedSide, ratio
from tests.footprint.factories import factor, grid, pue
from tests.footprint.scenarios.helpers import (
    COMPUTER,
    EDITING,
    EMBODIED,
    TRAINING,
    UPBRINGING,
    WHOLE,
    scenario,
)
from tests.support.elsewhere import SCENARIO


@pytest.mark.parametrize("kind", ["uniform", "triangular", "normal", "lognormal"])
def test_a_speed_is_drawn_as_a_speed(kind: str, tmp_path: Path) -> None:
    """250 words over the hours drawn are the speeds that were stated; 95 % of the hours lie inside."""
    found = scenario(tmp_path, SCENARIO, f"person.work=200..500 words/h {kind}")
    hours = found.draws(40_000, 1)["person.work"]
    as_stated = found.inputs["person.work"].spread.stated
    middle = 350.0 if kind != "lognormal" else math.sqrt(200 * 500)
    assert as_stated.value == pytest.approx(middle)
    assert np.quantile(250 / hours, 0.5) == pytest.approx(middle, rel=0.01)
    assert found.values()["person.work"] == pytest.approx(250 / middle)
    low, high = found.inputs["person.work"].spread.interval
    assert np.mean(hours < low) == pytest.approx(0.025, abs=0.004)
    assert np.mean(hours > high) == pytest.approx(0.025, abs=0.004)


def test_by_hand(tmp_path: Path) -> None:
    """0.8 h × 1500 g/h; 2 drafts of 1 Wh × 1.5 × 0.4 g/Wh; 10 + 4 + 2 × 1.5 = 17 min of the person."""
    found = footprint(scenario(tmp_path, SCENARIO + EDITING).values())
    assert found.person_g == pytest.approx(1200.0)
    assert found.draft_g == pytest.approx(0.6)
    assert found.model_g == pytest.approx(1.2)
    assert found.together_g == pytest.approx(1.2 + 1500 * 17 / 60)


def test_every_part_by_hand(tmp_path: Path) -> None:
    """Batches: 1 Wh × (0.2 + 0.8 / 8) = 0.3 Wh; idle: / 0.18; training 1.84 g; embodied 9.36 g an hour."""
    found = footprint(scenario(tmp_path, WHOLE).values())
    assert found.operation_g == pytest.approx(0.3 / 0.18 * 1.5 * 0.4)
    assert found.training_g == pytest.approx(1.84)
    assert found.embodied_g == pytest.approx(164e3 / (4 * 8760 * 0.5) * 0.3 / 500)
    assert found.draft_g == pytest.approx(found.operation_g + found.training_g + found.embodied_g)


def test_the_person_by_hand(tmp_path: Path) -> None:
    """An hour: 1500 g, 202 kg over 8320 h, 250,000 kWh × 0.4 kg over 80,000 h."""
    found = footprint(scenario(tmp_path, SCENARIO + EDITING + COMPUTER + UPBRINGING).values())
    assert found.computer_g == pytest.approx(202e3 / 8320)
    assert found.upbringing_g == pytest.approx(1250.0)
    assert found.hour_g == pytest.approx(1500 + 202e3 / 8320 + 1250)
    assert found.person_g == pytest.approx(0.8 * found.hour_g)
    assert found.together_g == pytest.approx(1.2 + found.hour_g * 17 / 60)


def test_a_display_is_powered_beside_the_computer(tmp_path: Path) -> None:
    """20 W and 36 W at 500 g/kWh are 28 g an hour."""
    text = SCENARIO.replace(
        "  footprint: {value: 13.14, unit: t CO2e/yr, source: a table}\n"
        "  hours: {value: 8760, unit: h/yr, source: a table}\n",
        "  power: {value: 20, unit: W, source: a meter}\n  display: {value: 36, unit: W, source: a meter}\n"
        "  grid: {value: 500, unit: g CO2e/kWh, source: a table}\n",
    )
    assert footprint(scenario(tmp_path, text).values()).hour_g == pytest.approx(28.0)
    assert footprint(scenario(tmp_path, text, "person.display=none").values()).hour_g == pytest.approx(10.0)


def test_what_fails_is_made_again(tmp_path: Path) -> None:
    """Half the person's pages and a quarter of threads fail: 2 × 1200 g; 1.2 g / 0.75; a quarter by hand."""
    changes = ("person.success=50 %", "model.success=0.75")
    found = footprint(scenario(tmp_path, SCENARIO + EDITING, *changes).values())
    assert found.person_g == pytest.approx(2400.0)
    assert found.model_g == pytest.approx(1.6)
    assert found.together_g == pytest.approx(1.2 + 1500 * 17 / 60 + 0.25 * 2400)


def test_the_formulas_are_those_of_the_chain(tmp_path: Path) -> None:
    """What a browser will compute and what `bench footprint record` shows step by step are the same."""
    found = footprint(scenario(tmp_path, SCENARIO + TRAINING + EMBODIED).values())
    energy = facility(metered(Joules.of(3600.0), "host"), pue(1.5))
    assert found.operation_g == pytest.approx(carbon(energy, grid(400.0)).result.value)
    spread = Training(factor(552.0, "t CO2e"), factor(1e7, "queries/day"), factor(30.0, "days"))
    assert found.training_g == pytest.approx(training(spread).result.value)
    device = Device(factor(164.0, "kg CO2e"), factor(4.0, "yr"), factor(0.5, "1"))
    assert found.embodied_g == pytest.approx(embodied(Seconds.of(3600.0 / 500.0), device).result.value)


def test_the_papers_ratio_comes_out_of_the_bundled_scenario() -> None:
    vector = next(each for each in ratio_vectors() if each.id == "tomlinson2024.page.us/bloom.page")
    found = ratio(build(find("tomlinson2024")).values(), "model")
    assert found == pytest.approx(vector.exact, abs=0.1)
    assert round(found, -2) == vector.printed


def test_numbers_and_arrays_give_the_same(tmp_path: Path) -> None:
    values = scenario(tmp_path, WHOLE).values()
    single = footprint(values)
    many = footprint({key: np.full(3, value) for key, value in values.items()})
    for name in single.__dataclass_fields__:
        assert getattr(many, name) == pytest.approx([getattr(single, name)] * 3)


@pytest.mark.parametrize("text", [SCENARIO, WHOLE], ids=["plain", "whole"])
def test_what_is_not_counted_stands_at_values_that_change_nothing(text: str, tmp_path: Path) -> None:
    """The same figures with every absent part stated at neutral values."""
    found = scenario(tmp_path, text)
    neutral = {key: parameter.neutral for key, parameter in PARAMETERS.items() if key not in found.inputs}
    assert all(value in (0.0, 1.0) for value in neutral.values())
    outcome = footprint(found.values())
    if "training" in found.absent:
        assert outcome.training_g == outcome.embodied_g == 0
        assert outcome.together_g == outcome.model_g
    assert outcome.person_g == pytest.approx(1200.0)


RISING = (
    "model.energy",
    "model.grid",
    "model.pue",
    "model.prompts",
    "idle.share",
    "training.total",
    "embodied.made",
)
FALLING = ("batch.served", "training.per_day", "training.days", "embodied.lifetime", "embodied.utilisation")


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("side", ["model", "together"])
def test_the_ratio_moves_one_way_with_each_input(side: ComparedSide, seed: int, tmp_path: Path) -> None:
    values = scenario(tmp_path, WHOLE).values()
    draw = random.Random(seed)
    for key in RISING + FALLING:
        low, high = sorted(draw.uniform(0.6, 1.1) * values[key] for _ in range(2))
        assert low < high
        less, more = ratio(values | {key: low}, side), ratio(values | {key: high}, side)
        assert less > more if key in RISING else less < more, key
    assert ratio(values | {"person.work": 2.0}, side) > ratio(values | {"person.work": 1.0}, side)


SAME = [
    ("model.energy=3600 J/page host", "model.energy=1 Wh/page host"),
    ("model.energy=3600 J/page host", "model.energy=0.001 kWh/page host"),
    ("person.work=0.5 h/page", "person.work=30 min/page"),
    ("person.work=0.5 h/page", "person.work=500 words/h"),
    ("person.footprint=15 t CO2e/yr", "person.footprint=15000 kg CO2e/yr"),
    ("training.days=365 days", "training.days=1 yr"),
    ("training.total=1.5 t CO2e", "training.total=1500 kg CO2e"),
    ("training.queries=0.5 queries/page", "training.queries=500 words/query"),
    ("editing.edit=15 min/page", "editing.edit=0.25 h/page"),
    ("editing.edit=15 min/page", "editing.edit=1000 words/h"),
    ("idle.share=0.3", "idle.share=30 %"),
    ("person.work=0.5..1 h/page uniform", "person.work=30..60 min/page uniform"),
    ("person.work=0.5..1 h/page loguniform", "person.work=250..500 words/h loguniform"),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=str)
def test_the_ratio_does_not_depend_on_the_unit_that_an_input_is_stated_in(
    one: str, other: str, tmp_path: Path
) -> None:
    first, second = (scenario(tmp_path, WHOLE, change) for change in (one, other))
    key = one.partition("=")[0]
    assert first.inputs[key].spread.interval == pytest.approx(second.inputs[key].spread.interval)
    for side in first.sides:
        assert ratio(first.values(), side) == pytest.approx(ratio(second.values(), side))
