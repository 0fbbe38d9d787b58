"""Each case: a line in a table of all of them, and everything its record holds behind it.

Inside: facts, blocks, uncertainty budget, provenance, the command, kept outputs. The chart over time is
drawn from the blocks and, where it is there, from the trace of the samples beside the record (`traces`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench.analysis import windows
from bench.analysis.exports.rows import flat, headline
from bench.analysis.sources import Found
from bench.core.budget import Budget
from bench.core.energy import complete_sum, energy_sum
from bench.core.observed import GpuObserved, Spread
from bench.core.record import Record
from bench.records import uncertainty
from bench.report.content import Case, Column, Course, Row, Section, Table, clean
from bench.report.gather import Gathered
from bench.report.outputs import kept

COLUMNS = {
    "label": "case",
    "machine": "machine",
    "weights": "weights",
    "scope": "scope",
    "kind": "kind",
    "unit": "per",
    "energy_per_unit_j": "J",
    "energy_per_unit_low_j": "J low",
    "energy_per_unit_high_j": "J high",
    "net_energy_per_unit_j": "J net",
    "power_w": "W",
    "time_per_unit_s": "s",
    "blocks": "blocks",
    "verdict": "verdict",
    "created": "made",
}
"""Columns of `analysis.exports.rows` that the table shows, and what they are called here."""
NUMERIC = ("J", "J low", "J high", "J net", "W", "s", "blocks")
LONGEST_VALUE = 2000
"""Characters of a value of the provenance."""


def section(gathered: Gathered, note: str | None) -> Section:
    """The table of all records, invalid and failed ones included; `note` is on what the page leaves out."""
    rows = []
    for found in gathered.found:
        values = flat(found)
        rows.append(Row(tuple(values[name] for name in COLUMNS), found.digest, found.record.status != "ok"))
    columns = tuple(Column(name, numeric=name in NUMERIC) for name in COLUMNS.values())
    lead = (
        "The interval is that of the blocks on the same machine. A case's name leads to everything about it."
    )
    return Section(
        "cases",
        "Every case",
        (lead, note) if note else (lead,),
        (Table("cases-table", "All records", columns, tuple(rows)),),
    )


def details(found: Found, course: Course) -> Case:
    """All of one record, in tables, and its course over time."""
    record = found.record
    command = record.provenance.command
    return Case(
        id=found.digest,
        label=clean(record.label),
        status=record.verdict,
        reasons=tuple(clean(reason) for reason in _reasons(record)),
        command=clean(command, LONGEST_VALUE) if command is not None else None,
        tables=tuple(_tables(found)),
        blocks=tuple(_windows(record)),
        course=course,
        idle_w=_idle_w(record),
        outputs=tuple(kept(found)),
    )


def _reasons(record: Record) -> Iterator[str]:
    yield from record.reasons
    if record.failure is not None:
        yield f"failed at {record.failure.stage}: {record.failure.message}"
    yield from (f"{name}: {why}" for name, why in record.absent.items())


def _tables(found: Found) -> Iterator[Table]:
    record = found.record
    yield _pairs("facts", "Figures and facts", flat(found))
    budget = (record.figures.uncertainty or uncertainty.of(record)).gross
    if budget is not None:
        yield _budget(budget, record.case.unit)
    yield _blocks(record)
    if cut := _cut(record):
        yield _pairs("windows", "How its windows were cut", cut)
    if record.pair is not None:
        yield _pairs("pair", "Measured in turns, the ratio is B over A", _flattened(record.pair.model_dump()))
    yield _pairs("case", "What was measured", _flattened(record.case.as_mapping()))
    if record.engine is not None:
        yield _pairs("engine", "What was loaded", _flattened(record.engine.as_mapping()))
    yield _pairs("machine", "Machine", _flattened(record.machine.as_mapping()))
    yield _pairs("provenance", "Provenance", _flattened(record.provenance.as_mapping()))


def _pairs(name: str, caption: str, values: Mapping[str, Any]) -> Table:
    rows = (Row((key, _cell(value))) for key, value in values.items())
    return Table(name, caption, (Column("what"), Column("value")), tuple(rows))


def _cell(value: Any) -> str | float | None:
    if value is None or isinstance(value, str):
        return value
    return float(value) if isinstance(value, float) else str(value)


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


def _budget(budget: Budget, unit: str) -> Table:
    columns = (
        Column("input"),
        Column("type"),
        Column("distribution"),
        Column(f"J/{unit}", numeric=True),
        Column("%", numeric=True),
        Column("enters"),
        Column("source"),
    )
    rows = [
        Row(
            (
                line.name,
                line.type,
                line.distribution,
                line.contribution_j,
                None if line.relative is None else 100 * line.relative,
                " and ".join(line.enters) or line.reason,
                line.source,
            )
        )
        for line in budget.inputs
    ]
    for name, found in (("same card", budget.same_card), ("absolute", budget.absolute)):
        if found is not None:
            half = found.relative_half_width
            percent = None if half is None else 100 * half
            interval = f"{found.low:.4g} to {found.high:.4g}"
            rows.append(Row((f"expanded, {name}", "", "", found.value, percent, interval, "95 % coverage")))
    return Table("budget", "Uncertainty budget of the gross headline", columns, tuple(rows))


def _blocks(record: Record) -> Table:
    each = f"J/{record.case.unit}"
    names = ("block", "from, s", "length, s", "rests, s", "mean W", each, "edges, ± %", "°C", "MHz")
    columns = (*(Column(name, numeric=True) for name in names), Column("role"), Column("remarks"))
    rows = []
    for seen in _windows(record):
        about = seen["role"], "; ".join(filter(None, (seen["throttled"], seen["reasons"])))
        cells = f"{seen['number']:.0f}", seen["from_s"], seen["to_s"] - seen["from_s"], seen["rest_s"]
        joules = seen["power_w"], seen["energy_per_unit_j"], seen["edges_percent"]
        others = *joules, seen["temperature_c"], seen["sm_clock_mhz"]
        rows.append(Row((*cells, *others, *about), invalid=seen["role"] == "set aside"))
    return Table("blocks", "Blocks", columns, tuple(rows))


def _cut(record: Record) -> dict[str, Any]:
    """How long blocks were to be and why, and how late the counters publish; empty in older records."""
    delays = windows.counter_delays(record)
    named = {"block": windows.block_length(record)}
    named |= {f"counter's delay, {domain}": delay for domain, delay in delays.items()}
    return {name: clean(text, LONGEST_VALUE) for name, text in named.items() if text}


def _windows(record: Record) -> Iterator[dict[str, Any]]:
    """A mapping a block: when, mean watts and joules per unit at the headline's scope, how warm and fast."""
    figure = headline(record, "energy_per_unit_j")
    domains = list(figure.domains) if figure else []
    first_ns = min((block.start_ns for block in record.blocks), default=0)
    for number, block in enumerate(record.blocks):
        joules = energy_sum(block.energy, domains).gross_j
        cards = list(block.observed.gpus.values())
        edges = windows.edge_half_width(block)
        start_s, end_s = (block.start_ns - first_ns) / 1e9, (block.end_ns - first_ns) / 1e9
        yield {
            "number": float(number),
            "from_s": start_s,
            "to_s": end_s,
            "middle_s": (start_s + end_s) / 2,
            "rest_s": block.rest_s,
            "power_w": joules / block.work_s if joules is not None and block.work_s > 0 else None,
            "energy_per_unit_j": joules / block.units if joules is not None and block.units else None,
            "edges_percent": None if edges is None else 100 * edges,
            "temperature_c": _highest_mean(card.temperature_c for card in cards),
            "sm_clock_mhz": _highest_mean(card.sm_clock_mhz for card in cards),
            "throttled": _throttled(cards),
            "role": "warm-up" if block.warmup else "counts" if block.valid and block.units else "set aside",
            "reasons": clean("; ".join(block.reasons)),
        }


def _highest_mean(readings: Iterable[Spread | None]) -> float | None:
    return max((float(spread.mean) for spread in readings if spread), default=None)


def _throttled(cards: list[GpuObserved]) -> str:
    """`throttled: thermal 12%`, or nothing."""
    shares = {
        clean(str(name), 60): share
        for card in cards
        for name, share in (card.throttled_share or {}).items()
        if share > 0
    }
    listed = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return f"throttled: {listed}" if listed else ""


def _idle_w(record: Record) -> float | None:
    """Idle power of the headline's domains together; `None` where one is not known."""
    figure = headline(record, "energy_per_unit_j")
    powers = (
        [record.idle[name].power_w if name in record.idle else None for name in figure.domains]
        if figure
        else []
    )
    return complete_sum(powers)
