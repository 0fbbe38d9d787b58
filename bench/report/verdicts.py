"""What became better or worse against a baseline, in the words of `bench compare`."""

from __future__ import annotations

from bench.analysis import noise
from bench.analysis.compare import Comparison, compare
from bench.analysis.compare import Row as Compared
from bench.analysis.sources import Source
from bench.report.content import Column, Row, Section, Table, Value
from bench.report.gather import Gathered

COLUMNS = (
    Column("case"),
    Column("verdict"),
    Column("metric"),
    Column("baseline", numeric=True),
    Column("now", numeric=True),
    Column("change, %", numeric=True),
    Column("low, %", numeric=True),
    Column("high, %", numeric=True),
    Column("why"),
)


def section(gathered: Gathered, baseline: Source | None) -> Section:
    """The table of verdicts; without a baseline the sentence that says how to get one."""
    title = "Against a baseline"
    if baseline is None:
        return Section("verdicts", title, ("No baseline was named: `--baseline PATH` compares with one.",))
    judged = noise.compared_in_turns(baseline.found, gathered.found)  # no pair sets the floor it is judged by
    around = [each.record for each in (*baseline.found, *gathered.found) if each.digest not in judged]
    result = compare(baseline, gathered.source, floors=noise.known_floors(around))
    rows = [row for comparison in result.comparisons for row in _rows(comparison)]
    alone = [
        f"only {where}: {each.record.label}"
        for where, found in (("in the baseline", result.only_a), ("now", result.only_b))
        for each in found
    ]
    sentence = f"Now against {baseline.label}: a ratio below 1 is a negative change, which is fewer joules."
    made = Table("verdicts-table", "Verdicts", COLUMNS, tuple(rows))
    return Section("verdicts", title, (sentence,), (made,), (*alone, *result.notes, *baseline.problems))


def _rows(comparison: Comparison) -> list[Row]:
    case, invalid = comparison.b.digest, comparison.verdict == "invalid"
    if not comparison.rows:
        why = "; ".join([*(each.sentence for each in comparison.differences), *comparison.reasons])
        empty: tuple[Value, ...] = (None,) * 5
        return [Row((comparison.label, comparison.verdict, None, *empty, why), case, invalid)]
    return [Row((comparison.label, *_cells(row, comparison)), case, invalid) for row in comparison.rows]


def _cells(row: Compared, comparison: Comparison) -> tuple[Value, ...]:
    ratio = row.ratio
    edges = (ratio.value, ratio.low, ratio.high) if ratio else (None, None, None)
    changes = (None if edge is None else 100 * (edge - 1) for edge in edges)
    title = row.metric.title(comparison.a.record.case.unit)
    return (row.verdict, title, row.a.median, row.b.median, *changes, f"floor {row.floor.value:.1%}")
