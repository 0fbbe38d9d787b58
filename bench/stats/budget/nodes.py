"""The input that comes from a server's nodes: the offset between their clocks and that of `bench run`.

A delay that is longer one way than the other shifts every window of a node alike, so blocks do not average it
away. Nodes are taken to err independently of each other, and the domains of one node alike.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator

from bench.core.block import Block
from bench.core.budget import BudgetInput
from bench.stats.budget.evidence import BOTH, BudgetEvidence, BudgetQuantity, line, units


def clocks(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """Joules by the uncertainty of each node's offset: it times the step of power at the edges."""
    energies = [block.energy[name] for block in evidence.blocks for name in evidence.domains]
    if not any(energy.node for energy in energies):
        return
    standard = evidence.mean(lambda block: _block_u_j(evidence, block) / units(block))
    source = "half of a round trip and the offset's change, times the step of power at the edges, a node"
    yield line(
        evidence, "clocks of nodes", BudgetQuantity("B", "rectangular", "J", standard, 1.0), BOTH, source
    )


def _block_u_j(evidence: BudgetEvidence, block: Block) -> float:
    of_node: defaultdict[str, float] = defaultdict(float)
    for name in evidence.domains:
        energy = block.energy[name]
        of_node[energy.node or ""] += energy.clock_u_j or 0.0
    return math.hypot(*of_node.values())
