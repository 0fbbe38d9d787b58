"""What a generated load promises: so much work for so long, with edges that are known.

It stands in for a model where a card's sensor is looked at and not a model's joules: its power is meant to be
a square wave. The one for CUDA is in `bench.engines.cuda_load`.
"""

from __future__ import annotations

from typing import Literal, Protocol

Level = Literal["idle", "middle", "high"]
"""How hard the load works: not at all, moving memory, multiplying matrices."""


class SquareLoad(Protocol):
    """A load on one card."""

    @property
    def uuid(self) -> str:
        """The card, as NVML names it."""

    def run(self, level: Level, seconds: float) -> None:
        """Work at a level for so long; returns when the device is done. Raises EngineError."""
