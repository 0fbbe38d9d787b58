"""Grid factors of countries: of the bundled dated series, else of CodeCarbon's copy of an older edition.

    country_factor("USA")          # 384.4 g/kWh, United States 2025, life cycle of generation, location-based
    country_factor("india")        # by name, too

CodeCarbon's file is read where it is installed, without importing CodeCarbon: 3 ms in place of a second. It
is an edition of 2024 of the same series: later ones revised the USA of 2023 from 369.5 to 392.9 g/kWh.
"""

from __future__ import annotations

import contextlib
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from bench.catalog.grid_series import latest, series
from bench.core.figures import Carbon
from bench.dependencies import install_command
from bench.errors import PrerequisiteError, UsageError

MIXES = Path("data") / "private_infra" / "global_energy_mix.json"


OTHER_NAMES = {
    "uk": "GBR",
    "great britain": "GBR",
    "ger": "DEU",
    "holland": "NLD",
    "ivory coast": "CIV",
    "burma": "MMR",
    "swaziland": "SWZ",
}
"""Names in use that ISO 3166 does not list."""

OLD_YEARS = 3
"""Age in years, against the newest of the series, from which a factor's source mentions its age."""

METHOD = "life cycle of generation"
"""Accounting method of every factor here. Factors of CO2 at the stacks are lower: 7 % in the USA of 2023."""


@dataclass(frozen=True)
class CountryFactor:
    """Carbon intensity of a country's electricity: life cycle of generation, location-based."""

    intensity_g_per_kwh: float
    code: str
    """ISO 3166 alpha-3."""
    name: str
    year: int
    source: str
    edition: str | None = None
    """Edition of the bundled series; `None` for CodeCarbon's copy."""

    @property
    def carbon(self) -> Carbon:
        """The factor as in a record: g CO2e/kWh where the work runs, what it counts, year and source."""
        return Carbon(
            intensity_g_per_kwh=self.intensity_g_per_kwh,
            country=self.code,
            year=self.year,
            source=f"{self.source}, {METHOD}, location-based",
        )


class EnergyMix(NamedTuple):
    """A country's row in CodeCarbon's file; it may have an intensity of 0."""

    name: str
    intensity_g_per_kwh: float
    year: int


def country_factor(country: str) -> CountryFactor:
    """The factor of a country by its three-letter code or its English name. Raises UsageError."""
    mixes, wanted = _mixes(), country.strip()
    code = _code(wanted, mixes)
    if code is None:
        raise UsageError(f'No grid factor is known for "{country}".', _hint(wanted, mixes))
    return _dated(code, mixes[code])


def _code(wanted: str, mixes: Mapping[str, EnergyMix]) -> str | None:
    """The three-letter code of a country that has a factor: by a code, a name, another name of ISO 3166."""
    names = {mix.name.lower(): code for code, mix in mixes.items()}
    code = names.get(wanted.lower()) or OTHER_NAMES.get(wanted.lower()) or wanted.upper()
    if code in mixes:
        return code
    with contextlib.suppress(ModuleNotFoundError, LookupError):
        import pycountry  # comes with CodeCarbon; 0.1 s, so only for what is known by no name of its data

        found = str(pycountry.countries.lookup(wanted).alpha_3)
        return found if found in mixes else None
    return None


def _hint(wanted: str, mixes: Mapping[str, EnergyMix]) -> str:
    """A name that is nearly the one typed: letters in common alone make Germany of Niger."""
    names = [mix.name for mix in mixes.values()]
    near = next((name for name in names if _is_slip(wanted.lower(), name.lower())), None)
    if near is not None and len(wanted) > 3:
        return f'Did you mean "{near}"?'
    return "Use a three-letter code such as USA, IND, DEU or FRA, or an English name."


def _is_slip(typed: str, name: str) -> bool:
    """Whether each word is nearly that of the name."""
    ours, theirs = typed.split(), name.split()
    if len(ours) != len(theirs):
        return False
    pairs = zip(ours, theirs, strict=True)
    return all(difflib.SequenceMatcher(None, one, other).ratio() >= 0.79 for one, other in pairs)


def _dated(code: str, mix: EnergyMix) -> CountryFactor:
    """Factor of the bundled series, else of CodeCarbon's file. Raises UsageError for one of 0 or less."""
    if (point := latest(code)) is not None:
        source = f"Our World in Data after Ember, edition {point.edition} ({point.source})"
        return CountryFactor(point.intensity_g_per_kwh, code, mix.name, point.year, source, point.edition)
    if not mix.intensity_g_per_kwh > 0:
        raise UsageError(
            f"{mix.name} has {mix.intensity_g_per_kwh:g} g/kWh in {mix.year} in CodeCarbon's data, which no "
            "grid emits.",
            "State g CO2e/kWh, or a YAML file with its source.",
        )
    source = f"CodeCarbon {version('codecarbon')} {MIXES.name} (Our World in Data)"
    newest = max(point.year for point in series())
    if mix.year <= newest - OLD_YEARS:
        source += f", {newest - mix.year} years before the newest"
    return CountryFactor(mix.intensity_g_per_kwh, code, mix.name, mix.year, source)


@cache
def _mixes() -> dict[str, EnergyMix]:
    found = find_spec("codecarbon")
    if found is None or not found.submodule_search_locations:
        raise PrerequisiteError(
            "CodeCarbon is not installed, and its data have the grid factors.",
            f"Install it with: {install_command('codecarbon')}",
        )
    path = Path(found.submodule_search_locations[0]) / MIXES
    return {
        code: EnergyMix(str(row["country_name"]), float(row["carbon_intensity"]), int(row["year"]))
        for code, row in json.loads(path.read_text(encoding="utf-8")).items()
        if row.get("carbon_intensity") is not None
    }
