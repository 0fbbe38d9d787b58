"""Joules of tokens and images as money and as a deployment: by hand, and what must hold of any input."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from bench.core.quantities import Joules, UnitError
from bench.errors import UsageError
from bench.footprint.cost import electricity, list_prices, per, relatives
from bench.footprint.measured import row_of
from bench.footprint.projection import ProjectionAssumptions, project
from bench.footprint.rates import EnergyRate, assumed, of_published, of_record
from bench.footprint.reference import factors
from bench.stats.figures import derive
from bench.store import results
from tests.footprint.factories import factor, grid, pue
from tests.store import calibrations as calibrated
from tests.support.factory import block, case, record

TOKEN = EnergyRate(
    "a model", "token", Joules.of(1.0, 0.9, 1.2), "gpu", "published", "as published", "a table"
)
WEEKLY = factor(604_800e6, "tokens/week")
"""A million tokens a second."""

GIVEN = ProjectionAssumptions(
    host=factor(1.5, "1"),
    idle=factor(0.25, "1"),
    utilisation=factor(0.5, "1"),
    pue=pue(1.2),
    grid=grid(400.0),
    capacity=factor(100.0, "GW", 80.0, 120.0),
    card_power=factor(500.0, "W"),
)


def test_a_fleet_by_hand() -> None:
    """1 MW of cards; × 1.5 / 0.75 × 1.2 = 2.4 MW; × 8760 h; × 0.4 t/MWh; of 100 GW; 1 MW / (500 W × 0.5)."""
    found = project(TOKEN, WEEKLY, GIVEN)
    assert found["power"].result.value == pytest.approx(2.4)
    assert (found["power"].result.low, found["power"].result.high) == pytest.approx((2.16, 2.88))
    assert found["power"].scope == "facility"
    assert found["energy"].result.value == pytest.approx(2.4 * 8760)
    assert found["CO2e"].result.value == pytest.approx(2.4 * 8760 * 0.4)
    assert found["share"].result.value == pytest.approx(2.4 / 100e3 * 100)
    assert found["share"].result.high == pytest.approx(2.88 / 80e3 * 100)
    assert found["cards"].result.value == pytest.approx(4000.0)


@pytest.mark.parametrize(("scope", "power"), [("gpu", 2.4), ("host", 1.6), ("wall", 1.6), ("facility", 1.0)])
def test_what_a_scope_holds_already_is_not_added_again(scope: str, power: float) -> None:
    found = project(replace(TOKEN, scope=scope), WEEKLY, GIVEN)
    assert found["power"].result.value == pytest.approx(power)
    assert ("cards" in found) == (scope == "gpu")


@pytest.mark.parametrize("seed", range(8))
def test_power_and_grams_rise_with_what_makes_them(seed: int) -> None:
    draw = random.Random(seed)
    base = project(TOKEN, WEEKLY, GIVEN)
    more = {
        "host": factor(1.5 + draw.random(), "1"),
        "idle": factor(0.25 + draw.random() / 2, "1"),
        "pue": pue(1.2 + draw.random()),
    }
    for name, higher in more.items():
        changed = project(TOKEN, WEEKLY, replace(GIVEN, **{name: higher}))
        assert changed["power"].result.value > base["power"].result.value
        assert changed["CO2e"].result.value > base["CO2e"].result.value
        assert changed["cards"].result.value == base["cards"].result.value
    dirty = project(TOKEN, WEEKLY, replace(GIVEN, grid=grid(401.0 + 100 * draw.random())))
    assert dirty["CO2e"].result.value > base["CO2e"].result.value
    assert dirty["power"] == base["power"]
    twice = project(TOKEN, factor(2 * WEEKLY.value, "tokens/week"), GIVEN)
    for name in base:
        assert twice[name].result.value == pytest.approx(2 * base[name].result.value)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("host", 0.5, "It must be between 1 and 10"),
        ("idle", 1.0, "It must be between 0 and 0.99"),
        ("utilisation", 0.0, "It must be between 0.01 and 1"),
        ("pue", 9.0, "It must be between 1 and 3"),
        ("idle", -0.1, "It must be between 0 and 0.99"),
    ],
)
def test_an_absurd_assumption_is_refused(name: str, value: float, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        project(TOKEN, WEEKLY, replace(GIVEN, **{name: factor(value, "1")}))


def test_a_volume_of_another_thing_is_refused() -> None:
    with pytest.raises(UnitError, match="tokens/week belongs here"):
        project(TOKEN, factor(1e9, "images/week"), GIVEN)


def test_electricity_by_hand() -> None:
    """A million tokens of 1 J are 0.2778 kWh; PUE at scope host alone."""
    price = factor(0.10, "USD/kWh")
    assert per(TOKEN)[1] == "million tokens"
    assert electricity(TOKEN, price).result.value == pytest.approx(1e6 / 3.6e6 * 0.10)
    assert electricity(TOKEN, price, pue(1.5)) == electricity(TOKEN, price)
    host = replace(TOKEN, scope="host")
    assert electricity(host, price, pue(1.5)).result.value == pytest.approx(1.5 * 1e6 / 3.6e6 * 0.10)
    image = replace(TOKEN, made="image")
    assert electricity(image, price).result.value == pytest.approx(1 / 3.6e6 * 0.10)


def test_list_prices_tell_input_from_output() -> None:
    """The 0.28 USD that is quoted for DeepSeek-V3.2 is what it asks for input."""
    found = {(each.system.name, each.price.tokens): each for each in list_prices()}
    assert found["DeepSeek-V3.2", "input"].price.value == 0.28
    assert found["DeepSeek-V3.2", "output"].price.value == 0.42
    assert found["GPT-5.4", "output"].price.value == 15.0
    page = found["GPT-5.4", "output"].page
    assert (page.value, page.low, page.high) == pytest.approx((333 * 15e-6, 325 * 15e-6, 400 * 15e-6))


def test_relatives_of_priced_systems_are_per_token_and_cards_alone() -> None:
    assert [(each.name, each.made, each.scope) for each in relatives()] == [
        ("deepseek-ai/DeepSeek-V3.1", "token", "gpu")
    ]


def test_a_record_gives_tokens_and_pages_with_the_same_relative_interval(tmp_path: Path) -> None:
    """1 page of 340 tokens takes 300 J."""
    blocks = [block(joules, tokens=340) for joules in (290.0, 295.0, 300.0, 305.0, 310.0)]
    path = tmp_path / "record.json"
    path.write_text(results.to_json(record(blocks=blocks, case=case())), encoding="utf-8")
    found = {each.made: each for each in of_record(row_of(results.read(path), str(path)), str(path))}
    assert set(found) == {"page", "token"}
    assert found["token"].joules.value == pytest.approx(300.0 / 340)
    page, token = found["page"].joules, found["token"].joules
    assert token.low / token.value == pytest.approx(page.low / page.value)
    assert page.high / page.value > 1.05
    assert found["token"].card_w == pytest.approx(10.0)
    assert found["token"].weights == "hub"


def test_a_calibrated_cards_tokens_and_watts_are_corrected_as_its_pages_are(tmp_path: Path) -> None:
    """A sensor that reads 5 % too much: all joules and watts are 1 / 1.05 of what was read."""
    read = calibrated.sample(calibrated.known(line=calibrated.line(gain=1.05)))
    blocks = [each.model_copy(update={"tokens": 340}) for each in read.blocks]
    figures = derive(blocks, None)
    path = tmp_path / "record.json"
    path.write_text(
        results.to_json(read.model_copy(update={"blocks": blocks, "figures": figures})), encoding="utf-8"
    )
    found = {each.made: each for each in of_record(row_of(results.read(path), str(path)), str(path))}
    page, token = found["page"].joules, found["token"].joules
    uncorrected, power = figures.energy_per_unit_j["gpu"].gross, figures.power_w["gpu"].gross
    assert uncorrected is not None
    assert power is not None
    assert page.value == pytest.approx(uncorrected.value / 1.05, rel=1e-3)
    assert token.value == pytest.approx(page.value / 340)
    assert (token.low, token.high) == pytest.approx((page.low / 340, page.high / 340))
    assert found["token"].card_w == pytest.approx(power.value / 1.05, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("bloom.grid", "energy of one token, page, image belongs here"),
        ("altman2025.chatgpt", "is in Wh per query"),
        ("bloom2022.request.co2", "is in g CO2e per request"),
        ("iea2025.image", "is of scope `unknown`"),
        ("mlenergy3.chat.H100.Qwen__Qwen3-8", 'Did you mean "mlenergy3.chat.H100.Qwen__Qwen3-8B"'),
    ],
)
def test_what_is_no_energy_of_a_token_or_image_is_refused(name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        of_published(name)


def test_what_is_typed_is_a_number_a_range_or_a_bundled_factor() -> None:
    assert assumed("--idle-share", None, "1", "idle.gemini") == factors()["idle.gemini"]
    assert assumed("--idle-share", "0.3", "1", "idle.gemini").range.is_point
    capacity = assumed("--capacity", "80..100", "GW", "capacity.world.2024")
    assert (capacity.value, capacity.low, capacity.high, capacity.evidence) == (90.0, 80.0, 100.0, "stated")
    assert assumed("--idle-share", "idle.bloom", "1", "idle.gemini").value == 0.82


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("idle.blom", 'Did you mean "idle.bloom"'),
        ("price.usa.industrial", "or a bundled factor"),
        ("utilisation.wu", "Known: idle.bloom, idle.gemini"),
        ("0.4..0.2", "LOW..HIGH with LOW below HIGH"),
        ("nan", "expected a number"),
        ("0.1..", "is not a number in 1"),
    ],
)
def test_what_is_typed_wrongly_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        assumed("--idle-share", text, "1", "idle.gemini")
