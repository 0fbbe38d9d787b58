"""Figures of a server over nodes: by node, by role, their sum, and the line of their clocks in the budget."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from bench.core.block import Block
from bench.core.record import Record
from bench.stats import uncertainty
from bench.stats.figures import counting, derive
from bench.stats.served import served_figures
from bench.store import results

PREFILL, DECODE = "GPU-00000000-1111-2222-3333-444444444444", "GPU-00000000-1111-2222-3333-555555555555"


@pytest.fixture
def record() -> Record:
    return results.read(Path(__file__).parents[1] / "store" / "history" / "1-nodes.json")


def without(block: Block, domain: str) -> Block:
    """The block with a domain whose node was lost."""
    lost = block.energy[domain].model_copy(
        update={"gross_j": None, "net_j": None, "reason": "node-lost: gone"}
    )
    return block.model_copy(update={"energy": block.energy | {domain: lost}})


def test_roles_add_up_to_the_server(record: Record) -> None:
    served = served_figures(record.blocks, record.machine.roles)
    assert served is not None
    parts = [served.per_role_j[role]["gpu"].gross for role in ("prefill", "decode")]
    whole = derive(record.blocks, None).energy_per_unit_j["gpu"].gross
    assert whole is not None
    assert sum(part.value for part in parts if part) == pytest.approx(whole.value)
    together = served_figures(record.blocks, {"prefill": "decode", "decode": "decode"})
    assert together is not None
    assert together.per_role_j["decode"]["gpu"].gross == pytest.approx(whole)


def test_one_lost_window_makes_the_sum_absent_and_leaves_the_other_node(record: Record) -> None:
    last = record.blocks[-1]
    blocks = [*record.blocks[:-1], without(last, f"gpu:{DECODE}")]
    assert last in counting(record.blocks)
    figure = derive(blocks, None).energy_per_unit_j["gpu"]
    assert figure.gross is None
    assert figure.reason == f"gpu:{DECODE}: node-lost: gone"
    served = served_figures(blocks, record.machine.roles)
    assert served is not None
    assert served.per_node_j["decode"]["gpu"].gross is None
    assert served.per_node_j["prefill"]["gpu"].gross is not None


def test_clocks_are_a_line_of_the_budget_that_blocks_do_not_average(record: Record) -> None:
    def line(found: Record) -> float:
        budget = uncertainty.of(found).gross
        assert budget is not None
        (clocks,) = [each for each in budget.inputs if each.name == "clocks of nodes"]
        assert clocks.enters == ["same_card", "absolute"]
        assert clocks.contribution_j is not None
        return clocks.contribution_j

    used = counting(record.blocks)
    expected = [
        math.hypot(*(energy.clock_u_j or 0.0 for energy in block.energy.values())) / (block.units or 1.0)
        for block in used
    ]
    assert line(record) == pytest.approx(sum(expected) / len(used))
    fewer = record.model_copy(update={"blocks": used[:2]})
    assert line(fewer) == pytest.approx(sum(expected[:2]) / 2)
