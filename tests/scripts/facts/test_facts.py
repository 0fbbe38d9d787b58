"""The bundled facts hold, and each check finds a fault that is put in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from bench.footprint.bundled_rows import Factor, FigureSource, Published
from scripts.facts.arithmetic import worked_out
from scripts.facts.checks import CHECKS, Facts, facts

KNOWN = cache(facts)


@pytest.mark.parametrize("name", CHECKS)
def test_the_facts_hold(name: str) -> None:
    assert list(CHECKS[name](KNOWN())) == []


def factor(found: Facts, name: str, **change: object) -> Facts:
    """With another value of one factor."""
    row = found.factors[name]
    return replace(found, factors={**found.factors, name: row.model_copy(update=change)})


def added(found: Facts, name: str, like: str) -> Facts:
    """With the same fact under another id."""
    row = found.factors[like].model_copy(update={"id": name})
    return replace(found, factors={**found.factors, name: row})


def figure(found: Facts, name: str, **change: object) -> Facts:
    """With another published figure."""
    rows = [row.model_copy(update=change) if row.id == name else row for row in found.published]
    return replace(found, published=tuple(rows))


def source(found: Facts, name: str, **change: object) -> Facts:
    """With another source."""
    row = found.sources[name].model_copy(update=change)
    return replace(found, sources={**found.sources, name: row})


def model(found: Facts, name: str, **change: object) -> Facts:
    """With another model of the catalogue."""
    row = found.models[name].model_copy(update=change)
    return replace(found, models={**found.models, name: row})


PLANTED: list[tuple[str, Callable[[Facts], Facts], str]] = [
    (
        "units against magnitudes",
        lambda found: factor(found, "embodied.a100", value=150_000.0),
        "embodied.a100: 150000 kg CO2e is outside",
    ),
    (
        "units against magnitudes",
        lambda found: figure(found, "altman2025.chatgpt", value_unit="kWh", value=340.0),
        "altman2025.chatgpt: 1.224e+09 J a query is outside",
    ),
    (
        "units against magnitudes",
        lambda found: factor(found, "embodied.a100", unit="stone"),
        "no magnitude is stated for stone",
    ),
    ("low ≤ value ≤ high", lambda found: figure(found, "scirep2025.gpt4.ratio", low=20.0), "does not hold"),
    (
        "derived rows recomputed",
        lambda found: factor(found, "service.bloom.queries", value=12_820.0),
        "is 13410.2, not 12820",
    ),
    (
        "derived rows recomputed",
        lambda found: factor(found, "host.bloom", computed=None),
        "host.bloom: it is derived, and does not say from what",
    ),
    (
        "derived rows recomputed",
        lambda found: factor(found, "embodied.a100", evidence="memory"),
        "embodied.gpu-with-node: it rests on embodied.a100, which is remembered",
    ),
    (
        "sources with date and place",
        lambda found: source(found, "uptime2025", url="https://uptimeinstitute.com"),
        "uptime2025: no address, or that of a whole site",
    ),
    (
        "sources with date and place",
        lambda found: source(found, "radiohead", year=None),
        "radiohead: neither a year",
    ),
    ("no fact twice", lambda found: added(found, "grid.again", "grid.usa.2023.eia"), "one fact twice"),
    (
        "nothing rests on a revised row",
        lambda found: factor(found, "grid.usa.2025.owid2026", superseded_by="grid.usa.2024.owid2026"),
        "is of another place, year or kind",
    ),
    (
        "nothing rests on a revised row",
        lambda found: factor(found, "bloom.grid", superseded_by="grid.usa.2024.owid2026"),
        "scenario critics: model.grid rests on bloom.grid, which was revised",
    ),
    (
        "grid factors with kind and basis",
        lambda found: factor(found, "grid.usa.2025.owid2026", kind=None),
        "grid.usa.2025.owid2026: no kind, or no basis",
    ),
    (
        "models against architectures",
        lambda found: model(found, "sd3.5-medium", parameters_b=2.5),
        "sd3.5-medium: 2.5 B, and its architecture has",
    ),
    (
        "models against architectures",
        lambda found: model(found, "bloom-176b", memory_gb=329.0),
        "bloom-176b: 329.0 GB",
    ),
    (
        "systems against models",
        lambda found: model(found, "flux.1-schnell", gated=False),
        "black-forest-labs/FLUX.1-schnell: gated is True in systems.yaml, False in models.yaml",
    ),
]


@pytest.mark.parametrize(
    ("name", "plant", "says"), PLANTED, ids=[f"{each[0]}: {each[2]}" for each in PLANTED]
)
def test_a_planted_fault_is_found(name: str, plant: Callable[[Facts], Facts], says: str) -> None:
    assert [sentence for sentence in CHECKS[name](plant(KNOWN())) if says in sentence]


def test_prints_are_held_against_their_inputs() -> None:
    name = "tomlinson2024.page.us"
    row = KNOWN().baselines[name].model_copy(update={"printed": 1800.0})
    changed = replace(KNOWN(), baselines={**KNOWN().baselines, name: row})
    assert [each for each in CHECKS["inputs against prints"](changed) if "and 1800 is in print" in each]


@pytest.mark.parametrize("computed", ["__import__('os')", "2 ** 9", "True + 1", "[1][0]", "x"])
def test_only_arithmetic_is_worked_out(computed: str) -> None:
    assert worked_out("({a.b} + 8 * 150) / 8", {"a.b": 2500.0}) == 462.5
    with pytest.raises(ValueError, match="is not arithmetic of numbers"):
        worked_out(computed, {})


def test_a_row_that_refers_has_the_fact_of_the_other() -> None:
    rows = KNOWN().factors
    assert rows["bloom.grid"].value == rows["grid.gcp-us-central1.2022.luccioni2022"].value == 394
    assert rows["bloom.training"].unit == "t CO2e"
    assert (rows["midjourney.image"].low, rows["midjourney.image"].unit) == (None, "g CO2e/image")
    assert (rows["gpt3.training.energy"].value, rows["gpt3.training.energy"].unit) == (1287, "MWh")


def test_the_types_refuse_what_the_checks_need_not_look_for() -> None:
    with pytest.raises(ValueError, match="is outside"):
        Factor(id="a", value=1, low=2, unit="1", scope="b", source="c", evidence="primary")
    with pytest.raises(ValueError, match="CO2e, and CO2e alone"):
        Published.model_validate(
            next(row for row in KNOWN().published if row.is_co2e).model_dump() | {"basis": None}
        )
    with pytest.raises(ValueError, match="String should match pattern"):
        FigureSource(citation="a", seen="today")
