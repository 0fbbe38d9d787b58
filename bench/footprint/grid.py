"""Grid factor of the option `--grid`: a country, a number of g CO2e/kWh, or a file.

    choose(None)             # USA, of the bundled series
    choose("DEU")            # a country, by code or name
    choose("383.6")          # a number, stated by you
    choose("grid.yaml")      # value, unit, year and source, perhaps low and high, in a file

A file states where its factor comes from:

    value: 44.2
    unit: g CO2e/kWh
    region: FRA
    year: 2024
    source: Ember, yearly electricity data
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from bench.catalog.grid import country_factor
from bench.catalog.grid_series import WORLD, latest
from bench.catalog.yaml_source import read
from bench.errors import CatalogError, UsageError
from bench.footprint.bundled_rows import Factor
from bench.footprint.reference import factors
from bench.streams import is_standard

DEFAULT_COUNTRY = "USA"
UNIT = "g CO2e/kWh"
KG_TO_G = 1000
REMEDY = "Name a YAML file with value, unit, year and source, a country, or a number of g CO2e/kWh."


def choose(text: str | None) -> Factor:
    """The factor that the text means. Raises UsageError or CatalogError."""
    wanted = DEFAULT_COUNTRY if text is None else text.strip()
    try:
        number = float(wanted)
    except ValueError:
        path = Path(wanted)
        if path.suffix in (".yaml", ".yml") or path.is_file() or is_standard(path):
            return _from_file(path)
        return _of_country(wanted)
    if 0 < number < 1:
        raise UsageError(
            f"--grid {wanted} is below any grid: it is in g CO2e per kWh.",
            f"Did you mean {number * KG_TO_G:g}?",
        )
    return stated("--grid", number, UNIT, "grid")


def stated(name: str, value: float, unit: str, scope: str) -> Factor:
    """A factor that the user gives on the command line."""
    try:
        return Factor(id=name, value=value, unit=unit, scope=scope, source="stated by you", evidence="stated")
    except ValidationError as error:
        raise UsageError(f"{name} {value} is not a finite number.") from error


def _of_country(country: str) -> Factor:
    if country.lower() in ("world", WORLD.lower()):
        return _of_world()
    found = country_factor(country)
    return Factor(
        id=f"grid of {found.name}",
        value=found.intensity_g_per_kwh,
        unit=UNIT,
        scope="grid",
        region=found.code,
        kind="life-cycle",
        basis="location",
        edition=found.edition,
        year=found.year,
        source=found.source,
        evidence="secondary",
    )


def _of_world() -> Factor:
    """Factor of the world. CodeCarbon has no such country, so it is not available to a run."""
    point = latest(WORLD)
    assert point is not None  # a test checks that the series has it
    return factors()[point.id]


def _from_file(path: Path) -> Factor:
    content = read(path, REMEDY)
    if not isinstance(content.value, dict):
        raise CatalogError(f"{path}:1: expected keys with their values.")
    needed = {"value", "unit", "year", "source"}
    if missing := sorted(needed - content.value.keys()):
        raise CatalogError(f"{path}:1: `{missing[0]}` is missing: a factor has {', '.join(sorted(needed))}.")
    given = {"id": str(path), "scope": "grid", "evidence": "stated"} | content.value
    try:
        return Factor.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = tuple(first["loc"])
        place = f"{content.where(at)}: {'.'.join(map(str, at)) or 'the factor'}"
        raise CatalogError(f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}.") from error
