"""A session against a saved one, by the comparison and the gate of `bench compare`.

A test's node id and its unit identify its work, because only its author can describe it.
Everything else that must be alike (card, driver, limit, meter, libraries) is in the result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.compare import comparison as compare
from bench.compare import gate
from bench.compare.comparison import Comparison, ComparisonResult
from bench.compare.gate import Judgement
from bench.compare.metrics import HEADLINE
from bench.compare.record_set import RecordSet, StoredRecord
from bench.core.energy_result import EnergyResult, SavedSession
from bench.pytest_plugin.figures import MeasuredTest

MEDIAN = "median"
NOTHING_MEASURED = Judgement("unclear", "nothing was measured.")


@dataclass(frozen=True)
class SessionLimit:
    """One `--energy-fail`. `by_median`: the change is that of the middle rounds, not of the means."""

    limit: gate.Limit
    by_median: bool


def limit(text: str) -> SessionLimit:
    """`median:5%`, or a limit of `bench compare --fail-on`. Raises UsageError."""
    if re.match(rf"\s*{MEDIAN}\s*:.*%\s*$", text):
        parsed = gate.limit(text.replace(MEDIAN, HEADLINE.name, 1))
        return SessionLimit(replace(parsed, text=text.strip()), by_median=True)
    return SessionLimit(gate.limit(text), by_median=False)


def compared(before: SavedSession, path: Path, now: Sequence[MeasuredTest]) -> ComparisonResult:
    """The session against the saved one, test by test."""
    return compare.compare(
        _side(str(path), path.parent, before.named_results()),
        _side("now", Path(), [each.result for each in now]),
    )


def against(found: ComparisonResult, limits: Sequence[SessionLimit]) -> Iterator[Judgement]:
    """Outcome of every limit for every test."""
    by_median = replace(found, comparisons=tuple(map(_by_median, found.comparisons)))
    for each in limits:
        yield from gate.judge(
            by_median if each.by_median else found, [each.limit], [], strict=False
        ).judgements


def budgets(measured: Sequence[MeasuredTest]) -> Iterator[Judgement]:
    """The unclear budgets; one that is exceeded has failed its own test."""
    for each in measured:
        if each.budget == "unclear":
            yield Judgement("unclear", f"{each.test}: {each.budget_sentence()}")


def status(judgements: Sequence[Judgement]) -> int:
    """Exit status: 1 if something fails, 3 if something is unclear, else 0."""
    outcomes = {judgement.outcome for judgement in judgements}
    return 1 if "fail" in outcomes else 3 if "unclear" in outcomes else 0


def _by_median(comparison: Comparison) -> Comparison:
    """The same with the headline's change taken from medians; interval and verdict stay those of means."""
    rows = []
    for row in comparison.rows:
        if row.metric is HEADLINE and row.ratio and row.a.median and row.b.median:
            row = replace(row, ratio=replace(row.ratio, value=row.b.median / row.a.median))
        rows.append(row)
    return replace(comparison, rows=tuple(rows))


def _side(label: str, folder: Path, results: Sequence[EnergyResult]) -> RecordSet[EnergyResult]:
    found = tuple(StoredRecord(result, label, f"{label} {result.name}") for result in results)
    return RecordSet(label, found, (), (), folder)
