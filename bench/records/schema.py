"""The record, field by field.

A value that could not be had is `null` and its reason stands in the `absent` mapping beside it, by
field name. Zero means a measured zero. Times ending in `_ns` are CLOCK_MONOTONIC of the machine, which starts
anew with every boot; `provenance.clock` ties it to the calendar.

History of `SCHEMA`
    joulebench/record/1   first version; since then, each optional, so that older files still load:
                          `figures.uncertainty`, `blocks.rest_s`, `blocks.energy.*.rests_j`, `start`,
                          `pair`, `ended.quick`, `correction_j` of budgets, `machine.calibration`, `run_id`,
                          `trace`, `blocks.observed.peak_memory`, `case.toy`, `blocks.energy.*.edge_u_j`,
                          `blocks.energy.*.rests_u_j`, `ended.block`,
                          `blocks.energy.*.edge_common_u_j`
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from bench.records.budget_schema import Uncertainty
from bench.records.part import Count, Part

SCHEMA = "joulebench/record/1"

DomainKind = Literal["measured", "estimated"]

FigureKind = Literal["measured", "estimated", "mixed"]
"""`mixed`: a sum of measured and estimated domains; `domains` says which is which."""

HELD: dict[str, dict[str, type]] = {
    "case": {
        "model": str,
        "engine": str,
        "unit": str,
        "weights": dict,
        "weights.kind": str,
        "dtype": str,
        "batch": int,
        "seed": int,
        "options": dict,
        "hash": str,
    },
    "requested": {"batch": int, "reason": str},
    "engine": {"parameters": dict, "used": dict},
    "failure": {"stage": str, "message": str},
}
"""What the open mappings of a record hold at least, because readers of records rely on it."""


class DomainEnergy(Part):
    """One domain's energy over one window. `net_j` is gross minus idle power times the window's length."""

    gross_j: float | None
    net_j: float | None = None
    source: str
    """`counter-padded` (free of its tick), `counter`, `power-integration-*`, `rapl`, `codecarbon`."""
    kind: DomainKind
    reason: str | None = None
    """Why a value is `null`."""
    plain_j: float | None = None
    """The counter's mere difference at the edges, beside `counter-padded` as its check; else `null`."""
    rests_j: float | None = None
    """Joules of the rests between batches; `gross_j` and `plain_j` are without them. `null`: no rests."""
    rests_u_j: Annotated[float, Field(ge=0)] | None = None
    """Standard uncertainty of `rests_j` where the counter showed them; `null`: taken at the power beside."""
    edge_u_j: Annotated[float, Field(ge=0)] | None = None
    """Standard uncertainty in joules that the window's two edges leave in `gross_j`; `null`: not told."""
    edge_common_u_j: Annotated[float, Field(ge=0)] | None = None
    """The part of `edge_u_j` that all windows of a case share: that of the counter's delay."""

    @property
    def with_rests_j(self) -> float | None:
        """Joules of the whole window, those of the rests inside it included."""
        return None if self.gross_j is None else self.gross_j + (self.rests_j or 0.0)


class CodeCarbonTask(Part):
    """What CodeCarbon said of the same window, and how far its GPU figure lies from ours.

    `disagreement` is (CodeCarbon − ours) / ours over the metered GPUs. CodeCarbon's window begins before
    and ends after ours by the time its own calls take.
    """

    duration_s: float
    gpu_j: float | None
    cpu_j: float | None
    ram_j: float | None
    carbon_g: float | None
    disagreement: float | None = None
    absent: dict[str, str] = Field(default_factory=dict)


class Phase(Part):
    """A named stretch of every batch of a block, summed over its batches.

    Its energy is read off the counter's own curve and is `null` where the stretch is too short for that.
    """

    seconds: float
    count: Count
    energy: dict[str, DomainEnergy] = Field(default_factory=dict)


class Block(Part):
    """One metered window holding whole batches, edge to edge.

    `rest_s` is the part of it in which the worker rested between batches to shift the work against the card's
    sensor; those joules are taken out. `units` are pages or images; `None` where they could not be counted,
    with the reason in `reasons`.
    """

    start_ns: Count
    end_ns: Count
    batches: Count
    items: Count
    units: float | None
    tokens: Count | None = None
    words: float | None = None
    words_kind: Literal["counted", "assumed"] | None = None
    warmup: bool
    valid: bool
    reasons: list[str] = Field(default_factory=list)
    rest_s: Annotated[float, Field(ge=0)] = 0.0
    energy: dict[str, DomainEnergy]
    phases: dict[str, Phase] = Field(default_factory=dict)
    codecarbon: CodeCarbonTask | None = None
    observed: dict[str, Any] = Field(default_factory=dict)
    """Per metered GPU: temperature, clocks, share of the time throttled; load of the host; `peak_memory`,
    the most that the work took at once."""

    @property
    def duration_s(self) -> float:
        """Length of the window in seconds, rests included."""
        return (self.end_ns - self.start_ns) / 1e9

    @property
    def work_s(self) -> float:
        """Length of the window in seconds without its rests: the time that its joules belong to."""
        return self.duration_s - self.rest_s


class Idle(Part):
    """A domain's power with the model loaded and nothing asked, before and after the blocks, in watts."""

    power_w: float | None
    sd_w: float | None
    before: float | None
    after: float | None
    kind: DomainKind
    absent: dict[str, str] = Field(default_factory=dict)


class Estimate(Part):
    """A mean over blocks with its 95 % t interval; `low` and `high` are `None` for fewer than two blocks."""

    value: float
    low: float | None
    high: float | None
    n: Count

    @property
    def relative_half_width(self) -> float | None:
        """Half the interval relative to the value, or `None` where there is no interval."""
        if self.low is None or self.high is None or self.value == 0:
            return None
        return (self.high - self.low) / 2 / abs(self.value)


class ScopedFigure(Part):
    """One figure at one scope, gross and net."""

    gross: Estimate | None
    net: Estimate | None
    kind: FigureKind
    domains: dict[str, DomainKind]
    reason: str | None = None


class Figures(Part):
    """Everything derived from the valid blocks. Scopes are `gpu` and `host`; absent scopes are absent keys.

    `carbon_per_unit_g` is gross energy times the grid factor in `carbon`, at facility PUE 1.
    """

    headline_scope: Literal["gpu", "host"] | None = None
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
    """Of the headline; `null` in files written before it was kept: `records.uncertainty.of` draws it up."""
    absent: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _headline_is_there(self) -> Figures:
        scope = self.headline_scope
        if scope and not (scope in self.energy_per_unit_j and scope in self.power_w):
            raise ValueError(f"there is no figure at the headline's scope `{scope}`")
        return self


class Carbon(Part):
    """The grid factor used, location-based, and where it comes from."""

    intensity_g_per_kwh: float | None
    country: str | None
    year: int | None
    source: str


class Start(Part):
    """How warm the cards were when the case began, and what was waited for that."""

    temperature_c: dict[str, float]
    """By UUID, just before the model was loaded."""
    waited_s: float
    within_band: bool
    """Whether every card was within the band around where the run's first case began."""


class Pair(Part):
    """The other case of an interleaved pair, and the order in which both were measured."""

    side: Literal["A", "B"]
    other: str
    """The other case's label."""
    other_hash: str
    id: str | None = None
    """The same in both records of a pair, and in no other; `null` in the oldest of pairs."""
    order: str
    """The sides of all blocks in the order in which they were measured, such as `ABBABAAB`."""
    ratio: Estimate | None = None
    """Gross joules per unit of B over A over the pairs of valid blocks; what `ended` is about."""


class BlockLength(Part):
    """How long blocks were to be, at least, and why: asked for, or chosen from what the warm-up showed."""

    seconds: float
    asked: bool
    demands_s: dict[str, float] = Field(default_factory=dict)
    """The seconds that each reason asked for, where the length was chosen.

    `part-time sensor` beside the longest of the others is what a sensor costs that sees part of the time.
    """


class Ended(Part):
    """What ended the repeats, and what was asked for. Of a pair: of the ratio, not of either headline."""

    by: Literal["target", "max_seconds", "failure", "interrupt"]
    target: float
    max_seconds: float
    achieved: float | None
    """Relative half width of that 95 % interval when the repeats ended; `null` for too few of them."""
    warmup_by: Literal["steady", "max_seconds"] | None = None
    quick: bool = False
    """A first look: a wider target and shorter limits, by `--quick` or the suite.

    In older records: blocks were allowed to be shorter than a card's counter asks for.
    """
    block: BlockLength | None = None
    """`null` in older records, and where the case ended before its blocks."""


class Record(Part):
    """One case measured on one machine: what was asked, what was seen, what follows, how to repeat it."""

    schema_name: Literal["joulebench/record/1"] = Field("joulebench/record/1", alias="schema")
    status: Literal["ok", "invalid", "failed"]
    reasons: list[str] = Field(default_factory=list)
    label: str
    """The case in words, `random weights` included where that is so."""
    created: str
    run_id: str | None = None
    """The same in all records of one `bench run`, and in no other's; `null` in older files."""
    case: dict[str, Any]
    """What was measured: see `docs/records.md`. `case.hash` is its identity."""
    requested: dict[str, Any] | None = None
    """The case as first asked for, where a smaller batch had to be taken."""
    engine: dict[str, Any] | None = None
    """What was really loaded: parameters, dtypes, kernels, memory, as read back from the model."""
    start: Start | None = None
    pair: Pair | None = None
    blocks: list[Block] = Field(default_factory=list)
    idle: dict[str, Idle] = Field(default_factory=dict)
    figures: Figures = Field(default_factory=Figures)
    carbon: Carbon | None = None
    ended: Ended | None = None
    failure: dict[str, Any] | None = None
    """`stage` and `message` of what stopped a failed case."""
    machine: dict[str, Any] = Field(default_factory=dict)
    provenance: dict[str, Any] = Field(default_factory=dict)
    absent: dict[str, str] = Field(default_factory=dict)
    trace: str | None = None
    """File with all samples of the meters, relative to the record; why there is none stands in `absent`."""
    outputs: list[str] = Field(default_factory=list)
    """Files kept with --save-outputs, relative to the record."""

    @field_validator(*HELD)
    @classmethod
    def _holds_what_readers_need(
        cls, value: dict[str, Any] | None, info: ValidationInfo
    ) -> dict[str, Any] | None:
        for key, kind in HELD[info.field_name or ""].items() if value is not None else ():
            found: Any = value
            for part in key.split("."):
                found = found.get(part)
            if not isinstance(found, kind):
                reason = f"`{key}` is missing or is no {kind.__name__}"
                raise ValueError(reason)  # noqa: TRY004 - pydantic gives only a ValueError its place
        return value

    @property
    def reached_target(self) -> bool:
        """Whether the headline's interval is as narrow as was asked for."""
        ended = self.ended
        return ended is not None and ended.achieved is not None and ended.achieved <= ended.target

    @property
    def verdict(self) -> str:
        """The one word for it that every view uses: `status`, or `inconclusive` where time was up first."""
        inconclusive = self.status == "ok" and self.ended is not None and not self.reached_target
        return "inconclusive" if inconclusive else self.status

    @property
    def why(self) -> str:
        """The status and its reasons in words; of a failed case also what stopped it."""
        stopped = [str(self.failure["message"])] if self.failure else []
        return f"{self.status}: {'; '.join([*self.reasons, *stopped]) or 'no reason is given'}"

    def headline(self) -> Estimate | None:
        """Gross joules per unit at scope `gpu` where a GPU did the work, else at scope `host`."""
        scope = self.figures.headline_scope
        figure = self.figures.energy_per_unit_j.get(scope) if scope else None
        return figure.gross if figure else None
