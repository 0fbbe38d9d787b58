"""Gate: from a comparison to an exit status, by what fails, passes or is unclear.

    judged = judge(result, [limit("energy:5%"), limit("page:200J")], entries, strict=False)
    judged.status        # 0 passes, 1 a regression, 2 something could not be read, 3 inconclusive

A relative limit fails where the verdict is `worse` and the ratio exceeds the limit; it passes where the whole
interval is within the limit, or the verdict is `same` or `better`; between the two it is unclear. An
absolute one asks the same of B's own 95 % interval on this machine.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.compare import accepted
from bench.compare.accepted import Accepted
from bench.compare.comparison import Comparison, ComparisonResult, MetricRow
from bench.compare.metrics import HEADLINE, METRICS, Metric
from bench.core import modalities
from bench.core.quantities import J_PER_WH
from bench.errors import UsageError

GateOutcome = Literal["pass", "accepted", "fail", "unclear"]

UNITS: dict[str, tuple[str, float]] = {
    "J": ("J", 1.0),
    "mJ": ("J", 1e-3),
    "kJ": ("J", 1e3),
    "Wh": ("J", J_PER_WH),
    "mWh": ("J", J_PER_WH / 1e3),
    "s": ("s", 1.0),
    "ms": ("s", 1e-3),
    "W": ("W", 1.0),
    "kW": ("W", 1e3),
    "B": ("B", 1.0),
    "MB": ("B", 1e6),
    "GB": ("B", 1e9),
}
"""Units of an absolute limit: the metric's unit and the factor to it."""


@dataclass(frozen=True)
class Limit:
    """One `--fail-on`: a metric, and the change or the amount that is too much."""

    text: str
    metric: Metric
    relative: float | None = None
    absolute: float | None = None
    unit_of_output: str | None = None
    """Only cases that make this; `None`: all."""


@dataclass(frozen=True)
class Judgement:
    """Outcome of one limit for one comparison."""

    outcome: GateOutcome
    sentence: str


@dataclass(frozen=True)
class Judged:
    """All judgements, and the exit status that follows."""

    judgements: tuple[Judgement, ...]
    status: int


WORSE_AT_ALL = Limit(f"{HEADLINE.name}:0%", HEADLINE, relative=0.0)
"""Limit without `--fail-on`: a headline that is worse."""


def limit(text: str) -> Limit:
    """`energy:5%`, `time:0.5s` or `page:200J`. Raises UsageError."""
    example = "For example: energy:5%, time:3% or page:200J."
    match = re.fullmatch(r"\s*(\w+)\s*:\s*([0-9.]+(?:[eE][+-]?\d+)?)\s*(%|[A-Za-z]+)\s*", text)
    if match is None:
        raise UsageError(f'"{text}" is not a limit.', example)
    name, number, unit = match.groups()
    output = name if name in modalities.units() else None  # page:200J is energy:200J for cases of pages
    metric = HEADLINE if output else METRICS.get(name)
    if metric is None:
        raise UsageError(
            f'"{text}": unknown metric "{name}".',
            f"There are {', '.join(METRICS)}, {' and '.join(modalities.units())}.",
        )
    try:
        amount = float(number)
    except ValueError:
        raise UsageError(f'"{text}": "{number}" is not a number.', example) from None
    if not math.isfinite(amount):
        raise UsageError(f'"{text}": "{number}" is not a finite number.', example)
    if unit == "%":
        if metric.better is None:
            raise UsageError(
                f'"{text}": neither more nor less {name} is a regression.', "Give an amount: power:300W."
            )
        return Limit(text, metric, relative=amount / 100, unit_of_output=output)
    kind, factor = UNITS.get(unit, ("", 0.0))
    if kind != metric.unit:
        fitting = ", ".join(unit_name for unit_name, (kind, _) in UNITS.items() if kind == metric.unit)
        raise UsageError(f'"{text}": {metric.name} is not counted in "{unit}".', f"Use %, {fitting}.")
    return Limit(text, metric, absolute=amount * factor, unit_of_output=output)


def judge(
    result: ComparisonResult, limits: Sequence[Limit], entries: Sequence[Accepted], *, strict: bool
) -> Judged:
    """Every limit over every comparison. `strict`: what is unclear, or is on one side only, fails."""
    judgements = [
        found for wanted in limits or [WORSE_AT_ALL] for found in _over_all(result, wanted, entries)
    ]
    for found in (*result.only_a, *result.only_b) if strict else ():
        judgements.append(Judgement("unclear", f"{found.record.label}: only in {found.where}."))
    outcomes = {judgement.outcome for judgement in judgements}
    status = 0
    if "fail" in outcomes or (strict and "unclear" in outcomes):
        status = 1
    elif result.problems:
        status = 2
    elif "unclear" in outcomes:
        status = 3
    return Judged(tuple(judgements), status)


def _over_all(result: ComparisonResult, wanted: Limit, entries: Sequence[Accepted]) -> Iterator[Judgement]:
    concerned = [
        comparison
        for comparison in result.comparisons
        if wanted.unit_of_output in (None, comparison.b.record.unit)
    ]
    if not concerned:
        yield Judgement("unclear", f"{wanted.text}: nothing was compared that it applies to.")
    for comparison in concerned:
        yield _judge_one(comparison, wanted, entries)


def _judge_one(comparison: Comparison, wanted: Limit, entries: Sequence[Accepted]) -> Judgement:
    row = comparison.row(wanted.metric.name)
    at = f"{wanted.text}: {comparison.label}"
    if not comparison.rows:
        return Judgement("unclear", f"{at}: {comparison.verdict}.")
    if row is None or not row.b.values:
        return Judgement("unclear", f"{at}: no figure ({row.b.reason if row else 'not measured'}).")
    if wanted.absolute is not None:
        return _absolute(row, wanted.absolute, at)
    outcome, sentence = _relative(row, wanted.relative or 0.0)
    if outcome == "fail" and row.ratio:
        entry = accepted.covering(entries, comparison.a.digest, row.metric.name, row.ratio.value)
        if entry:
            return Judgement("accepted", f"{at}: {sentence}, accepted {entry.accepted}: {entry.reason}")
    return Judgement(outcome, f"{at}: {sentence}.")


def _relative(row: MetricRow, share: float) -> tuple[GateOutcome, str]:
    ratio = row.ratio
    if ratio is None:
        return "unclear", f"no ratio ({row.a.reason or row.b.reason or 'no pair counts'})"
    change = f"{ratio.value - 1:+.1%}"
    if ratio.low is not None and ratio.high is not None:
        change += f" ({ratio.low - 1:+.1%} to {ratio.high - 1:+.1%})"
    if row.verdict == "worse" and ratio.value > 1 + share:
        return "fail", f"worse, {change}"
    if row.verdict in ("same", "better") or (ratio.high is not None and ratio.high <= 1 + share):
        return "pass", f"{row.verdict}, {change}"
    return "unclear", f"{row.verdict}, {change}: not distinguishable from the limit"


def _absolute(row: MetricRow, most: float, at: str) -> Judgement:
    estimate = row.b.estimate
    assert estimate is not None, "asked only where there are values"
    low, high = (estimate.value if edge is None else edge for edge in (estimate.low, estimate.high))
    title, unit = row.metric.name, row.metric.unit
    span = f"{title} {estimate.value:.4g} {unit} ({low:.4g} to {high:.4g})"
    certain = row.metric.of_record is not None or estimate.low is not None
    if certain and low > most:
        return Judgement("fail", f"{at}: {span}, above the limit.")
    if certain and high <= most:
        return Judgement("pass", f"{at}: {span}, within the limit.")
    return Judgement("unclear", f"{at}: {span}: not distinguishable from the limit.")
