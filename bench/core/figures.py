"""Figures with their intervals, as they follow from blocks: gross and net, scope by scope."""

from __future__ import annotations

from pydantic import Field, model_validator

from bench.core.budget import Uncertainty
from bench.core.energy import DomainKind, FigureKind
from bench.core.model import Count, SchemaModel
from bench.core.scope import MeteredScope


class Estimate(SchemaModel):
    """A mean over blocks with its 95 % t interval; `low` and `high` are `None` for fewer than two blocks."""

    value: float
    low: float | None
    high: float | None
    n: Count

    @property
    def relative_half_width(self) -> float | None:
        """Half the interval relative to the value; `None` without an interval."""
        if self.low is None or self.high is None or self.value == 0:
            return None
        return (self.high - self.low) / 2 / abs(self.value)


class ScopedFigure(SchemaModel):
    """One figure at one scope, gross and net."""

    gross: Estimate | None
    net: Estimate | None
    kind: FigureKind
    domains: dict[str, DomainKind]
    reason: str | None = None


class Figures(SchemaModel):
    """Everything derived from the valid blocks, by scope; absent scopes are absent keys.

    `carbon_per_unit_g` is gross energy times the grid factor in `carbon`, at facility PUE 1.
    """

    headline_scope: MeteredScope | None = None
    energy_per_unit_j: dict[str, ScopedFigure] = Field(default_factory=dict)
    energy_per_item_j: dict[str, ScopedFigure] = Field(default_factory=dict)
    energy_per_token_j: dict[str, ScopedFigure] = Field(default_factory=dict)
    carbon_per_unit_g: dict[str, ScopedFigure] = Field(default_factory=dict)
    power_w: dict[str, ScopedFigure] = Field(default_factory=dict)
    phase_energy_share: dict[str, float] = Field(default_factory=dict)
    phase_time_share: dict[str, float] = Field(default_factory=dict)
    time_per_unit_s: Estimate | None = None
    units_per_second: Estimate | None = None
    uncertainty: Uncertainty | None = None
    """Of the headline; `null` in files written before it was kept: `stats.uncertainty.of` draws it up."""
    absent: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _headline_is_there(self) -> Figures:
        scope = self.headline_scope
        if scope and not (scope in self.energy_per_unit_j and scope in self.power_w):
            raise ValueError(f"the figure at the headline's scope `{scope}` is missing")
        return self


class Carbon(SchemaModel):
    """The grid factor used, location-based, and where it comes from."""

    intensity_g_per_kwh: float | None
    country: str | None
    year: int | None
    source: str
