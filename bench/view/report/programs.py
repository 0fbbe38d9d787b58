"""Measurements of programs and tests around their own work: a table, since they have no case."""

from __future__ import annotations

from bench.compare.record_set import StoredRecord
from bench.core.measurement import Measurement
from bench.view.content import Cell, Section, TableRow, clean, columns, table
from bench.view.numbers import percent, with_interval
from bench.view.report.report_data import ReportData
from bench.view.spans import by_width

COLUMNS = columns(
    "what", "per", "#J gross", "#95 %", "#J net", "#windows", "scope", "kind", "verdict", "machine"
)


def section(data: ReportData) -> Section | None:
    """The table; `None` where only records were named."""
    if not data.programs:
        return None
    lead = "Windows around a program's own work. What was done in them is known to its author alone."
    rows = map(_row, data.programs)
    return Section("Programs and tests", (lead, table(COLUMNS, rows, "", "programs-table")), id="programs")


def _row(found: StoredRecord[Measurement]) -> TableRow:
    measured, figures = found.record, found.record.figures
    scope = figures.headline_scope
    energy = figures.energy_per_unit_j[scope] if scope else None
    cells: tuple[Cell, ...] = (
        clean(measured.label, 100),
        measured.unit,
        with_interval(energy.gross) if energy else None,
        percent(energy.gross) if energy else None,
        by_width(energy.net) if energy else None,
        str(energy.gross.n) if energy and energy.gross else None,
        scope,
        energy.kind if energy else None,
        measured.verdict,
        clean(str(measured.machine.name), 60),
    )
    return TableRow(cells, invalid=measured.status != "ok")
