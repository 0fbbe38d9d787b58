"""Rows of the bundled figures: what each states beside its value, with id, unit, scope, year and evidence.

    factors()["pue.industry.2025"].range        # Range(1.54, 1.54, 1.54)

`bench.footprint.reference` reads them from `bench/data/reference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bench.core.quantities import J_PER_KWH, J_PER_WH, Joules, Range

EvidenceGrade = Literal["primary", "secondary", "derived", "memory", "stated"]
"""Evidence of a figure: the source itself, a quotation, a derivation, or memory.
`stated` is what the user gives; no bundled row has it, and nothing of `memory` is ever a default."""

WEAKEST_FIRST: tuple[EvidenceGrade, ...] = ("memory", "stated", "derived", "secondary", "primary")

J_PER = {"J": 1.0, "Wh": J_PER_WH, "kWh": J_PER_KWH, "MWh": 1e3 * J_PER_KWH}
"""Joules in each unit of energy that figures are published in."""

GridKind = Literal["life-cycle", "stack", "mixed", "unknown"]
"""Accounting method of a grid factor: life cycle of generation, upstream methane included; CO2 at the stacks
of power stations; a mixture of both; or not stated. In the USA of 2023 the first is 7 % above the second."""

Basis = Literal["location", "market"]
"""Scope 2 basis of CO2e: the local grid, or the contracts bought. Never compared across."""

Held = Literal["in", "out", "unknown"]
"""Whether a part is inside a figure, by its source."""

PublishedScope = Literal["gpu", "host", "wall", "facility", "lifecycle", "training", "unknown"]

SCOPES: dict[PublishedScope, str] = {
    "gpu": "the cards alone, without training",
    "host": "cards, CPU and memory, without training",
    "wall": "at the socket, without training",
    "facility": "with the data centre's overhead, without training",
    "lifecycle": "with the making of machines, a share of training, or both",
    "training": "a whole training run, or its share",
    "unknown": "the source does not state what is in it",
}
"""Every scope of a figure, in the order in which they are shown; no figure is ranked across them."""


def scope_named(name: str) -> PublishedScope:
    """The scope of that name; `unknown` for a word that is none of them."""
    return next((scope for scope in SCOPES if scope == name), "unknown")


class Part(BaseModel):
    """Frozen, finite, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FigureSource(Part):
    """Work that figures are taken from: its citation, its address, and the month in which it was read."""

    citation: str
    url: str | None = None
    year: int | None = None
    seen: Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")] | None = None
    """Month of reading, for a source without a date."""
    where: str | None = None
    """Place in the source, or of the quotation, if no address leads there."""


class ReferenceRow(Part):
    """Fields of every figure beside its value."""

    id: Annotated[str, Field(min_length=1)]
    year: Annotated[int, Field(ge=1950, le=2100)] | None = None
    """`None` for an undated source, with `Undated` in the note."""
    source: str
    """A key of sources.yaml, or words where the user stated the figure."""
    evidence: EvidenceGrade
    note: str | None = None


class Factor(ReferenceRow):
    """A number that a step multiplies or divides by."""

    value: float
    low: float | None = None
    high: float | None = None
    unit: str
    scope: str
    """Coverage: a grid, a device, a person, ..."""
    region: str | None = None
    boundary: str | None = None
    kind: GridKind | None = None
    """Accounting method, for a grid factor."""
    basis: Basis | None = None
    """Scope 2 basis, for a grid factor."""
    edition: str | None = None
    """Year of the edition, for a row of a revised series."""
    superseded_by: str | None = None
    """Id of the row of a later edition; nothing bundled uses a superseded row."""
    same_as: str | None = None
    """Id of the row with this fact; keys stated beside it (a unit, a note) override that row's."""
    computed: str | None = None
    """Arithmetic of a derived row over numbers and {ids} of other rows; a test recomputes it."""
    cards: Annotated[int, Field(ge=1)] | None = None
    """Of a device with several cards: how many share its making."""

    @model_validator(mode="after")
    def _is_a_range(self) -> Factor:
        Range.of(self.value, self.low, self.high)
        return self

    @property
    def range(self) -> Range:
        """The value with its range."""
        return Range.of(self.value, self.low, self.high)


class Published(ReferenceRow):
    """A published figure: `value` of `value_unit` per `count` of `unit`; `None` for an unseen source."""

    system: str
    modality: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    value_unit: str
    unit: str
    count: Annotated[int, Field(ge=1)] = 1
    scope: PublishedScope
    boundary: str
    """The source's own words for what it counts."""
    idle_inside: bool = False
    """Whether the energy includes the machine's idle draw."""
    hardware: str | None = None
    at: str | None = None
    """Place in the source."""
    conditions: dict[str, float | str] = Field(default_factory=dict)
    basis: Basis | Literal["unknown"] | None = None
    """Scope 2 basis, for CO2e."""
    training: Held | None = None
    """Whether a share of training is inside, for CO2e."""
    embodied: Held | None = None
    """Whether the making of the machines is inside, for CO2e."""

    @model_validator(mode="after")
    def _says_what_is_in_its_co2e(self) -> Published:
        stated = [self.basis, self.training, self.embodied]
        if (None in stated) == self.is_co2e or (not self.is_co2e and any(stated)):
            raise ValueError("CO2e, and CO2e alone, states its basis, training and embodied")
        return self

    @property
    def is_co2e(self) -> bool:
        """Whether the figure is of greenhouse gases."""
        return "CO2" in self.value_unit

    @model_validator(mode="after")
    def _is_a_range_from_0(self) -> Published:
        if self.value is not None and (Range.of(self.value, self.low, self.high).low < 0 or not self.value):
            raise ValueError(f"a figure of {self.value:g} is none: nothing takes 0, or less")
        return self

    def as_factor(self) -> dict[str, Any]:
        """Keys of a factor with this figure, without an id."""
        kept = {"value", "low", "high", "scope", "year", "source", "evidence", "note"}
        return self.model_dump(exclude_none=True, include=kept) | {"unit": self.value_unit}

    @property
    def joules(self) -> Joules | None:
        """Joules per one of `unit`; `None` for a row without a value, or of another quantity than energy."""
        if self.value is None or self.value_unit not in J_PER:
            return None
        return Joules(Range.of(self.value, self.low, self.high) * J_PER[self.value_unit] / self.count)


class Baseline(ReferenceRow):
    """One way to count what a person's page or image takes; `value` or the ids of `inputs`, never both."""

    unit: str
    """Unit of output: page, image, tv_hour, ..."""
    method: str
    region: str
    scope: str
    inputs: dict[str, str] = Field(default_factory=dict)
    printed: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    value_unit: str | None = None

    @model_validator(mode="after")
    def _has_a_value_or_inputs(self) -> Baseline:
        if bool(self.inputs) == (self.value is not None and self.value_unit is not None):
            raise ValueError("a baseline has either inputs, or a value with its unit")
        return self


class RatioVector(Part):
    """A ratio in print, and what the inputs of the paper give for it."""

    id: str
    human: str
    ai: str
    exact: float
    printed: float
    where: str
    agrees: bool
    fitted: str | None = None
    """The input that was chosen to make the ratio come out, which then confirms nothing."""
    why: str | None = None

    @model_validator(mode="after")
    def _explains_what_disagrees(self) -> RatioVector:
        if not self.agrees and self.why is None:
            raise ValueError("a ratio that disagrees with the print needs a reason")
        return self


class Price(Part):
    """An API's list price for one kind of token."""

    id: str
    tokens: str
    value: Annotated[float, Field(gt=0)]
    unit: str
    scope: str
    year: int
    source: str
    evidence: EvidenceGrade


class OpenWeights(Part):
    """Weights of the system, or of a substitute for it."""

    hub_id: str
    parameters_b: float
    licence: str
    gated: bool | str
    counts: Literal["all", "denoiser"] = "all"
    """Components in `parameters_b`."""
    memory_gb: float
    dtype: str = "bfloat16"
    """Number format of the weights in `memory_gb`."""
    memory: Literal["weights", "claim"] = "weights"
    """Meaning of `memory_gb`: size of the weights in 10⁹ bytes, or a claimed need of GPU memory."""
    evidence: EvidenceGrade
    note: str | None = None


class System(Part):
    """A well-known system, and the facts about it."""

    id: str
    name: str
    kind: str
    modality: str
    how: str
    in_papers: bool = True
    """Whether the papers name it; the rest are systems of published figures alone."""
    measured_by: list[str] = Field(default_factory=list)
    """Models of models.yaml that are this system."""
    stand_ins: list[str] = Field(default_factory=list)
    """Models of models.yaml that are measured in its place."""
    figures: list[str]
    prices: list[Price] = Field(default_factory=list)
    open_weights: list[OpenWeights] = Field(default_factory=list)

    @model_validator(mode="after")
    def _has_models_of_one_kind(self) -> System:
        if self.measured_by and self.stand_ins:
            raise ValueError("a system that is measured itself has no stand-in")
        return self


def weakest(found: Sequence[EvidenceGrade]) -> EvidenceGrade:
    """The evidence of what follows from several figures: that of the weakest."""
    return min(found, key=WEAKEST_FIRST.index)
