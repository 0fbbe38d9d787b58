"""Two sets of records side by side: a table a case, verdicts and the outcome of limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.compare.cards_apart import comparison_labels
from bench.compare.comparison import Comparison, ComparisonResult, MetricRow, Verdict
from bench.compare.gate import Judged
from bench.compare.metrics import Metric, MetricValues
from bench.view.content import Cell, Fold, Section, SectionPart, Tone, Written, columns, table
from bench.view.numbers import NOT_KNOWN, p_value, ranged
from bench.view.spans import by_width, ends

COLUMNS = columns("metric", "#A", "#B", "#B/A", "#95 %", "#n", "#p", "#floor", "verdict")
GRAVITY: tuple[Verdict, ...] = ("worse", "invalid", "not comparable", "unclear", "better", "same")
"""The order of verdicts: what asks for attention first."""
TONES: dict[str, Tone] = {"better": "good", "worse": "bad", "unclear": "warn"}
LEGEND = (
    "A, B: median over blocks (95 % t interval of the mean); p: corrected for all rows tested (Holm); floor: "
    "what equal things differ by here."
)


def sections(result: ComparisonResult, judged: Judged) -> Iterator[Section | SectionPart]:
    """Output of `bench compare`: the sum first, what was judged last and bold."""
    yield f"{counts(result)}."
    yield f"A: {result.a.label}"
    yield f"B: {result.b.label}"
    shared = _shared_notes(result.comparisons)
    for comparison, label in zip(result.comparisons, comparison_labels(result.comparisons), strict=True):
        rows = (table(COLUMNS, rows_of(comparison)),) if comparison.rows else ()
        title = f"{label}: {comparison.verdict}"
        own = tuple(note for note in comparison.notes if note not in shared)
        yield Section(title, (*reasons(comparison), *rows), own)
    yield Section("", (*remarks(result, "only in A", "only in B"), *shared, *result.notes))
    if any(comparison.rows for comparison in result.comparisons):
        yield LEGEND
    for each in judged.judgements:
        yield Fold(f"{each.outcome}: {each.sentence}", ())


def counts(result: ComparisonResult) -> str:
    """The verdicts of all cases in one phrase, the gravest first: `1 worse, 2 same`."""
    number = Counter(each.verdict for each in result.comparisons)
    found = [f"{number[verdict]} {verdict}" for verdict in GRAVITY if number[verdict]]
    alone = [(len(result.only_a), "only in A"), (len(result.only_b), "only in B")]
    found += [f"{count} {where}" for count, where in alone if count]
    return ", ".join(found) or "Nothing was compared"


def _shared_notes(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """Notes of several cases, each once; what only one case has stays beneath its table."""
    number = Counter(note for each in comparisons for note in dict.fromkeys(each.notes))
    return tuple(note for note, cases in number.items() if cases > 1)


def reasons(comparison: Comparison) -> tuple[str, ...]:
    """Reasons of a verdict beside its figures."""
    return (*(each.sentence for each in comparison.differences), *comparison.reasons)


def remarks(result: ComparisonResult, *names: str) -> Iterator[str]:
    """Records without a counterpart, by the side's name."""
    for name, found in zip(names, (result.only_a, result.only_b), strict=True):
        yield from (f"{name}: {each.record.label} ({each.where})" for each in found)


def rows_of(comparison: Comparison) -> list[tuple[Cell, ...]]:
    """Rows of cells, one a metric, in the order of COLUMNS."""
    return [_cells(row, comparison.a.record.unit) for row in comparison.rows]


def _cells(row: MetricRow, unit: str) -> tuple[Cell, ...]:
    ratio = row.ratio
    return (
        row.metric.title(unit),
        _amount(row.metric, row.a),
        _amount(row.metric, row.b),
        by_width(ratio),
        ends(ratio),
        ", ".join(map(str, dict.fromkeys(ratio.n))) if ratio else "",
        None if row.p is None else Written(p_value(row.p), row.p),
        Written(f"{row.floor.value:.1%}", 100 * row.floor.value),
        Written(row.verdict, tone=TONES.get(row.verdict)) if row.verdict else "(no direction)",
    )


def _amount(metric: Metric, reading: MetricValues) -> Cell:
    """`300.0 (290.2 to 309.8)`; `—` and why where there is none."""
    found, middle = reading.estimate, reading.median
    if found is None or middle is None:
        return Written(f"{NOT_KNOWN} {reading.reason or ''}".rstrip())
    low, high = (None, None) if metric.of_record else (found.low, found.high)
    return Written(ranged(middle, low, high), middle)
