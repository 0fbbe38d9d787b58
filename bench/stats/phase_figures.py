"""Joules of each phase over the units of its block, of the metered cards, with intervals over blocks.

per_unit_j(record.blocks)["answers"]      # Estimate(value=812.0, low=806.0, high=818.0, n=8)
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.block import Block
from bench.core.energy import complete_sum
from bench.core.figures import Estimate
from bench.stats.figures import counting, over_blocks


def per_unit_j(blocks: Sequence[Block]) -> dict[str, Estimate]:
    """By phase; a phase that is without joules in a block, or in all, has no entry."""
    used = counting(blocks)
    names = dict.fromkeys(name for block in used for name in block.phases)
    found = {}
    for name in names:
        joules = [
            complete_sum(energy.gross_j for energy in block.phases[name].energy.values())
            if name in block.phases
            else None
            for block in used
        ]
        values = [
            whole_j / block.units
            for whole_j, block in zip(joules, used, strict=True)
            if whole_j is not None and block.units
        ]
        if len(values) == len(used):
            found[name] = over_blocks(used, values)
    return found
