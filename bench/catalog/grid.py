"""Grid factors of countries, out of the data that CodeCarbon brings along.

    country_factor("DEU")          # 381 g/kWh, Germany 2023, location-based
    country_factor("india")        # by name, too

The file is read where CodeCarbon is installed, without importing CodeCarbon: 3 ms in place of a second.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.catalog.loading import nearest
from bench.errors import PrerequisiteError, UsageError

MIXES = Path("data") / "private_infra" / "global_energy_mix.json"


@dataclass(frozen=True)
class CountryFactor:
    """Location-based carbon intensity of a country's electricity."""

    intensity_g_per_kwh: float
    code: str
    """ISO 3166 alpha-3."""
    name: str
    year: int
    source: str


def country_factor(country: str) -> CountryFactor:
    """The factor of a country by its three-letter code or its English name. Raises UsageError."""
    mixes, wanted = _mixes(), country.strip()
    names = {str(mix["country_name"]).lower(): code for code, mix in mixes.items()}
    code = wanted.upper() if wanted.upper() in mixes else names.get(wanted.lower())
    if code is None:
        hint = nearest(wanted, [str(mix["country_name"]) for mix in mixes.values()])
        if not hint.startswith("Did you mean"):  # two hundred names are no help
            hint = "Use a three-letter code such as USA, IND, DEU or FRA, or an English name."
        raise UsageError(f'No grid factor is known for "{country}".', hint)
    mix = mixes[code]
    return CountryFactor(
        intensity_g_per_kwh=float(mix["carbon_intensity"]),
        code=code,
        name=str(mix["country_name"]),
        year=int(mix["year"]),
        source=f"CodeCarbon {version('codecarbon')} {MIXES.name} (Our World in Data)",
    )


@cache
def _mixes() -> dict[str, dict[str, Any]]:
    found = find_spec("codecarbon")
    if found is None or not found.submodule_search_locations:
        raise PrerequisiteError(
            "CodeCarbon is not installed, and its data hold the grid factors.", "pip install ."
        )
    path = Path(found.submodule_search_locations[0]) / MIXES
    mixes: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return {code: mix for code, mix in mixes.items() if mix.get("carbon_intensity") is not None}
