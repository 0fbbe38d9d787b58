"""Published figures: by scope, unranked, with what nobody has published."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from bench.catalog.loading import load
from bench.core import modalities
from bench.errors import UsageError
from bench.footprint.bundled_rows import SCOPES, Published, PublishedScope, System
from bench.footprint.listing import Axis, by_axis, represented, select, without_a_figure
from bench.footprint.reference import published, systems

SHIPPED = load(Path(__file__).parents[2] / "models.yaml").models
NAMED_IN_PAPERS = 27


def test_every_scope_is_explained() -> None:
    assert tuple(SCOPES) == get_args(PublishedScope)


def test_rows_keep_the_order_of_their_file_within_a_scope() -> None:
    ids = [row.id for row in published()]
    for axis, rows in by_axis(select()).items():
        assert {row.scope for row in rows} == {axis.scope}
        assert [row.id for row in rows] == sorted((row.id for row in rows), key=ids.index)
    assert sum(map(len, by_axis(select()).values())) == len(ids)


def test_co2e_of_another_basis_or_content_stands_apart() -> None:
    """Gemini's is market-based, Mistral's location-based; ChatGPT's of the paper holds training."""
    of = {row.id: axis for axis, rows in by_axis(select()).items() for row in rows}
    assert of["google2025.gemini.co2"] == Axis("lifecycle", "market", "out", "in")
    assert of["mistral2025.large2.co2"] == Axis("lifecycle", "location", "out", "in")
    assert of["tomlinson2024.chatgpt.page"] == Axis("lifecycle", "location", "in", "out")
    assert "CO2e, basis market, training out" in of["google2025.gemini.co2"].about
    assert of["google2025.gemini.energy"] == Axis("facility")


@pytest.mark.parametrize(
    "wrong",
    [{"basis": None}, {"training": None}, {"embodied": None}, {"value_unit": "Wh"}, {"basis": "both"}],
    ids=str,
)
def test_co2e_states_what_is_in_it_and_energy_does_not(wrong: dict[str, object]) -> None:
    row = next(row for row in published() if row.id == "google2025.gemini.co2").model_dump()
    assert Published.model_validate(row).is_co2e
    with pytest.raises(ValidationError):
        Published.model_validate(row | wrong)


def test_filters() -> None:
    found = select("image", "host")
    assert found
    assert {(row.modality, row.scope) for row in found} == {("image", "host")}


@pytest.mark.parametrize(
    ("asked", "says"),
    [({"modality": "imge"}, 'Did you mean "image"?'), ({"scope": "gpus"}, 'Did you mean "gpu"?')],
    ids=str,
)
def test_an_unknown_name_gets_the_nearest(asked: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        select(asked.get("modality"), asked.get("scope"))
    assert says in str(refused.value)


def test_closed_systems_without_a_figure_are_named() -> None:
    names = {system.name for system in without_a_figure()}
    assert {"GPT-5.4", "GPT-5", "Nano Banana (Gemini image)"} <= names
    assert not {"ChatGPT", "DALL-E 2", "Midjourney", "GPT-4o", "Gemini Apps", "Mistral Large 2"} & names
    assert "GPT-5.4" not in {system.name for system in without_a_figure("image")}


@pytest.mark.parametrize(
    ("name", "joules"),
    [
        ("luccioni2024.bloomz-560m", 194.4),
        ("google2025.gemini.energy", 864.0),
        ("patterson2021.gpt3.training", 1287 * 3.6e9),
        ("baquero2024.llama65b.page", 1332.0),
    ],
)
def test_energies_are_given_in_joules_each(name: str, joules: float) -> None:
    [row] = [row for row in published() if row.id == name]
    assert row.joules is not None
    assert row.joules.value == pytest.approx(joules)


def test_grams_water_and_ratios_are_no_energy() -> None:
    for row in published():
        if row.value_unit in ("g CO2e", "mL", "ratio", "mg Sb eq", "t CO2e"):
            assert row.joules is None, row.id


def test_every_system_of_the_papers_is_answered() -> None:
    """By a model of the catalogue, by a figure in print, or by neither with the reason."""
    rows = represented(SHIPPED)
    assert len(rows) == NAMED_IN_PAPERS
    figures = {row.id for row in published()}
    for row in rows:
        assert row.system.how
        if row.by in ("can be run", "stand-in"):
            assert row.models
            assert set(row.units) == {SHIPPED[name].unit for name in row.models}
        elif row.by == "sourced":
            assert row.system.figures
            assert set(row.system.figures) <= figures
            assert row.units
        else:
            assert (row.by, row.models, row.system.figures) == ("no published figure", (), [])


def test_every_model_that_answers_for_a_system_is_in_the_catalogue() -> None:
    """Also a system's second model, which `represented` would pass over."""
    for system in systems():
        assert set(system.measured_by) | set(system.stand_ins) <= SHIPPED.keys(), system.id


def test_closed_systems_are_never_said_to_run() -> None:
    by = {row.system.id: row.by for row in represented(SHIPPED)}
    assert by["bloom"] == by["stylegan2"] == by["flux.2"] == "can be run"
    for row in represented(SHIPPED):
        assert not (row.system.kind.startswith("closed") and row.by == "can be run"), row.system.id
    assert by["openrouter"] == "no published figure"


def test_music_voice_and_film_are_counted_in_seconds() -> None:
    units = {row.system.id: row.units for row in represented(SHIPPED)}
    assert units["chatgpt-voice"] == ("audio_second",)
    assert units["openai-music-video"] == ("audio_second", "video_second")
    assert units["hugging-face"] == (), "it makes no output"


def test_a_catalogue_without_the_models_leaves_figures_or_nothing() -> None:
    by = {row.system.id: row for row in represented({})}
    assert {row.by for row in by.values()} == {"sourced", "no published figure"}
    assert by["midjourney"].units == ("image",)
    assert by["gpt-5"].by == "no published figure"
    assert by["gpt-5"].units == (modalities.get("text").unit,)


def test_a_system_has_models_of_one_kind() -> None:
    row = next(system for system in systems() if system.id == "bloom").model_dump()
    with pytest.raises(ValidationError, match="has no stand-in"):
        System.model_validate(row | {"stand_ins": ["sdxl"]})
