"""Values of blocks that are independent of each other: those of blocks, or means over starts of a server.

independent(blocks, [300.0, 302.0, 310.0, 312.0])      # [301.0, 311.0] of two starts; else all four

Blocks of one start share its memory layout, compiled kernels and clocks. So where a server was started
several times, a start is the sample, and intervals rest on the number of starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from bench.core.block import Block


def independent(blocks: Sequence[Block], values: Sequence[float]) -> list[float]:
    """The values, one a block, or their means by start where the blocks are of several starts."""
    starts = [block.observed.served.start if block.observed.served else None for block in blocks]
    if len(set(starts)) < 2:
        return list(values)
    by_start: dict[int | None, list[float]] = {}
    for start, value in zip(starts, values, strict=True):
        by_start.setdefault(start, []).append(value)
    return [fmean(of_start) for of_start in by_start.values()]
