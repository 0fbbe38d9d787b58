"""Rows of a comparison for the roles of a server over nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.compare.comparison import Comparison, compare
from bench.compare.role_metrics import role_metrics
from bench.core.record import Record
from bench.store import results
from tests.compare.sides import side

RECORD = Path(__file__).parents[1] / "store" / "history" / "1-nodes.json"


@pytest.fixture
def record() -> Record:
    return results.read(RECORD)


def changed(record: Record, node: str, factor: float | None) -> Record:
    """The record whose node drew `factor` times its joules; `None`: the node was lost."""
    made = record.model_copy(deep=True)
    for block in made.blocks:
        for name, energy in block.energy.items():
            if energy.node == node:
                gross_j = None if factor is None or energy.gross_j is None else factor * energy.gross_j
                block.energy[name] = energy.model_copy(
                    update={"gross_j": gross_j, "net_j": gross_j, "reason": "node-lost: planted"}
                )
    return made


def between(a: Record, b: Record) -> Comparison:
    (comparison,) = compare(side(a, label="a"), side(b, label="b")).comparisons
    return comparison


def ratio(comparison: Comparison, metric: str) -> float:
    row = comparison.row(metric)
    assert row is not None
    assert row.ratio is not None
    return row.ratio.value


def test_each_role_has_its_ratio_and_no_verdict(record: Record) -> None:
    comparison = between(record, changed(record, "decode", 1.5))
    assert ratio(comparison, "role decode") == pytest.approx(1.5)
    assert ratio(comparison, "role prefill") == pytest.approx(1.0)
    row = comparison.row("role decode")
    assert row is not None
    assert (row.verdict, row.p) == (None, None)
    assert any("only their sum has a verdict" in note for note in comparison.notes)


def test_verdicts_of_the_other_rows_are_as_without_roles(record: Record) -> None:
    """No row is tested for a role, so the correction for several tests stays."""
    alone = record.model_copy(deep=True)
    for node in alone.machine.nodes.values():
        node.role = None
    heavier, heavier_alone = (changed(each, "decode", 1.5) for each in (record, alone))
    with_roles, without = between(record, heavier), between(alone, heavier_alone)
    assert not [row for row in without.rows if row.metric.name.startswith("role")]
    judged = [(row.metric.name, row.p, row.verdict) for row in with_roles.rows if row.metric.better]
    assert judged == [(row.metric.name, row.p, row.verdict) for row in without.rows if row.metric.better]


def test_a_lost_node_leaves_the_other_role_its_row(record: Record) -> None:
    comparison = between(record, changed(record, "decode", None))
    assert ratio(comparison, "role prefill") == pytest.approx(1.0)
    row = comparison.row("role decode")
    assert row is not None
    assert row.ratio is None
    assert row.b.reason == "a node of this role has no reading, or none has the role"


def test_a_role_may_have_any_text(record: Record) -> None:
    record.machine.nodes["decode"].role = "{unit!r}{0}"
    titles = [metric.title("page") for metric in role_metrics(record)]
    assert titles == ["J/page, prefill", "J/page, {unit!r}{0}"]
