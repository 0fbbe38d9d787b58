"""The human side: what the inputs give is what is in print, and methods stay apart."""

from __future__ import annotations

import pytest

from bench.core.quantities import Grams, WattHours
from bench.errors import UsageError
from bench.footprint.humans import METHODS, Human, human, select, significant
from bench.footprint.reference import baselines

EVERY = [human(baseline) for baseline in baselines().values()]
PRINTED = [each for each in EVERY if each.baseline.printed is not None]


@pytest.mark.parametrize("each", PRINTED, ids=lambda each: each.baseline.id)
def test_what_the_inputs_give_rounds_to_the_print(each: Human) -> None:
    assert significant(each.result.value) == each.baseline.printed


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.baseline.id)
def test_evidence_is_that_of_the_weakest_input(each: Human) -> None:
    assert each.evidence == each.baseline.evidence


@pytest.mark.parametrize(
    ("name", "grams"),
    [
        ("tomlinson2024.page.us", 1426.94),
        ("tomlinson2024.page.in", 180.75),
        ("tomlinson2024.image.us", 5479.45),
        ("tomlinson2024.image.in", 694.06),
        ("orbit2023.page.us", 1153.9),
        ("variant.page.us.workhours", 6009.6),
        ("variant.page.cn.ghg2024", 1046.4),
        ("variant.page.in.ghg2024", 288.24),
        ("richmond.image.us", 34246.6),
        ("cook2025.page.uk", 22.68),
        ("albert2023.tv_hour", 16.6e6),
    ],
)
def test_figures_that_others_worked_out_are_met(name: str, grams: float) -> None:
    found = human(baselines()[name]).result
    assert isinstance(found, Grams)
    assert found.value == pytest.approx(grams, rel=1e-4)


def test_ranges_of_inputs_become_ranges_of_results() -> None:
    """A laptop of 8 to 41 W for 250/300 h at 384.4 g/kWh; 16 to 24 h of drawing."""
    laptop = human(baselines()["variant.page.laptop"]).result
    assert (laptop.low, laptop.value, laptop.high) == pytest.approx((2.563, 6.407, 13.134), rel=1e-3)
    drawing = human(baselines()["richmond.image.us"]).result
    assert (drawing.low, drawing.high) == pytest.approx((27397, 41096), rel=1e-3)


def test_metabolic_energy_is_never_turned_into_grams() -> None:
    found = [each for each in EVERY if each.baseline.method in ("metabolic", "top-down-energy")]
    assert found
    assert all(isinstance(each.result, WattHours) for each in found)


def test_select_keeps_methods_together_and_in_order() -> None:
    methods = [each.baseline.method for each in select()]
    assert sorted(methods, key=list(METHODS).index) == methods
    assert {each.baseline.unit for each in select()} == {"page", "image"}
    assert {each.baseline.region for each in select("page", "india")} == {"India"}
    assert [each.baseline.unit for each in select("film")] == ["film"] * 3


def test_every_method_says_what_it_counts() -> None:
    assert {each.baseline.method for each in EVERY} == set(METHODS)
    assert all(method.about for method in METHODS.values())


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"unit": "pgae"}, 'Did you mean "page"?'),
        ({"region": "Indai"}, 'Did you mean "India"?'),
        ({"method": "topdown"}, 'Did you mean "top-down"?'),
        ({"unit": "film", "region": "India"}, "US"),
    ],
    ids=str,
)
def test_an_unknown_name_gets_the_nearest(asked: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        select(**asked)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("value", "rounded"), [(1426.9, 1400.0), (185.0, 180.0), (0.0944, 0.094), (99.6, 100.0), (0.0, 0.0)]
)
def test_significant_figures(value: float, rounded: float) -> None:
    assert significant(value) == pytest.approx(rounded)
