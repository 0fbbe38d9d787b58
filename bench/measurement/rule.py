"""The shape of a rule by which a block is set aside: what is seen, its limit, its meaning, the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.core.block import Block


@dataclass(frozen=True)
class Rule:
    """One reason for which a block is set aside. `broken` returns what was seen, or `None`."""

    name: str
    limit: float | None
    meaning: str
    remedy: str
    broken: Callable[[Block, float], str | None]

    def check(self, block: Block) -> str | None:
        """The sentence for the record, or `None` where the block keeps the rule."""
        observation = self.broken(block, self.limit if self.limit is not None else 0.0)
        return (
            None
            if observation is None
            else f"{self.name}: {observation.rstrip('.')}; {self.meaning}. {self.remedy}"
        )
