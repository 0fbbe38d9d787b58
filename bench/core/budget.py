"""The uncertainty of a figure as a budget in the sense of the GUM (JCGM 100:2008)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bench.core.model import Count, SchemaModel, check_interval
from bench.core.scope import MeteredScope

Distribution = Literal["t", "normal", "rectangular", "triangular", "exact"]


ComparedWith = Literal["same_card", "absolute"]
"""Against the same card at like power, or against any other card or machine."""


class BudgetInput(SchemaModel, frozen=True):
    """One line of an uncertainty budget in the sense of the GUM (JCGM 100:2008).

    `contribution_j` is |`sensitivity`| × `standard_uncertainty` in joules per unit of output; `relative` is
    that over the figure. A value is `null` where the input does not apply or is not known: see `reason`.
    """

    name: str
    type: Literal["A", "B"]
    """A: from the spread of this record's own values; B: from anything else."""
    distribution: Distribution
    unit: str
    """Unit of the input: `W`, `K`, `tick`, `1` for a relative one, ..."""
    standard_uncertainty: float | None
    """In `unit`."""
    sensitivity: float | None
    """Joules per unit of output, per `unit` of the input."""
    contribution_j: float | None
    relative: float | None
    dof: float | None = None
    """Degrees of freedom; `null` means infinitely many."""
    enters: list[ComparedWith] = Field(default_factory=list)
    """Results that the input is part of; `reason` explains an empty list. If unknown, they are `null`."""
    source: str
    """Source of the number."""
    assumed: bool = False
    """Whether it rests on a supposition about this machine instead of an observation or a specification."""
    reason: str | None = None


class Expanded(SchemaModel, frozen=True):
    """A figure with its expanded uncertainty, in joules per unit of output."""

    value: float
    low: float
    high: float
    standard_uncertainty_j: float
    coverage_factor: float
    dof: float | None
    """Effective degrees of freedom (Welch and Satterthwaite); `null` means infinitely many."""

    @model_validator(mode="after")
    def _interval_contains_value(self) -> Self:
        check_interval(self.value, self.low, self.high)
        return self

    @property
    def relative_half_width(self) -> float | None:
        """Half the interval relative to the value, or `None` for a value of zero."""
        half = self.coverage_factor * self.standard_uncertainty_j
        return half / abs(self.value) if self.value else None


class Autocorrelation(SchemaModel, frozen=True):
    """Correlation of each block's joules per unit with those of the block before."""

    value: float | None
    n: Count
    limit: float | None
    """2/√n: a smaller absolute value does not differ significantly from 0."""
    widened_by: float
    """Factor on the run-to-run standard uncertainty, √((1+φ)/(1−φ)); 1 where φ is only reported."""
    reason: str | None = None
    """Reason for an absent value, or for not using it."""


class Budget(SchemaModel, frozen=True):
    """The uncertainty of one figure. Each input lists the results that it enters."""

    value: float
    """As the meters read it, never corrected, so that records of one card stay comparable."""
    n: Count
    correction_j: float | None = None
    """Correction of `value` in `absolute`, by gain and offset of calibrated cards; `null` without one."""
    inputs: list[BudgetInput]
    same_card: Expanded | None
    """For comparison with the same card at like power: without what then cancels."""
    absolute: Expanded | None
    """For comparison with another card, machine or meter."""
    lag1: Autocorrelation
    absent: dict[str, str] = Field(default_factory=dict)


class Uncertainty(SchemaModel, frozen=True):
    """The budgets of the headline: gross and net joules per unit of output at `scope`, at 95 % coverage."""

    scope: MeteredScope | None = None
    gross: Budget | None = None
    net: Budget | None = None
    absent: dict[str, str] = Field(default_factory=dict)
