"""Figures with their intervals, as they follow from blocks: gross and net, scope by scope."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from bench.core.budget import Uncertainty
from bench.core.energy import DomainKind, FigureKind
from bench.core.model import Count, SchemaModel, check_interval
from bench.core.scope import MeteredScope


class Estimate(SchemaModel):
    """A mean over blocks with its 95 % t interval; `low` and `high` are `None` for fewer than two blocks."""

    value: float
    low: float | None
    high: float | None
    n: Count

    @model_validator(mode="after")
    def _interval_contains_value(self) -> Self:
        check_interval(self.value, self.low, self.high)
        return self

    @property
    def relative_half_width(self) -> float | None:
        """Half the interval relative to the value; `None` without an interval."""
        if self.low is None or self.high is None or self.value == 0:
            return None
        return (self.high - self.low) / 2 / abs(self.value)

    def in_units_of(self, unit: float) -> Estimate:
        """The same in a unit of that many of this one's: joules in units of 3600 are watt-hours."""
        low, high = (None if end is None else end / unit for end in (self.low, self.high))
        return Estimate(value=self.value / unit, low=low, high=high, n=self.n)


class ScopedFigure(SchemaModel):
    """One figure at one scope, gross and net."""

    gross: Estimate | None
    net: Estimate | None
    kind: FigureKind
    domains: dict[str, DomainKind] = Field(min_length=1)
    """What it is a sum of, at least one; `cpu:package-0` for example, with how it is known."""
    reason: str | None = None


class LatencyFigures(SchemaModel):
    """Percentiles of a latency in seconds: each the mean of those of the blocks, with its interval."""

    median: Estimate
    p90: Estimate
    p99: Estimate


class RestartFigures(SchemaModel):
    """Spread of the headline over several starts of one server: standard deviations relative to the mean."""

    starts: Count
    energy_per_unit_j: Estimate
    """Mean over the means of the starts; its interval has what differs from start to start."""
    between_share: float
    """From start to start, beyond what the blocks' own scatter explains: 0 where that explains all of it."""
    within_share: float | None
    """Of blocks of one start; `null` where each start has one block."""


class ServedFigures(SchemaModel):
    """What a server's load adds to the figures: idle, rates and latencies.

    Joules per output token and per successful request are `energy_per_token_j` and `energy_per_item_j` of the
    figures; net of idle, the latter is the marginal energy of a request at this load.
    """

    idle_power_w: dict[str, float] = Field(default_factory=dict)
    """By scope: power of the loaded server that nothing is asked of."""
    idle_share: dict[str, Estimate] = Field(default_factory=dict)
    """By scope: share of the joules that would have been drawn without any request."""
    requests_per_s: Estimate | None = None
    output_tokens_per_s: Estimate | None = None
    price_per_request_usd: Estimate | None = None
    running: Estimate | None = None
    """Requests between their first and last token, as the client saw them."""
    stated_running: Estimate | None = None
    """Requests that the server's own metrics state as running."""
    cache_hit_share: Estimate | None = None
    accepted_draft_share: Estimate | None = None
    ttft_s: LatencyFigures | None = None
    inter_token_s: LatencyFigures | None = None
    end_to_end_s: LatencyFigures | None = None
    restarts: RestartFigures | None = None
    """`null` where the server was started once, or was up before."""
    per_node_j: dict[str, dict[str, ScopedFigure]] = Field(default_factory=dict)
    """Joules per unit by node, by scope, of a server that is spread over nodes; units are the server's."""
    per_role_j: dict[str, dict[str, ScopedFigure]] = Field(default_factory=dict)
    """The same by role, over all nodes of the role: `prefill`, `decode`, ..."""
    absent: dict[str, str] = Field(default_factory=dict)


class TokenFigures(SchemaModel):
    """Joules over the tokens that were read and written, by scope; a scope without them is an absent key.

    All joules of a block are over all its tokens of a kind. `per_token_of_phase_j` has what a phase alone
    took: prefill (or the encoder) over the tokens read, decode over those written.
    """

    per_input_token_j: dict[str, ScopedFigure] = Field(default_factory=dict)
    per_total_token_j: dict[str, ScopedFigure] = Field(default_factory=dict)
    """Over tokens read and written together."""
    output_tokens_per_j: dict[str, ScopedFigure] = Field(default_factory=dict)
    per_token_of_phase_j: dict[str, Estimate] = Field(default_factory=dict)
    """By phase, of the metered GPUs; gross."""
    reasoning_token_share: Estimate | None = None
    """Of the tokens written, in blocks of a model that reasons before it writes."""


class NeighbourFigures(SchemaModel):
    """The machine's cards that the work did not use, over the blocks that count: in no other figure.

    A card that another case of the run had during one of the blocks is not among them.
    """

    cards: Count
    busy: Count | None
    """How many of them something ran on; `null` where a driver does not report it."""
    power_w: Estimate | None
    """Of all of them together."""
    reason: str | None = None
    """Reason for a `power_w` of `null`."""
    of_other_cases: Count = 0
    """Cards left out of all these numbers, since other cases of the same run were at work on them."""


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
    served: ServedFigures | None = None
    """Of a server's load; `null` of all other cases."""
    uncertainty: Uncertainty | None = None
    """Of the headline; `null` in files written before it was kept: `stats.uncertainty.of` draws it up."""
    tokens: TokenFigures | None = None
    """`null` where no tokens were counted, and in files written before it was kept."""
    neighbours: NeighbourFigures | None = None
    """`null` where the work used all cards, and in files written before it was kept."""
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
