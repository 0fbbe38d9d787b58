"""A page, an image or a second by AI, by a person by both counts, and by a person with AI."""

from __future__ import annotations

import pytest

from bench.footprint.answers import SCENARIOS, answer_of, answers, equipment_only
from bench.footprint.grid import choose
from bench.footprint.measured import rows_of
from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.files import find
from bench.footprint.scenarios.model import footprint
from tests.support.factory import case
from tests.support.reported import measured

US = choose(None)


def test_a_person_by_equipment_only_by_hand() -> None:
    values = build(equipment_only(find("collaboration"), find("critics"))).values()
    laptop_g = 20 / 1000 * 384.4  # an hour at 20 W
    making_g = 202_000 / (4 * values["computer.hours"])
    assert footprint(values).person_g == pytest.approx((laptop_g + making_g) * 250 / 300, rel=1e-4)
    assert footprint(values).model_g == footprint(build(find("collaboration")).values()).model_g


@pytest.mark.parametrize("unit", SCENARIOS)
def test_both_counts_differ_in_the_person_alone(unit: str) -> None:
    found = answer_of(unit, [], US)
    assert found is not None
    life, equipment = found.reports["life"].grams, found.reports["equipment"].grams
    assert life["draft_g"] == equipment["draft_g"]
    assert life["person_g"].median > 10 * equipment["person_g"].median
    for count in ("life", "equipment"):
        person, together = found.of("person", count), found.of("together", count)
        assert person is not None
        assert together is not None
        model = found.of("model", None)
        assert model is not None
        assert model.grams.value < together.grams.value < person.grams.value


def test_the_whole_life_is_that_of_the_bundled_scenario() -> None:
    found = answer_of("page", [], US)
    assert found is not None
    times = found.times("together", "life")
    assert times is not None
    assert times.value == pytest.approx(2.4, rel=0.02)  # docs/scenarios.md, 100,000 draws
    flip = found.flips("editing.edit", "life")
    assert flip is not None
    assert flip.value == pytest.approx(42, rel=0.1)


def test_a_clean_grid_is_on_both_sides() -> None:
    here, clean = answer_of("page", [], US), answer_of("page", [], choose("10"))
    assert here is not None
    assert clean is not None
    for maker, count in (("model", None), ("person", "equipment")):
        before, after = here.of(maker, count), clean.of(maker, count)  # type: ignore[arg-type]
        assert before is not None
        assert after is not None
        assert after.grams.value < before.grams.value
    life, other = here.of("person", "life"), clean.of("person", "life")
    assert life == other, "yearly emissions do not depend on the grid of the desk"


def test_the_measured_case_that_takes_most_is_shown() -> None:
    rows = [row for joules in (300.0, 900.0, 200.0) for row in rows_of(measured(joules, f"Card {joules:g}"))]
    found = answer_of("page", rows, US)
    published = answer_of("page", [], US)
    assert found is not None
    assert published is not None
    assert found.measured
    assert not published.measured
    energy = found.reports["life"].scenario.inputs["model.energy"]
    assert energy.spread.value == pytest.approx(910, rel=0.02)


def test_seconds_have_people_and_models_and_no_editing() -> None:
    found = {each.unit: each for each in answers([], US)}
    assert set(found) == {"page", "image", "audio_second", "video_second"}
    film = found["video_second"]
    assert film.of("together", "life") is None
    assert film.flips("model.prompts", "life") is None
    times = film.times("model", "equipment")
    assert times is not None
    assert times.low < 1 < times.high, "whether film by AI emits less than by a laptop is open"


def test_another_modality_of_the_same_unit_is_not_taken() -> None:
    voice = measured(9e9, case=case(unit="audio_second", engine="speech"))
    found = answer_of("audio_second", rows_of(voice), US)
    assert found is not None
    assert not found.measured
