"""The human side: what the inputs give is what is in print, and methods stay apart."""

from __future__ import annotations

import pytest

from bench.core import modalities
from bench.core.quantities import Grams, WattHours
from bench.errors import UsageError
from bench.footprint.humans import METHODS, Human, HumanPerUnit, human, people_of, select, significant
from bench.footprint.reference import baselines, human_quantities
from bench.footprint.work_units import WorkUnit, named, why_none, work_of, work_units

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


def test_every_modality_has_people_or_the_reason_why_not() -> None:
    for modality in modalities.all_modalities():
        people = people_of(modality.name)
        assert bool(people) == (why_none(modality.name) is None), modality.name
        assert {each.work.model_unit for each in people} <= {modality.unit}
    assert "No source counts the hours" in str(why_none("voice"))
    assert why_none("smell") == "No human baseline is bundled for the modality smell."


def test_each_kind_of_work_has_a_whole_life_and_its_equipment() -> None:
    """The methods of pages and images: top-down in two regions, paid hours alone, and the computer."""
    for work in work_units():
        methods = {(each.baseline.method, each.baseline.region) for each in select(work.unit)}
        assert methods >= {
            ("top-down", "US"),
            ("top-down", "India"),
            ("work-hours", "US"),
            ("equipment", "US"),
        }, work.unit


@pytest.mark.parametrize(
    ("modality", "name", "grams"),
    [
        ("audio", "practice.music.us", 15e6 / 8760 * 4 / 60),
        ("audio", "practice.music-history.us", 15e6 / 8760 * 2 / 60),
        ("audio", "practice.effects.us.workhours", 15e6 / 2080 * 2.67 / 60),
        ("speech", "practice.voice.in", 1.9e6 / 8760 * 6.2 / 3600),
        ("recognition", "practice.transcribe.us", 15e6 / 8760 * 4 / 3600),
        ("recognition", "practice.transcribe.laptop", 0.020 * 4 * 384.4 / 3600),
        ("video", "practice.newsroom.us", 15e6 / 8760 * 4 / 60),
        ("video", "practice.animation.us", 15e6 / 8760 * 72 / 60),
        ("text", "tomlinson2024.page.us", 15e6 / 8760 * 250 / 300),
    ],
)
def test_what_a_second_takes_by_hand(modality: str, name: str, grams: float) -> None:
    [found] = [each for each in people_of(modality) if each.human.baseline.id == name]
    assert found.result.value == pytest.approx(grams, rel=1e-3)
    ratio = found.ratio(Grams.of(0.5, 0.25, 1.0))
    assert ratio is not None
    assert ratio.value == pytest.approx(grams / 0.5, rel=1e-3)
    assert ratio.high == pytest.approx(found.result.high / 0.25)


def test_there_is_no_ratio_to_nothing_and_none_of_a_bodys_energy() -> None:
    page = next(each for each in people_of("text") if isinstance(each.result, Grams))
    assert page.ratio(Grams.of(0.0)) is None
    body = HumanPerUnit(human(baselines()["variant.page.body"]), work_of("text")[0])
    assert isinstance(body.result, WattHours)
    assert body.ratio(Grams.of(1.0)) is None


def test_a_unit_of_models_means_every_baseline_counted_in_it() -> None:
    assert {each.baseline.unit for each in select("audio_second")} == set(named("audio_second"))
    assert {each.baseline.unit for each in select("heard_second", "India")} == {"speech_hour"}
    assert {each.baseline.unit for each in select("music_minute")} == {"music_minute"}
    assert named("tv_hour") == []


def test_units_of_work_are_those_of_hours_and_of_baselines() -> None:
    """A `music_minute` of the table is the one that `h/music_minute` counts."""
    units = {each.unit for each in baselines().values()}
    assert {work.unit for work in work_units()} <= units
    counted = {quantity.unit.partition("/")[2] for quantity in human_quantities().values()}
    assert {work.unit for work in work_units()} - {"page"} <= counted
    seconds = {"minute": 60, "hour": 3600}
    for work in work_units():
        assert work.count == seconds.get(work.unit.rpartition("_")[2], 1), work.unit


def test_work_is_named_only_where_there_are_several_kinds() -> None:
    assert {each.person for each in people_of("speech")} == {"US person", "India person"}
    assert "US person, composing" in {each.person for each in people_of("audio")}
    with pytest.raises(ValueError, match="greater than 0"):
        WorkUnit(unit="a", modality="text", count=0, work="b")
