"""State of a case so far; it survives whichever fault or signal stops the case."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bench.catalog.cases import Case
from bench.core.block import Block
from bench.core.loading import Loading
from bench.core.machine import SourceUsed
from bench.core.observed import StartConditions
from bench.core.repetition import BlockLength, Pair
from bench.engines.base import LoadedModel
from bench.measurement.idle import IdlePower
from bench.meters.gpu import Gpu
from bench.meters.nodes.serving_nodes import ServingNodes


@dataclass
class CaseState:
    """A case on its way from the plan to the record."""

    case: Case
    start: StartConditions | None = None
    ready: LoadedModel | None = None
    loaded_ns: int | None = None
    """Time at which its model was loaded: the trace begins then."""
    loading: Loading | None = None
    gpus: tuple[Gpu, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)
    nodes: ServingNodes | None = None
    """Nodes of the server, whose agents meter in place of this machine."""
    energy_sources: dict[str, SourceUsed] = field(default_factory=dict)
    before: IdlePower | None = None
    after: IdlePower | None = None
    blocks: list[Block] = field(default_factory=list)
    block_length: BlockLength | None = None
    ended_by: Literal["target", "max_seconds"] | None = None
    warmup_by: Literal["steady", "max_seconds"] | None = None
    start_number: int | None = None
    """Of a server that is started several times: which start its blocks are of."""
    measured_before: int = 0
    """Blocks after warm-up of earlier starts."""
    outputs: list[Path] = field(default_factory=list)
    pair: Pair | None = None
    trace: str | None = None
    last_words: str | None = None

    def begin_start(self, number: int) -> None:
        """Begin anew with another start of the server; what was measured stays."""
        self.start_number, self.measured_before = number, len(self.measured)
        self.warmup_by = self.ended_by = None

    @property
    def of_this_start(self) -> list[Block]:
        """The blocks after warm-up since the server was started; all of them where it was started once."""
        return self.measured[self.measured_before :]

    @property
    def measured(self) -> list[Block]:
        """The blocks after warm-up, invalid ones included."""
        return [block for block in self.blocks if not block.warmup]
