"""Grid factor of a run, as in its records."""

from __future__ import annotations

from bench.catalog.grid import METHOD, CountryFactor
from bench.core.figures import Carbon


def carbon_of(country: CountryFactor) -> Carbon:
    """Grams of CO2e a kilowatt-hour where the work runs, with what they count, year and source."""
    return Carbon(
        intensity_g_per_kwh=country.intensity_g_per_kwh,
        country=country.code,
        year=country.year,
        source=f"{country.source}, {METHOD}, location-based",
    )
