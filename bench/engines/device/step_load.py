"""Protocol of a generated load: a given amount of work for a given time, with known edges.

It replaces a model when a card's sensor is examined, not a model's joules: its power is meant to be
a square wave. The one for CUDA is in `bench.engines.device.cuda_load`.
"""

from __future__ import annotations

from typing import Protocol

from bench.core.calibration import LoadLevel


class SquareLoad(Protocol):
    """A load on one card."""

    @property
    def uuid(self) -> str:
        """The card, as NVML names it."""

    def run(self, level: LoadLevel, seconds: float) -> None:
        """Work at a level for so long; returns when the device is done. Raises EngineError."""
