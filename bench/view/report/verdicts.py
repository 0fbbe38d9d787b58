"""Verdicts against a baseline, in the words of `bench compare`: their sum first, then a line a case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.compare import accepted, noise
from bench.compare.accepted import Accepted, accepting
from bench.compare.comparison import Comparison, Verdict, compare
from bench.compare.metrics import HEADLINE
from bench.compare.record_set import RecordSet
from bench.view import comparison
from bench.view.content import Cell, Column, Fold, Section, Table, TableRow, Tone, Written, columns, table
from bench.view.report.report_data import ReportData
from bench.view.short_names import short_labels
from bench.view.spans import by_width, ends

ORDER: tuple[Verdict, ...] = ("worse", "invalid", "not comparable", "unclear", "better", "same")
"""The order of cases: what asks for attention first."""
LIGHTS: dict[str, Tone] = {
    "worse": "bad",
    "invalid": "bad",
    "better": "good",
    "same": "good",
    "accepted": "quiet",
}
"""Traffic light of a verdict; all others are amber."""
HEADS = columns("verdict", "case", "#J now / J before", "95 %", "why")


def section(data: ReportData, baseline: RecordSet) -> tuple[Section, str]:
    """A traffic light a case by its joules, with all metrics in a fold; and their sum in words."""
    judged = noise.compared_in_turns(baseline.found, data.found)  # no pair sets the floor it is judged by
    around = [each.record for each in (*baseline.found, *data.found) if each.digest not in judged]
    result = compare(baseline, data.source, floors=noise.known_floors(around))
    entries = accepted.read(baseline.folder / accepted.FILE_NAME)
    found = sorted(result.comparisons, key=lambda each: ORDER.index(each.verdict))
    labels = short_labels([each.b for each in found])
    rows = (_light(each, entries, labels[each.b.digest]) for each in found)
    lights = table(HEADS, rows, "Verdicts by joules", "verdicts-lights")
    lead = f"Before: {baseline.label}; a ratio below 1 is fewer joules."
    alone = comparison.remarks(result, "only in the baseline", "only now")
    parts = (lead, lights, Fold("All metrics", (comparison.LEGEND, _metrics(found))))
    remarks = (*alone, *result.notes, *baseline.problems)
    return Section("Against a baseline", parts, remarks, "verdicts"), _sum(found, entries)


def _sum(found: Sequence[Comparison], entries: Sequence[Accepted]) -> str:
    """`1 worse, 2 same, 1 accepted against the baseline`."""
    counted = Counter(_verdict(each, entries) for each in found)
    texts = [f"{counted[name]} {name}" for name in (*ORDER, "accepted") if counted[name]]
    return f"{', '.join(texts) or 'Nothing to compare'} against the baseline"


def _verdict(found: Comparison, entries: Sequence[Accepted]) -> str:
    return "accepted" if _entry(found, entries) else found.verdict


def _entry(found: Comparison, entries: Sequence[Accepted]) -> Accepted | None:
    """The entry that lets the headline of a case pass."""
    row = found.row(HEADLINE.name) if found.rows else None
    return None if row is None else accepting(found, row, entries)


def _light(found: Comparison, entries: Sequence[Accepted], label: str) -> TableRow:
    verdict = _verdict(found, entries)
    row = found.row(HEADLINE.name) if found.rows else None
    ratio = row.ratio if row else None
    why = "; ".join(comparison.reasons(found))
    if entry := _entry(found, entries):
        why = f"accepted {entry.accepted[:10]}: {entry.reason}"
    cells: tuple[Cell, ...] = (
        Written(verdict, tone=LIGHTS.get(verdict, "warn")),
        label,
        by_width(ratio),
        ends(ratio),
        why,
    )
    return TableRow(cells, found.b.digest, found.verdict == "invalid")


def _metrics(found: Sequence[Comparison]) -> Table:
    heads = (Column("case"), *comparison.COLUMNS, Column("why"))
    rows = (row for each in found for row in _rows(each))
    return table(heads, rows, "Verdicts", "verdicts-table")


def _rows(found: Comparison) -> Iterator[TableRow]:
    case, invalid, why = found.b.digest, found.verdict == "invalid", "; ".join(comparison.reasons(found))
    for cells in comparison.rows_of(found) or [(None,) * 8 + (found.verdict,)]:
        yield TableRow((found.label, *cells, why), case, invalid)
