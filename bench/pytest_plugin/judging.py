"""A session against a saved one, by the comparison and the gate of `bench compare`.

A test stands for a case: its node id and its unit are the case's identity, because what it does is known to
its author alone. Everything else that must be alike (card, driver, limit, meter, libraries) is in the result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.analysis import compare, gate
from bench.analysis.compare import Comparison
from bench.analysis.compare import Result as Compared
from bench.analysis.gate import Judgement
from bench.analysis.metrics import HEADLINE
from bench.analysis.sources import Found, Source
from bench.catalog.identity import case_hash
from bench.core.record import Record
from bench.measurement.api import Result
from bench.pytest_plugin.figures import Measured
from bench.pytest_plugin.storage import Saved

MEDIAN = "median"


@dataclass(frozen=True)
class Limit:
    """One `--energy-fail`. `by_median`: the change is that of the middle rounds, not of the means."""

    limit: gate.Limit
    by_median: bool


def limit(text: str) -> Limit:
    """`median:5%`, or a limit of `bench compare --fail-on`. Raises UsageError."""
    if re.match(rf"\s*{MEDIAN}\s*:.*%\s*$", text):
        parsed = gate.limit(text.replace(MEDIAN, HEADLINE.name, 1))
        return Limit(replace(parsed, text=text.strip()), by_median=True)
    return Limit(gate.limit(text), by_median=False)


def compared(before: Saved, path: Path, now: Sequence[Measured]) -> Compared:
    """The session against the saved one, test by test."""
    return compare.compare(
        _source(str(path), path.parent, before.tests),
        _source("now", Path(), {each.test: each.result for each in now}),
    )


def against(found: Compared, limits: Sequence[Limit]) -> Iterator[Judgement]:
    """What every limit says of every test."""
    by_median = replace(found, comparisons=tuple(map(_by_median, found.comparisons)))
    for each in limits:
        yield from gate.judge(
            by_median if each.by_median else found, [each.limit], [], strict=False
        ).judgements


def budgets(measured: Sequence[Measured]) -> Iterator[Judgement]:
    """The budgets that cannot be told; one that is exceeded has failed its own test."""
    for each in measured:
        if each.budget == "unclear":
            yield Judgement("unclear", f"{each.test}: {each.budget_sentence()}")


def status(judgements: Sequence[Judgement]) -> int:
    """1 where something fails, 3 where something cannot be told, else 0."""
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


def _source(label: str, folder: Path, results: dict[str, Result]) -> Source:
    found = tuple(Found(_record(test, result), label, f"{label} {test}") for test, result in results.items())
    return Source(label, found, (), (), folder)


def _record(test: str, result: Result) -> Record:
    """A test's result as the record of a case, for the comparison only: it is never written."""
    case = {
        "model": test,
        "weights": {"kind": "none"},
        "engine": "pytest",
        "unit": result.unit,
        "dtype": "none",
        "batch": 1,
        "seed": 0,
        "options": {"test": test},
    }
    return Record(
        status=result.status,
        reasons=result.reasons,
        label=test,
        created=result.provenance["created"],
        case=case | {"hash": case_hash(case)},
        blocks=result.blocks,
        idle=result.idle,
        figures=result.figures,
        carbon=result.carbon,
        machine=result.machine,
        provenance=result.provenance,
        absent=result.absent,
    )
