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
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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


def country_factor(country: str) -> CountryFactor:
    """The factor of a country by its three-letter code or its English name. Raises UsageError."""
    mixes, wanted = _mixes(), country.strip()
    code = _code(wanted, mixes)
    if code is None:
        raise UsageError(f'No grid factor is known for "{country}".', _hint(wanted, mixes))
    mix = mixes[code]
    return _dated(code, str(mix["country_name"]), mix)


def _code(wanted: str, mixes: dict[str, dict[str, Any]]) -> str | None:
    """The three-letter code of a country that has a factor: by a code, a name, another name of ISO 3166."""
    names = {str(mix["country_name"]).lower(): code for code, mix in mixes.items()}
    code = names.get(wanted.lower()) or OTHER_NAMES.get(wanted.lower()) or wanted.upper()
    if code in mixes:
        return code
    with contextlib.suppress(ModuleNotFoundError, LookupError):
        import pycountry  # comes with CodeCarbon; 0.1 s, so only for what is known by no name of its data

        found = str(pycountry.countries.lookup(wanted).alpha_3)
        return found if found in mixes else None
    return None


def _hint(wanted: str, mixes: dict[str, dict[str, Any]]) -> str:
    """A name that is nearly the one typed: letters in common alone make Germany of Niger."""
    names = [str(mix["country_name"]) for mix in mixes.values()]
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


def _dated(code: str, name: str, mix: dict[str, Any]) -> CountryFactor:
    """Factor of the bundled series, else of CodeCarbon's file. Raises UsageError for one of 0 or less."""
    if (point := latest(code)) is not None:
        source = f"Our World in Data after Ember, edition {point.edition} ({point.source})"
        return CountryFactor(point.intensity_g_per_kwh, code, name, point.year, source, point.edition)
    intensity, year = float(mix["carbon_intensity"]), int(mix["year"])
    if not intensity > 0:
        raise UsageError(
            f"{name} has {intensity:g} g/kWh in {year} in CodeCarbon's data, which no grid emits.",
            "State g CO2e/kWh, or a YAML file with its source.",
        )
    source = f"CodeCarbon {version('codecarbon')} {MIXES.name} (Our World in Data)"
    newest = max(point.year for point in series())
    if year <= newest - OLD_YEARS:
        source += f", {newest - year} years before the newest"
    return CountryFactor(intensity, code, name, year, source)


@cache
def _mixes() -> dict[str, dict[str, Any]]:
    found = find_spec("codecarbon")
    if found is None or not found.submodule_search_locations:
        raise PrerequisiteError(
            "CodeCarbon is not installed, and its data have the grid factors.",
            f"Install it with: {install_command('codecarbon')}",
        )
    path = Path(found.submodule_search_locations[0]) / MIXES
    mixes: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return {code: mix for code, mix in mixes.items() if mix.get("carbon_intensity") is not None}
