"""Factors with plain values, for tests of what is done with them."""

from __future__ import annotations

from bench.footprint.bundled_rows import Factor


def factor(value: float, unit: str, low: float | None = None, high: float | None = None) -> Factor:
    """A factor of a table that does not exist."""
    return Factor(
        id=f"some {unit}",
        value=value,
        low=low,
        high=high,
        unit=unit,
        scope="sample",
        year=2024,
        source="a table",
        evidence="secondary",
    )


def grid(value: float = 400.0, low: float | None = None, high: float | None = None) -> Factor:
    """A grid factor."""
    return factor(value, "g CO2e/kWh", low, high)


def pue(value: float = 1.5, low: float | None = None, high: float | None = None) -> Factor:
    """A power usage effectiveness."""
    return factor(value, "1", low, high)
