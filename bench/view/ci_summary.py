"""A comparison as Markdown for the job summary of a CI system: the gravest first, below GitHub's limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

from bench.compare.accepted import Accepted, accepting
from bench.compare.cards_apart import comparison_labels
from bench.compare.comparison import Comparison, ComparisonResult
from bench.compare.metrics import HEADLINE
from bench.view import comparison, markdown
from bench.view.content import Cell, Column, Section, Written, table

LARGEST = 1_000_000
"""GitHub refuses a job summary of more than 1 MiB (1,048,576 bytes)."""
SHOWN = (0, 1, 2, 3, 4, 8)
"""Columns of a comparison that a summary has: metric, A, B, B/A, 95 %, verdict."""


def github_summary(result: ComparisonResult, entries: Sequence[Accepted] = ()) -> bytes:
    """Table of all cases with remarks, cut to GitHub's limit."""
    ordered = sorted(result.comparisons, key=lambda each: comparison.GRAVITY.index(each.verdict))
    number = Counter(each.verdict for each in ordered)
    counts = [f"{number[verdict]} {verdict}" for verdict in comparison.GRAVITY if number[verdict]]
    passed = sum(_passes(each, entries) for each in ordered)
    counts += [f"{passed} of those worse accepted"] if passed else []
    heads = (Column("case"), *(comparison.COLUMNS[n] for n in SHOWN))
    labels = comparison_labels(ordered)
    rows = (row for each, label in zip(ordered, labels, strict=True) for row in _rows(each, entries, label))
    section = Section(
        f"Energy: {result.b.label} against {result.a.label}",
        (", ".join(counts) or "Nothing was compared.", table(heads, rows)),
        tuple(_remarks(result)),
    )
    return _cut(list(markdown.section_lines(section)))


def _cut(lines: list[str]) -> bytes:
    sizes = accumulate(len(line.encode()) + 1 for line in lines)
    fitting = sum(size <= LARGEST for size in sizes)
    kept = lines[:fitting]
    if fitting < len(lines):
        kept += ["", f"{len(lines) - fitting} further lines are left out: the summary would be too long."]
    return ("\n".join(kept) + "\n").encode()


def _passes(found: Comparison, entries: Sequence[Accepted]) -> bool:
    """Whether a case that is worse was accepted: its headline is."""
    row = found.row(HEADLINE.name) if found.rows else None
    return row is not None and accepting(found, row, entries) is not None


def _rows(found: Comparison, entries: Sequence[Accepted], label: str) -> Iterator[tuple[Cell, ...]]:
    if not found.rows:
        why = "; ".join(comparison.reasons(found))
        yield (label, *[""] * 5, f"{found.verdict}: {why}")
    for row, cells in zip(found.rows, comparison.rows_of(found), strict=True):
        *others, verdict = (cells[n] for n in SHOWN)
        if entry := accepting(found, row, entries):
            verdict = Written(f"{row.verdict}, accepted {entry.accepted}: {entry.reason}")
        yield (label, *others, verdict)


def _remarks(result: ComparisonResult) -> Iterator[str]:
    yield from dict.fromkeys(note for each in result.comparisons for note in each.notes)
    yield from comparison.remarks(result, "only in A", "only in B")
    yield from result.notes
    yield from result.problems
