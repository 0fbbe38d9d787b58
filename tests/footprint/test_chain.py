"""Joules to grams, litres and money: against arithmetic by hand, and against what must hold of any input."""

from __future__ import annotations

import random

import pytest

from bench.core.quantities import Grams, Joules, Seconds, UnitError, WattHours
from bench.errors import UsageError
from bench.footprint.chain import (
    Chain,
    Device,
    Training,
    carbon,
    embodied,
    facility,
    lifecycle,
    metered,
    money,
    sci,
    training,
    water,
)
from bench.footprint.reference import factors
from tests.footprint.factories import factor, grid, pue

H100 = Device(factors()["embodied.h100"], factors()["lifetime.ecologits"], factor(1.0, "1"))
SPREAD = Training(factor(552.0, "t CO2e"), factor(10e6, "queries/day"), factor(30.0, "days"))


def energy(scope: str = "host") -> Chain[WattHours]:
    """2 Wh, ± 10 %."""
    return metered(Joules.of(7200.0, 6480.0, 7920.0), scope)


def test_the_whole_chain_by_hand() -> None:
    """2 Wh × 1.5 = 3 Wh; × 0.4 g/Wh = 1.2 g; 164 kg over 3 years are 6.24 g an hour."""
    operation = carbon(facility(energy(), pue()), grid())
    assert operation.result.value == pytest.approx(1.2)
    assert (operation.result.low, operation.result.high) == pytest.approx((1.08, 1.32))
    made = embodied(Seconds.of(3600.0), H100)
    assert made.result.value == pytest.approx(6.2405, rel=1e-4)
    whole = lifecycle(operation, made, training(SPREAD))
    assert whole.scope == "lifecycle"
    assert whole.result.value == pytest.approx(1.2 + 6.2405 + 1.84, rel=1e-4)


def test_every_step_shows_its_factor_source_and_evidence() -> None:
    whole = lifecycle(carbon(facility(energy(), pue()), grid()), embodied(Seconds.of(10.0), H100))
    named = [factor.id for step in whole.steps for factor in step.factors]
    assert named == ["some 1", "some g CO2e/kWh", "embodied.h100", "lifetime.ecologits", "some 1"]
    assert all(factor.source and factor.evidence for step in whole.steps for factor in step.factors)
    assert [step.scope for step in whole.steps][-1] == "lifecycle"
    assert whole.steps[-1].result == whole.result


@pytest.mark.parametrize("scope", ["facility", "lifecycle", "training", "unknown", "moon"])
def test_pue_is_refused_where_it_may_be_in_already(scope: str) -> None:
    with pytest.raises(UsageError, match="includes the data centre's overhead already"):
        facility(energy(scope), pue())


def test_cards_alone_are_no_machine() -> None:
    with pytest.raises(UsageError, match="leaves the host out"):
        facility(energy("gpu"), pue())
    with pytest.raises(UsageError, match="leave the host out"):
        lifecycle(carbon(energy("gpu"), grid()), training(SPREAD))


def test_pue_is_applied_once() -> None:
    once = facility(energy(), pue())
    with pytest.raises(UsageError, match="PUE is applied once"):
        facility(once, pue())
    with pytest.raises(UsageError, match="PUE is applied once"):
        water(once, pue(), factor(0.5, "L/kWh"), factor(3.0, "L/kWh"))


def test_a_part_is_added_once() -> None:
    operation, made = carbon(energy(), grid()), embodied(Seconds.of(1.0), H100)
    with pytest.raises(UsageError, match="may be in already"):
        lifecycle(operation, made, made)
    with pytest.raises(UsageError, match="may be in already"):
        lifecycle(operation, operation)
    with pytest.raises(UsageError, match="whole already"):
        lifecycle(lifecycle(operation, made), training(SPREAD))


def test_a_life_cycle_begins_from_the_operation_of_a_machine() -> None:
    """An SCI holds the making already; training, making or a life cycle alone are no operation."""
    made = embodied(Seconds.of(1.0), H100)
    for scope in ("host", "wall", "facility", "unknown"):
        assert lifecycle(carbon(energy(scope), grid()), made).scope == "lifecycle"
    for start in (sci(energy(), grid(), made, 1.0, "page"), training(SPREAD), made):
        with pytest.raises(UsageError, match=f"`{start.scope}` is not a scope of a machine's operation"):
            lifecycle(start, embodied(Seconds.of(1.0), H100))


@pytest.mark.parametrize("seed", range(25))
def test_grams_rise_with_the_grid_factor_and_with_pue(seed: int) -> None:
    draw = random.Random(seed)
    joules = Joules.of(draw.uniform(1e-3, 1e6))
    low, high = sorted(draw.uniform(1.0, 1500.0) for _ in range(2))
    slack, heavy = sorted(draw.uniform(1.0, 3.0) for _ in range(2))

    def grams(intensity: float, overhead: float) -> float:
        return carbon(facility(metered(joules, "wall"), pue(overhead)), grid(intensity)).result.value

    assert grams(low, slack) < grams(high, slack) < grams(high, heavy)
    ranged = carbon(facility(metered(joules, "wall"), pue(slack, slack, heavy)), grid(low, low, high)).result
    assert (ranged.low, ranged.high) == pytest.approx((grams(low, slack), grams(high, heavy)))


@pytest.mark.parametrize("seed", range(10))
def test_embodied_falls_with_lifetime_and_utilisation_and_rises_with_time(seed: int) -> None:
    draw = random.Random(seed)
    short, long = sorted(draw.uniform(0.5, 10.0) for _ in range(2))
    idle, busy = sorted(draw.uniform(0.05, 1.0) for _ in range(2))
    seconds = draw.uniform(0.1, 1e4)

    def grams(years: float, share: float, time_s: float) -> float:
        device = Device(factor(164.0, "kg CO2e"), factor(years, "yr"), factor(share, "1"))
        return embodied(Seconds.of(time_s), device).result.value

    assert grams(long, busy, seconds) < grams(short, busy, seconds) < grams(short, idle, seconds)
    assert grams(short, idle, 2 * seconds) == pytest.approx(2 * grams(short, idle, seconds))


def test_water_on_the_site_is_of_the_machine_and_off_the_site_of_the_facility() -> None:
    """2 Wh × 0.5 L/kWh + 3 Wh × 3 L/kWh = 10 mL."""
    found = water(energy(), pue(), factor(0.5, "L/kWh"), factor(3.0, "L/kWh"))
    assert found.result.value == pytest.approx(0.010)
    assert [step.name for step in found.steps][-3:] == [
        "water on the site",
        "water at power stations",
        "water",
    ]


def test_money() -> None:
    assert money(energy(), factor(0.20, "USD/kWh")).result.value == pytest.approx(0.0004)


def test_sci_is_operation_and_embodied_over_the_unit() -> None:
    """(2 Wh × 0.4 g/Wh + 6.24 g) / 4 images."""
    made = embodied(Seconds.of(3600.0), H100)
    found = sci(energy(), grid(), made, 4.0, "image")
    assert found.result.value == pytest.approx((0.8 + 6.2405) / 4, rel=1e-4)
    assert (found.steps[-1].name, found.scope) == ("SCI per image", "sci")
    with pytest.raises(UsageError, match="not `training`"):
        sci(energy(), grid(), training(SPREAD), 1.0, "page")
    with pytest.raises(UsageError, match="spread over"):
        sci(energy(), grid(), made, 0.0, "page")


@pytest.mark.parametrize(
    ("intensity", "unit"), [(400.0, "kg CO2e/kWh"), (400.0, "g CO2/kWh"), (0.4, "1"), (400.0, "g")]
)
def test_a_factor_of_another_unit_is_refused(intensity: float, unit: str) -> None:
    with pytest.raises(UnitError, match=r"g CO2e/kWh belongs here\."):
        carbon(energy(), factor(intensity, unit))


@pytest.mark.parametrize("value", [-1.0, 0.0, 0.99, 15.4])
def test_an_absurd_pue_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match="It must be between 1 and 3"):
        facility(energy(), pue(value))


@pytest.mark.parametrize("value", [-0.1, 2001.0])
def test_an_absurd_grid_factor_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match="It must be between 0 and 2000 g CO2e/kWh"):
        carbon(energy(), grid(value))


def test_an_absurd_end_of_a_range_is_refused_too() -> None:
    with pytest.raises(UsageError, match=r"400 \(-3 to 500\) g CO2e/kWh cannot be"):
        carbon(energy(), grid(400.0, -3.0, 500.0))


def test_embodied_per_hour_as_others_have_worked_it_out() -> None:
    """Grams an hour of work. They take 8766 hours for a year, the chain the paper's 8760: 0.07 % apart."""
    for kg, years, share, expected in (
        (164.0, 5.0, 1.0, 3.74),
        (150.0, 6.0, 0.85, 3.36),
        (463.0, 4.0, 0.5, 26.41),
        (151.0, 1.5, 1.0, 11.48),
    ):
        device = Device(factor(kg, "kg CO2e"), factor(years, "yr"), factor(share, "1"))
        assert embodied(Seconds.of(3600.0), device).result.value == pytest.approx(expected, rel=2e-3)


def test_quantities_of_a_chain_are_typed() -> None:
    assert isinstance(carbon(energy(), grid()).result, Grams)
