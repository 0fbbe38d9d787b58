"""Repetition of a case: its blocks' length, the case that it took turns with, what ended the repeats."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bench.core.figures import Estimate
from bench.core.model import SchemaModel

SHORTEST_BLOCK_S, LONGEST_BLOCK_S = 5.0, 30.0
"""Shortest and longest block of a chosen length; a part-time sensor or a long batch makes a longer one."""
FEWEST_TICKS = 10
"""Updates of a card's counter in a block, below which its plain difference is invalid."""


class Pair(SchemaModel):
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


class BlockLength(SchemaModel):
    """Shortest length of blocks, and its reason: asked for, or chosen from the warm-up."""

    seconds: float
    asked: bool
    demands_s: dict[str, float] = Field(default_factory=dict)
    """The seconds that each reason asked for, where the length was chosen.

    `part-time sensor` beside the longest of the others is what a sensor costs that sees part of the time.
    """


class StopInfo(SchemaModel):
    """The end of the repeats, and the target. Of a pair: of the ratio, not of either headline."""

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
