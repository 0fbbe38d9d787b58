"""Counting of a modality's phases: a file of its name for each whose phases are counted.

A file defines `NEEDS`, the options in whole numbers that it goes by, and `demands(record, architecture,
blocks)`: bytes and operations of each phase. Files are found, not listed.

    phase_counter("text").NEEDS           # ("new_tokens",)
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from typing import Protocol, cast

from bench.core.block import Block
from bench.core.record import Record
from bench.engines.roofline.demand import Demand
from bench.engines.weights.architectures import Architecture


class PhaseCounter(Protocol):
    """Contents of a file of this folder."""

    NEEDS: tuple[str, ...]

    def demands(
        self, record: Record, architecture: Architecture, blocks: Sequence[Block]
    ) -> dict[str, Demand | str]:
        """By phase: what it had to do in all batches of the blocks, or why that is not known."""


@cache
def _files() -> frozenset[str]:
    return frozenset(file.name for file in pkgutil.iter_modules(__path__))


def phase_counter(modality: str) -> PhaseCounter | None:
    """The file of a modality; `None` where its phases are not counted."""
    if modality not in _files():
        return None
    return cast(PhaseCounter, importlib.import_module(f"{__name__}.{modality}"))
