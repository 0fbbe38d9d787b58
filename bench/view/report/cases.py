"""Each case: a line in a table of all of them, with the content of its record.

Inside: facts, blocks, uncertainty budget, provenance, the command, kept outputs. The chart over time is
drawn from the blocks and, where it is there, from the trace of the samples beside the record (`traces`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bench.compare.cards_apart import cards_apart
from bench.compare.record_row import flat, headline
from bench.compare.record_set import StoredRecord
from bench.core.energy import complete_sum
from bench.core.record import Record
from bench.stats import uncertainty
from bench.view import served, window_facts
from bench.view.blocks import blocks, described
from bench.view.budget import LEGEND, tables
from bench.view.content import (
    CaseDetails,
    Section,
    Table,
    TableRow,
    Timeline,
    clean,
    columns,
    pairs,
    table,
)
from bench.view.headline_values import with_joules_rounded
from bench.view.report.outputs import kept
from bench.view.report.report_data import ReportData

COLUMNS = {
    "label": "case",
    "machine": "machine",
    "weights": "weights",
    "scope": "scope",
    "kind": "kind",
    "unit": "per",
    "energy_per_unit_j": "#J",
    "energy_per_unit_low_j": "#J low",
    "energy_per_unit_high_j": "#J high",
    "net_energy_per_unit_j": "#J net",
    "power_w": "#W",
    "time_per_unit_s": "#s",
    "blocks": "#blocks",
    "verdict": "verdict",
    "created": "made",
}
"""Columns of `compare.record_row.flat` that the table shows, and what they are called here."""
HEADS = columns(*COLUMNS.values())
LONGEST_VALUE = 2000
"""Characters of a value of the provenance."""


def section(data: ReportData, note: str | None) -> Section | None:
    """The table of all records, invalid and failed ones included; `note` is on what the page leaves out."""
    if not data.found:
        return None
    rows = []
    records = [found.record for found in data.found]
    cards = cards_apart([record.label for record in records], records)
    for found, card in zip(data.found, cards, strict=True):
        values = with_joules_rounded(flat(found))
        values["machine"] = ", ".join(filter(None, (str(values["machine"]), card)))
        rows.append(
            TableRow(tuple(values[name] for name in COLUMNS), found.digest, found.record.status != "ok")
        )
    lead = (
        "The interval is that of the blocks on the same machine. A case's name leads to everything about it."
    )
    shown = table(HEADS, rows, "All records", "cases-table")
    return Section("Every case", (*filter(None, (lead, note)), shown), id="cases")


def details(found: StoredRecord, course: Timeline) -> CaseDetails:
    """All of one record, in tables, and its course over time."""
    record = found.record
    command = record.provenance.command
    return CaseDetails(
        id=found.digest,
        label=clean(record.label),
        status=record.verdict,
        reasons=tuple(clean(reason) for reason in _reasons(record)),
        command=clean(command, LONGEST_VALUE) if command is not None else None,
        tables=tuple(_tables(found)),
        blocks=tuple(described(record)),
        course=course,
        idle_w=_idle_w(record),
        outputs=tuple(kept(found)),
    )


def _reasons(record: Record) -> Iterator[str]:
    yield from record.distinct_reasons
    if record.failure is not None:
        yield f"failed at {record.failure.stage}: {record.failure.message}"
    yield from (f"{name}: {why}" for name, why in record.absent.items())


def _tables(found: StoredRecord) -> Iterator[Table]:
    record = found.record
    yield pairs(flat(found).items(), "Figures and facts", "facts")
    budget = (record.figures.uncertainty or uncertainty.of(record)).gross
    if budget is not None:
        inputs, expanded = tables(budget, record.case.unit)
        yield replace(inputs, caption=f"Uncertainty budget of the gross headline. {LEGEND}")
        yield replace(expanded, caption="Results of the budget, 95 %")
    if (nodes := served.node_joules(record.figures, record.case.unit)) is not None:
        yield replace(nodes, caption="Roles and nodes of the server")
    yield blocks(record)
    if cut := _cut(record):
        yield pairs(cut.items(), "How its windows were cut", "windows")
    if record.pair is not None:
        yield _all_of(record.pair.model_dump(), "Measured in turns, the ratio is B over A", "pair")
    yield _all_of(record.case.as_mapping(), "What was measured", "case")
    if record.engine is not None:
        yield _all_of(record.engine.as_mapping(), "What was loaded", "engine")
    yield _all_of(record.machine.as_mapping(), "Machine", "machine")
    yield _all_of(record.provenance.as_mapping(), "Provenance", "provenance")


def _all_of(values: Mapping[str, Any], caption: str, name: str) -> Table:
    return pairs(_flattened(values).items(), caption, name)


def _flattened(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested keys with dots; a list is one value."""
    flattened: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{before}{clean(str(key), 80)}"
        if isinstance(value, dict) and value:
            flattened |= _flattened(value, f"{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            flattened[name] = clean(text, LONGEST_VALUE)
    return flattened


def _cut(record: Record) -> dict[str, Any]:
    """Length of blocks and its reason, and delays of the counters; empty in older records."""
    delays = window_facts.counter_delays(record)
    named = {
        "block": window_facts.block_length(record),
        "replicas": window_facts.replicas(record),
        "neighbours": window_facts.neighbours(record),
    }
    named |= {f"counter's delay, {domain}": delay for domain, delay in delays.items()}
    return {name: clean(text, LONGEST_VALUE) for name, text in named.items() if text}


def _idle_w(record: Record) -> float | None:
    """Idle power of the headline's domains together; `None` where one is not known."""
    figure = headline(record, "energy_per_unit_j")
    powers = (
        [record.idle[name].power_w if name in record.idle else None for name in figure.domains]
        if figure
        else []
    )
    return complete_sum(powers)
