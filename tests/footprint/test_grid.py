"""Which grid factor a text means: of the bundled series, else the one that CodeCarbon would take."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalog.grid import country_factor
from bench.errors import BenchError, CatalogError, UsageError
from bench.footprint.chain import check_grid
from bench.footprint.grid import choose
from bench.footprint.reference import factors
from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.files import find

WHOLE = "value: 44.2\nunit: g CO2e/kWh\nregion: FRA\nyear: 2024\nsource: a table\n"


@pytest.mark.parametrize("country", ["CHE", "MEX", "VNM"])
def test_a_country_has_the_factor_that_codecarbon_gives_it(country: str) -> None:
    from codecarbon.input import DataSource

    found, theirs = country_factor(country), DataSource().get_global_energy_mix_data()[country]
    assert (found.intensity_g_per_kwh, found.year) == (theirs["carbon_intensity"], theirs["year"])
    assert found.code == country
    assert "CodeCarbon" in found.source


def test_the_series_goes_before_an_older_edition_of_it() -> None:
    """The same method, revised: CodeCarbon holds 369.5 for the USA of 2023, which is 392.9 since."""
    from codecarbon.input import DataSource

    found, theirs = country_factor("USA"), DataSource().get_global_energy_mix_data()["USA"]
    assert (found.intensity_g_per_kwh, found.year, found.edition) == (384.4, 2025, "2026")
    assert (round(theirs["carbon_intensity"], 1), theirs["year"]) == (369.5, 2023)
    rows = factors()
    assert rows["grid.usa.2023.codecarbon"].superseded_by == "grid.usa.2023.owid2026"
    assert rows["grid.usa.2023.owid2026"].value == 392.9


def test_the_world_is_in_the_series() -> None:
    assert choose("world") == choose("WOR") == factors()["grid.wor.2025.owid2026"]
    assert choose("world").value == 458.3


def test_a_country_that_emits_nothing_is_refused() -> None:
    """CodeCarbon's file has 0.0 g for it, which would make every footprint there 0 without a word."""
    with pytest.raises(UsageError, match="Central African Republic has 0 g/kWh in 2022"):
        choose("CAF")


def test_an_old_year_is_said() -> None:
    assert "years before the newest" in country_factor("ZMB").source
    assert "before the newest" not in country_factor("CHE").source
    assert "before the newest" not in country_factor("USA").source


def test_grid_factors_of_two_kinds_are_not_compared() -> None:
    stack, cycle = "grid.usa.2023.eia", "grid.usa.2025.owid2026"
    base = find("critics").changed(f"person.grid={cycle}").changed(f"model.grid={cycle}")
    assert build(base).inputs["model.grid"].spread.value == 384.4
    with pytest.raises(CatalogError, match=r"person\.grid of life-cycle and model\.grid of stack"):
        build(base.changed(f"model.grid={stack}"))


def test_a_market_based_factor_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(WHOLE + "basis: market\n")
    with pytest.raises(UsageError, match="is market-based, and every figure here is location-based"):
        check_grid(choose(str(path)))


@pytest.mark.parametrize("text", ["IND", "ind", "India", " india "])
def test_a_country_goes_by_code_or_name(text: str) -> None:
    found = choose(text)
    assert (found.region, found.unit, found.evidence) == ("IND", "g CO2e/kWh", "secondary")
    assert (found.year, found.kind, found.basis) == (2024, "life-cycle", "location")
    assert "Our World in Data" in found.source


def test_the_default_is_the_usa_and_says_so() -> None:
    assert choose(None) == choose("USA")


def test_a_number_is_yours() -> None:
    found = choose("383.6")
    assert (found.value, found.evidence, found.source) == (383.6, "stated", "stated by you")


def test_a_grid_may_emit_nothing() -> None:
    assert choose("0").value == 0


def test_a_file_brings_its_own_source(tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(WHOLE + "low: 40\nhigh: 60\n")
    found = choose(str(path))
    assert (found.range.low, found.value, found.range.high) == (40, 44.2, 60)
    assert (found.year, found.source, found.evidence) == (2024, "a table", "stated")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Indai", 'Did you mean "India"?'),
        ("USB", "Use a three-letter code"),
        ("nan", "is not a finite number"),
        ("none.yaml", "no such file. Name a YAML file with value, unit, year and source"),
        ("0.4", "below any grid: it is in g CO2e per kWh. Did you mean 400?"),
    ],
)
def test_what_is_no_factor_is_refused_with_the_nearest(text: str, says: str) -> None:
    with pytest.raises(BenchError) as refused:
        choose(text)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_status == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (WHOLE.replace("source: a table\n", ""), "`source` is missing"),
        (WHOLE.replace("unit: g CO2e/kWh\n", ""), "`unit` is missing"),
        (WHOLE.replace("44.2", "many"), "grid.yaml:1: value: "),
        (WHOLE + "colour: green\n", "grid.yaml:6: colour: "),
        (WHOLE + "low: 50\n", "is outside"),
        ("- 44.2\n", "expected keys"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_its_place(content: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(content)
    with pytest.raises(CatalogError) as refused:
        choose(str(path))
    assert says in str(refused.value)
