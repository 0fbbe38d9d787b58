"""One metered window of a case, and the idle power around the windows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bench.core.domain import by_scope
from bench.core.energy import DomainEnergy, DomainKind, EnergySum, energy_sum
from bench.core.model import Count, SchemaModel
from bench.core.observed import Observed
from bench.core.scope import MeteredScope


class CodeCarbonTask(SchemaModel):
    """CodeCarbon's figures of the same window, and the deviation of its GPU figure from ours.

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


class Phase(SchemaModel):
    """A named stretch of every batch of a block, summed over its batches.

    Its energy is read off the counter's own curve and is `null` where the stretch is too short for that.
    """

    seconds: float
    count: Count
    energy: dict[str, DomainEnergy] = Field(default_factory=dict)


class Block(SchemaModel):
    """One metered window holding whole batches, edge to edge.

    `rest_s` is the part of it in which the worker rested between batches to shift the work against the card's
    sensor; those joules are taken out. `rests_ns` has each rest's start and end, with which the samples give
    the block's joules anew. `units` are pages or images; `None` where they could not be counted,
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
    rests_ns: list[tuple[Count, Count]] | None = None
    """`null` in older files, and of a program's own windows."""
    rests_of: dict[str, list[tuple[Count, Count]]] = Field(default_factory=dict)
    """By domain: rests of replicas, each on cards of its own; `rest_s` is the mean of their lengths then."""
    work_ends_of: dict[str, Count] = Field(default_factory=dict)
    """By domain: end of a replica's last batch, with which its rests are judged; `end_ns` is the last one's.

    Empty without replicas, and in older files.
    """
    energy: dict[str, DomainEnergy]
    phases: dict[str, Phase] = Field(default_factory=dict)
    codecarbon: CodeCarbonTask | None = None
    observed: Observed = Field(default_factory=Observed)

    @property
    def duration_s(self) -> float:
        """Length of the window in seconds, rests included."""
        return (self.end_ns - self.start_ns) / 1e9

    @property
    def scope(self) -> MeteredScope | None:
        """The innermost scope that has a domain here: what a headline is about."""
        return next(iter(by_scope(self.energy)), None)

    def joules(self, scope: MeteredScope | None) -> EnergySum:
        """Joules of all domains at a scope, without those of scopes that contain it."""
        return energy_sum(self.energy, by_scope(self.energy).get(scope, []) if scope else [])

    def domain_rest_s(self, domain: str) -> float:
        """Seconds for which a domain rested."""
        if domain not in self.rests_of:
            return self.rest_s
        return sum(end_ns - start_ns for start_ns, end_ns in self.rests_of[domain]) / 1e9

    @property
    def work_s(self) -> float:
        """Length of the window in seconds without its rests: the time that its joules belong to."""
        return self.duration_s - self.rest_s


class Idle(SchemaModel):
    """A domain's power with the model loaded and nothing asked, before and after the blocks, in watts."""

    power_w: float | None
    sd_w: float | None
    before: float | None
    after: float | None
    kind: DomainKind
    absent: dict[str, str] = Field(default_factory=dict)
