"""Verdicts against a baseline, in the words of `bench compare`."""

from __future__ import annotations

from collections.abc import Iterator

from bench.compare import noise
from bench.compare.comparison import Comparison, compare
from bench.compare.record_set import RecordSet
from bench.view import comparison
from bench.view.content import Column, Section, TableRow, table
from bench.view.report.report_data import ReportData

TITLE = "Against a baseline"


def section(gathered: ReportData, baseline: RecordSet | None) -> Section:
    """The table of verdicts; without a baseline the sentence on how to get one."""
    if baseline is None:
        return Section(TITLE, ("No baseline was named: `--baseline PATH` compares with one.",), id="verdicts")
    judged = noise.compared_in_turns(baseline.found, gathered.found)  # no pair sets the floor it is judged by
    around = [each.record for each in (*baseline.found, *gathered.found) if each.digest not in judged]
    result = compare(baseline, gathered.source, floors=noise.known_floors(around))
    rows = (row for each in result.comparisons for row in _rows(each))
    heads = (Column("case"), *comparison.COLUMNS, Column("why"))
    lead = f"A is {baseline.label}, B what is here: a ratio below 1 is fewer joules. {comparison.LEGEND}"
    made = table(heads, rows, "Verdicts", "verdicts-table")
    alone = comparison.remarks(result, "only in the baseline", "only now")
    return Section(TITLE, (lead, made), (*alone, *result.notes, *baseline.problems), "verdicts")


def _rows(found: Comparison) -> Iterator[TableRow]:
    case, invalid, why = found.b.digest, found.verdict == "invalid", "; ".join(comparison.reasons(found))
    for cells in comparison.rows_of(found) or [(None,) * 8 + (found.verdict,)]:
        yield TableRow((found.label, *cells, why), case, invalid)
