"""`scripts/update-factors` on a small file of the public format, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalog import grid_series
from bench.errors import UsageError
from scripts.facts import update

HEAD = (
    "country,year,iso_code,population,gdp,biofuel_cons_change_pct,biofuel_cons_change_twh,"
    "biofuel_cons_per_capita,biofuel_consumption,biofuel_elec_per_capita,biofuel_electricity,"
    "biofuel_share_elec,biofuel_share_energy,carbon_intensity_elec,coal_cons_change_pct"
)
"""The first columns of the public file."""

ROWS = (
    "ASEAN (Ember),2026,,,,,,,,,37.390,2.729,,560.000,",
    "Central African Republic,2026,CAF,,,,,,,,,,,0.000,",
    "France,2024,FRA,,,,,,,,,,,43.100,",
    "France,2025,FRA,,,,,,,,,,,41.900,",
    "France,2026,FRA,,,,,,,,,,,,",
    "United States,1985,USA,,,,,,,,,,,700.000,",
    "United States,2024,USA,,,,,,,,,,,383.800,",
    "United States,2025,USA,,,,,,,,,,,380.000,",
    "United States,2026,USA,,,,,,,,,,,379.960,",
    "World,2026,,,,,,,,,,,,450.000,",
)
"""Groups of countries have no code; years without electricity data have no value."""

PUBLIC = "\n".join((HEAD, *ROWS, ""))


@pytest.fixture
def public(tmp_path: Path) -> Path:
    path = tmp_path / "owid-energy-data.csv"
    path.write_text(PUBLIC, encoding="utf-8")
    return path


def test_the_newest_year_and_every_year_held_are_taken(public: Path) -> None:
    found = grid_series.revise(grid_series.read_public(public), "2027", grid_series.series())
    assert found.changes == [
        "FRA 2024: 43.1 g/kWh, was 44.2 (edition 2025), -2.5%",
        "FRA 2025: 41.9 g/kWh, new",
        "USA 2025: 380.0 g/kWh, was 384.4 (edition 2026), -1.1%",
        "USA 2026: 380.0 g/kWh, new",
        "WOR 2026: 450.0 g/kWh, new",
    ]
    assert found.left_out == ["CAF 2026: 0 g/kWh, which no grid emits"]
    points = {point.id: point for point in found.points}
    assert points["grid.usa.2025.owid2026"].superseded_by == "grid.usa.2025.owid2027"
    latest = grid_series.latest("USA", found.points)
    assert latest is not None
    assert (latest.year, latest.intensity_g_per_kwh, latest.edition) == (2026, 380.0, "2027")
    assert grid_series.latest("DEU", found.points) == grid_series.latest("DEU")


def test_an_edition_that_is_held_changes_nothing_more(public: Path) -> None:
    seen = grid_series.read_public(public)
    once = grid_series.revise(seen, "2027", grid_series.series())
    assert grid_series.revise(seen, "2027", once.points).changes == []


def test_the_file_written_is_the_file_read() -> None:
    assert grid_series.text_of(grid_series.series()) == grid_series.path().read_text(encoding="utf-8")


def test_the_command_shows_and_writes_nothing(public: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = grid_series.path().read_bytes()
    assert update.main([str(public)]) == 0
    assert "USA 2025: 380.0 g/kWh, was 384.4" in capsys.readouterr().out
    assert update.main([str(public), "--write"]) == 2, "an edition without a source is not taken over"
    assert "sources.yaml has no `owid2027`" in capsys.readouterr().err
    assert grid_series.path().read_bytes() == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("country,year\nFrance,2025\n", "the column `iso_code` is missing"),
        (PUBLIC.replace("379.960", "many"), ":10: could not convert"),
        ("country,year,iso_code,carbon_intensity_elec\n", "it has no carbon intensity"),
    ],
)
def test_another_file_is_refused(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.csv"
    path.write_text(text, encoding="utf-8")
    assert update.main([str(path)]) == 2
    assert says in capsys.readouterr().err
    with pytest.raises(UsageError, match="cannot be read"):
        grid_series.read_public(tmp_path / "none.csv")
