"""Evidence of a budget, and the form of its lines.

    def hum(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
        known = within(0.01, evidence.value_j)        # ±1 % of the figure, rectangular
        yield line(evidence, "hum", known, BOTH, "where it is stated")

Each input of a budget (`inputs`, `cards`, `sensors`) is a function of the evidence that gives lines. It sees
only the blocks that count, at the headline's scope, so none chooses blocks for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal, TypeGuard

from bench.core.block import Block, Idle
from bench.core.budget import BudgetInput, ComparedWith, Distribution
from bench.core.calibration import Calibration, SensorLine
from bench.core.domain import Domain, gpus
from bench.core.energy import energy_sum
from bench.core.observed import GpuObserved
from bench.core.source import GainPrior
from bench.stats.budget import gum
from bench.stats.independent import independent

BOTH: tuple[ComparedWith, ...] = ("same_card", "absolute")
ABSOLUTE: tuple[ComparedWith, ...] = ("absolute",)
"""For what cancels between two figures of one card at like power."""
NEITHER: tuple[ComparedWith, ...] = ()

YANG = "Yang et al. 2023, arXiv:2312.02741"

LARGEST = 1e60
"""A number beyond this is a damaged record. The square of a ratio of two such still fits a float."""


@dataclass(frozen=True)
class BudgetEvidence:
    """The blocks that count, the domains of the scope, and which of the two figures it is: gross or net.

    `values_j` are the blocks' joules per unit of output; `gpu_names` and `calibrations` are by domain.
    """

    blocks: tuple[Block, ...]
    domains: tuple[str, ...]
    values_j: tuple[float, ...]
    net: bool
    idle: Mapping[str, Idle]
    gpu_names: Mapping[str, str]
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    gains: Mapping[str, GainPrior] = field(default_factory=dict)
    """By name of the energy source that read a domain."""
    card_sources: Mapping[str, str] = field(default_factory=dict)
    """Name of the energy source that read a card, by domain; records once stored none for cards of NVML."""

    @property
    def n(self) -> int:
        """Number of blocks that count."""
        return len(self.blocks)

    @property
    def value_j(self) -> float:
        """The figure: the mean of the blocks' joules per unit, or of the means of a server's starts."""
        return fmean(independent(self.blocks, self.values_j))

    @property
    def block_s(self) -> float:
        """Mean length of a block in seconds."""
        return self.mean(lambda block: block.duration_s)

    @property
    def seconds_per_unit(self) -> float:
        """Mean time of a unit of output."""
        return self.mean(lambda block: block.work_s / units(block))

    @property
    def gpus(self) -> list[str]:
        """The domains that are cards."""
        return gpus(self.domains)

    @property
    def estimated(self) -> list[str]:
        """The domains with only an estimate in some block."""
        return [
            name
            for name in self.domains
            if any(block.energy[name].kind == "estimated" for block in self.blocks)
        ]

    def mean(self, of: Callable[[Block], float]) -> float:
        """Mean of a quantity over the blocks."""
        return fmean(of(block) for block in self.blocks)

    def per_unit_j(self, domains: Sequence[str], *, net: bool | None = None) -> float:
        """Mean joules per unit of some of the domains: gross or net as the figure is, or as given."""
        which = "net_j" if (self.net if net is None else net) else "gross_j"

        def joules(block: Block) -> float:
            return float(getattr(energy_sum(block.energy, domains), which)) / units(block)

        return self.mean(joules)

    def read_w(self, domain: str) -> float:
        """Mean power of a domain within the blocks, as it was read."""
        return self.per_unit_j([domain], net=False) / self.seconds_per_unit

    def sensor_line(self, domain: str) -> SensorLine | None:
        """A card's gain and offset, where it was held against a reference and they leave some power."""
        known = self.calibrations.get(domain)
        line = known.line if known else None
        return line if line is not None and line.true_w(self.read_w(domain)) > 0 else None

    def read_from(self, source: str, *, exactly: bool = False) -> list[str]:
        """The cards that some block's energy was read from in that way, variants of it included or not."""

        def read_so(found: str) -> bool:
            return found == source if exactly else found.startswith(source)

        return [
            name for name in self.gpus if any(read_so(block.energy[name].source) for block in self.blocks)
        ]


def units(block: Block) -> float:
    """The units of a block that counts; others have been left out before."""
    assert block.units, "only blocks with counted units count"
    return block.units


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value of a record is a number that arithmetic can use."""
    return isinstance(value, int | float) and abs(value) < LARGEST


def observed(block: Block, domain: str) -> GpuObserved:
    """Observations of a card during a block; empty without any."""
    return block.observed.gpus.get(Domain.parse(domain).name, GpuObserved())


@dataclass(frozen=True)
class BudgetQuantity:
    """An input as a quantity: its standard uncertainty in `unit`, and joules per unit of output for each."""

    type: Literal["A", "B"]
    distribution: Distribution
    unit: str
    standard: float | None = None
    sensitivity: float | None = None
    dof: float | None = None


def within(half_width: float, sensitivity: float, unit: str = "1") -> BudgetQuantity:
    """A quantity known only to be within ± `half_width`; relative unless a unit is named."""
    return BudgetQuantity("B", "rectangular", unit, gum.rectangular(half_width), sensitivity)


def line(
    evidence: BudgetEvidence,
    name: str,
    quantity: BudgetQuantity,
    enters: Sequence[ComparedWith],
    source: str,
    *,
    assumed: bool = False,
    reason: str | None = None,
) -> BudgetInput:
    """One line of the table, its share of the figure worked out."""
    contribution_j = None
    if quantity.standard is not None and quantity.sensitivity is not None:
        contribution_j = abs(quantity.standard * quantity.sensitivity)
    value_j = abs(evidence.value_j)
    return BudgetInput(
        name=name,
        type=quantity.type,
        distribution=quantity.distribution,
        unit=quantity.unit,
        standard_uncertainty=quantity.standard,
        sensitivity=quantity.sensitivity,
        contribution_j=contribution_j,
        relative=contribution_j / value_j if contribution_j is not None and value_j else None,
        dof=quantity.dof,
        enters=list(enters),
        source=source,
        assumed=assumed,
        reason=reason,
    )
