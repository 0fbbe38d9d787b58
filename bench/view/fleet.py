"""Nodes of a fleet: what each is and can measure, and who uses its cards now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bench.doctor.examine import DoctorReport
from bench.fleet.dispatch import DispatchBoard
from bench.fleet.node import NodeFacts
from bench.view import doctor
from bench.view.content import Cell, Column, Section, Written, table

COLUMNS = (
    Column("node"),
    Column("machine"),
    Column("cards"),
    Column("joules of"),
    Column("doctor"),
    Column("measuring now", aside=True),
)
Found = Mapping[str, tuple[DoctorReport, dict[str, str]] | str]
"""By node: the doctor's report and holders of its cards and CPU, or a sentence in their place."""


def sections(
    described: Mapping[str, NodeFacts | str], found: Found, *, findings: bool = False
) -> Iterator[Section]:
    """One table of all nodes; with `findings` also the doctor's, node by node."""
    rows = [_row(name, facts, found) for name, facts in described.items()]
    yield Section("Nodes", (table(COLUMNS, rows),))
    for name, of_node in found.items() if findings else ():
        for section in () if isinstance(of_node, str) else doctor.sections(of_node[0]):
            yield Section(f"{name}: {section.title}", section.parts, section.notes)


def cases(labels: Sequence[str], board: DispatchBoard) -> Section:
    """Each case of a plan with the nodes that may take it, or the reason why none can."""
    rows = [
        (label, ", ".join(board.waiting(case)) or Written(board.given_up.get(case, ""), tone="warn"))
        for case, label in enumerate(labels)
    ]
    return Section("Cases", (table((Column("case"), Column("nodes")), rows),))


def _row(name: str, facts: NodeFacts | str, found: Found) -> tuple[Cell, ...]:
    if isinstance(facts, str):
        return (name, Written(facts, tone="warn"), None, None, None, None)
    of_node = found[name]
    if isinstance(of_node, str):
        return (name, facts.name, Written(of_node, tone="warn"), None, None, None)
    report, holders = of_node
    states = Counter(finding.state for finding in report.findings)
    summed = ", ".join(f"{states[state]} {state}" for state in ("ok", "warn", "missing") if states[state])
    kinds = ", ".join(f"{scope} {kind}" for scope, kind in report.scopes.items()) or None
    cards = ", ".join(f"{number} {card}" for card, number in Counter(facts.cards).items()) or "none"
    return (name, facts.name, cards, kinds, summed, "; ".join(dict.fromkeys(holders.values())) or None)
