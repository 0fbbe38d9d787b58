"""Base of records and other results: blocks of one piece of work on one machine, and their figures.

A `Record` is the measurement of a case by `bench run`; an `EnergyResult` is that of windows which a program
or a test metered around its own work. Both are compared, judged and budgeted alike.

    measurement.headline()            # gross joules per unit, with the interval over blocks
    measurement.work_key              # the same for the same work, before and after a change
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from bench.core.figures import Estimate
from bench.core.model import SchemaModel
from bench.core.notebook import NotebookTable

if TYPE_CHECKING:
    from bench.core.block import Block, Idle
    from bench.core.figures import Carbon, Figures
    from bench.core.machine import Machine
    from bench.core.provenance import Provenance
    from bench.core.recorded import RecordedEngine
    from bench.core.repetition import Pair, StopInfo
    from bench.core.side_by_side import SideBySide

Status = Literal["ok", "invalid", "failed"]


class Measurement(NotebookTable, SchemaModel):
    """The common base of a record and of the result of a program's own windows."""

    if TYPE_CHECKING:
        # Declared for the type checker alone: pydantic puts the fields of a base before those of a subclass,
        # and a file must begin with its `schema`.
        status: Status
        reasons: list[str]
        blocks: list[Block]
        idle: dict[str, Idle]
        figures: Figures
        carbon: Carbon | None
        machine: Machine
        provenance: Provenance
        absent: dict[str, str]

        @property
        def label(self) -> str:
            """Name of the work, in words."""

        @property
        def created(self) -> str:
            """Start, in UTC."""

        @property
        def unit(self) -> str:
            """Unit of output."""

        @property
        def work_name(self) -> str:
            """The model, or the name that the program gave its work."""

        @property
        def work_key(self) -> str:
            """Equal where the same work was done; of a case its hash."""

        @property
        def random_weights(self) -> bool:
            """Whether the model's weights were random numbers."""

        @property
        def run_id(self) -> str | None:
            """The run that it belongs to."""

        @property
        def engine(self) -> RecordedEngine | None:
            """The loaded model; `None` if a program did its own work."""

        @property
        def pair(self) -> Pair | None:
            """The other side, where both were measured in turns."""

        @property
        def side_by_side(self) -> SideBySide | None:
            """The other cases of the run, where they were measured meanwhile."""

        @property
        def ended(self) -> StopInfo | None:
            """The end of the repeats; `None` if a program decided it."""

        def identity(self) -> Mapping[str, Any]:
            """Conditions of the work, key by key: all must be alike in two that are compared."""

    @property
    def per_token(self) -> bool:
        """Whether joules over tokens are a figure of it."""
        return True

    @property
    def reached_target(self) -> bool:
        """Whether the headline's interval is as narrow as was asked for."""
        ended = self.ended
        return ended is not None and ended.achieved is not None and ended.achieved <= ended.target

    @property
    def verdict(self) -> str:
        """The one word for it that every view uses.

        It is `status`, or `inconclusive` where time was up first, or `interrupted` where the run was ended
        before the case had enough blocks. Files have `failed` for that, so that older programs read them.
        """
        if self.status == "failed" and self.ended is not None and self.ended.by == "interrupt":
            return "interrupted"
        inconclusive = self.status == "ok" and self.ended is not None and not self.reached_target
        return "inconclusive" if inconclusive else self.status

    @property
    def distinct_reasons(self) -> list[str]:
        """The first reason of each rule, with the number of blocks that broke it where there are several.

        Blocks that broke the same rule differ only in the figures of their reasons.
        """
        broken = Counter(_rule(reason) for block in self.blocks for reason in set(block.reasons))
        first: dict[str, str] = {}
        for reason in self.reasons:
            first.setdefault(_rule(reason), reason)
        return [
            f"{reason} ({broken[rule]} blocks)" if broken[rule] > 1 else reason
            for rule, reason in first.items()
        ]

    @property
    def why(self) -> str:
        """The status and its reasons in words."""
        return f"{self.status}: {'; '.join(self.distinct_reasons) or 'no reason is given'}"

    def headline(self) -> Estimate | None:
        """Gross joules per unit at scope `gpu` where a GPU did the work, else at scope `host`."""
        scope = self.figures.headline_scope
        figure = self.figures.energy_per_unit_j.get(scope) if scope else None
        return figure.gross if figure else None


def _rule(reason: str) -> str:
    """Name of the rule that a reason begins with."""
    return reason.partition(":")[0]
