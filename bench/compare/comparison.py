"""Comparison of two sides: for each case and metric a ratio, its interval, and one of six verdicts.

    better, worse     the difference exceeds the machine's noise floor, and chance does not explain it
    same              the whole interval of the ratio is within the floor: shown equal, not just unproven
    unclear           none of these is shown
    invalid           one of the records is
    not comparable    the records differ in what must be alike, so the comparison has no figures

p-values are corrected for the number of rows tested (Holm). Without `vary` unlike cases are refused.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from bench.compare import noise, unsteady
from bench.compare.identity import Difference, differences
from bench.compare.match import match
from bench.compare.metrics import HEADLINE, METRICS, Metric, MetricValues
from bench.compare.noise import Floor, Floors
from bench.compare.record_set import RecordSet, StoredRecord
from bench.compare.role_metrics import role_metrics
from bench.core.measurement import Measurement
from bench.core.notebook import NotebookTable
from bench.stats import ratio as statistics
from bench.stats import uncertainty
from bench.stats.budget.gum import Term
from bench.stats.constant_power import follows_time
from bench.stats.ratio import Ratio

Verdict = Literal["better", "worse", "same", "unclear", "invalid", "not comparable"]

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class MetricRow:
    """One metric of one case on both sides. `p` is corrected for all rows tested; `None` was not tested."""

    metric: Metric
    a: MetricValues
    b: MetricValues
    ratio: Ratio | None
    floor: Floor
    p: float | None = None
    verdict: Verdict | None = None
    """`None` for a metric of which neither less nor more is better."""


@dataclass(frozen=True)
class Comparison:
    """Two records: what differs, or a row a metric. `verdict` is the headline's."""

    a: StoredRecord[Measurement]
    b: StoredRecord[Measurement]
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    reasons: tuple[str, ...] = ()
    rows: tuple[MetricRow, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The case in words; both where they are two."""
        a, b = self.a.record.label, self.b.record.label
        return a if a == b else f"{a} | {b}"

    def row(self, metric: str) -> MetricRow | None:
        """The row of a metric, where there is one."""
        return next((row for row in self.rows if row.metric.name == metric), None)


@dataclass(frozen=True)
class ComparisonResult(NotebookTable):
    """Everything that was compared, and everything that was not."""

    a: RecordSet[Measurement]
    b: RecordSet[Measurement]
    comparisons: tuple[Comparison, ...]
    only_a: tuple[StoredRecord[Measurement], ...] = ()
    only_b: tuple[StoredRecord[Measurement], ...] = ()
    notes: tuple[str, ...] = ()
    vary: tuple[str, ...] = field(default=())

    @property
    def problems(self) -> tuple[str, ...]:
        """Files that could not be read on either side."""
        return tuple(dict.fromkeys((*self.a.problems, *self.b.problems)))


def compare(
    a: RecordSet[Measurement],
    b: RecordSet[Measurement],
    *,
    vary: Collection[str] = (),
    floors: Floors | None = None,
) -> ComparisonResult:
    """B against A. `floors` are the machines' own, from `noise.known_floors`."""
    matches = match(a, b)
    comparisons = of_pairs(matches.pairs, vary=vary, floors=floors)
    return ComparisonResult(
        a=a,
        b=b,
        comparisons=comparisons,
        only_a=tuple(matches.only_a),
        only_b=tuple(matches.only_b),
        # Both sides may be of one folder: what is noted of it is then noted once.
        notes=tuple(dict.fromkeys((*a.notes, *b.notes, *matches.notes, *_hints(a, b, comparisons)))),
        vary=tuple(vary),
    )


def _hints(
    a: RecordSet[Measurement], b: RecordSet[Measurement], comparisons: Sequence[Comparison]
) -> Iterator[str]:
    """Reason for an empty comparison, and the option that was probably meant."""
    for name, side in (("A", a), ("B", b)):
        if not side.found:
            yield f"Side {name} ({side.label}) has no record, so there is nothing to compare."
    if any(d.key.startswith("machine.") for comparison in comparisons for d in comparison.differences):
        yield "Other machines or cards are ranked, without verdicts, by --across-hardware."


def of_pairs(
    pairs: Iterable[tuple[StoredRecord[Measurement], StoredRecord[Measurement]]],
    *,
    vary: Collection[str] = (),
    floors: Floors | None = None,
) -> tuple[Comparison, ...]:
    """Each second record against its first; p-values are corrected over all of them."""
    return tuple(_judged([_draft(one, other, vary, floors or {}) for one, other in pairs]))


def _draft(
    a: StoredRecord[Measurement], b: StoredRecord[Measurement], vary: Collection[str], floors: Floors
) -> Comparison:
    """Everything but the verdicts of rows, which need all rows of all cases."""
    reasons = [f"{stored.where} is {stored.record.why}" for stored in (a, b) if stored.record.status != "ok"]
    # A run that failed may never have had a meter or an engine: then only the case distinguishes them.
    alike = a.record.work_key == b.record.work_key
    unlike = () if reasons and alike else tuple(differences(a.record, b.record, vary))
    if unlike:
        return Comparison(a, b, "not comparable", differences=unlike)
    if reasons:
        return Comparison(a, b, "invalid", reasons=tuple(reasons))
    rows = tuple(_rows(a.record, b.record, floors))
    notes = (*_notes(a.record, b.record, vary), *_instead(rows, a.record, b.record))
    return Comparison(a, b, "unclear", rows=rows, notes=notes)


def _rows(a: Measurement, b: Measurement, floors: Floors) -> Iterator[MetricRow]:
    turns = noise.in_turns(a, b)
    for wanted in (*METRICS.values(), *role_metrics(a, b)):
        metric = wanted.both_hold(a, b)
        one, other = metric.read(a), metric.read(b)
        if not one.values and not other.values and metric is not HEADLINE:
            continue
        ratio = _ratio(metric, (a, one), (b, other), turns=turns)
        yield MetricRow(metric, one, other, ratio, noise.floor(floors, a, metric, turns=turns))


def _ratio(
    metric: Metric, a: tuple[Measurement, MetricValues], b: tuple[Measurement, MetricValues], *, turns: bool
) -> Ratio | None:
    if metric.of_block and turns:
        return noise.pair_ratio(metric, a[0], b[0])
    values_a, values_b = a[1].values, b[1].values
    if not values_a or not values_b:
        return None
    if metric.of_record:
        return statistics.exact(values_a[0], values_b[0])
    common = [*_common_terms(metric, a[0]), *_common_terms(metric, b[0])]
    return statistics.ratio(values_a, values_b, common)


def _common_terms(metric: Metric, record: Measurement) -> list[Term]:
    """Error common to all blocks of a record that does not cancel on one card, from its own budget."""
    uncertainties = record.figures.uncertainty or uncertainty.of(record)
    budget = {"energy": uncertainties.gross, "net": uncertainties.net}.get(metric.name)
    if budget is None or not budget.value:
        return []
    return [
        Term(line.contribution_j / abs(budget.value), math.inf if line.dof is None else line.dof)
        for line in budget.inputs
        if "same_card" in line.enters and line.name != "run to run" and line.contribution_j
    ]


def _judged(drafts: Sequence[Comparison]) -> Iterator[Comparison]:
    """Verdicts for all rows, p-values corrected over all that are tested."""
    tested = [p for draft in drafts for row in draft.rows if (p := _tested(row)) is not None]
    corrected = iter(statistics.holm(tested))
    for draft in drafts:
        rows = []
        for row in draft.rows:
            p = None if _tested(row) is None else next(corrected)
            rows.append(replace(row, p=p, verdict=_verdict(row, p)))
        headline = next((row.verdict for row in rows if row.metric is HEADLINE), None)
        wide = any(row.ratio and row.ratio.unsteady for row in rows)
        notes = (*draft.notes, unsteady.note(draft.a.record, draft.b.record)) if wide else draft.notes
        yield replace(draft, rows=tuple(rows), notes=notes, verdict=headline or draft.verdict)


def _tested(row: MetricRow) -> float | None:
    """The row's own p-value where a verdict hangs on it."""
    return row.ratio.p if row.ratio and row.metric.better else None


def _verdict(row: MetricRow, p: float | None) -> Verdict | None:
    ratio, edge = row.ratio, 1 + row.floor.value
    if row.metric.better is None:
        return None
    if ratio is None or ratio.low is None or ratio.high is None:
        return "unclear"
    if 1 / edge <= ratio.low and ratio.high <= edge:
        return "same"
    beyond_floor = not 1 / edge <= ratio.value <= edge
    beyond_chance = ratio.method == "exact" or (p is not None and p < SIGNIFICANT)
    if beyond_floor and beyond_chance:
        return "worse" if ratio.value > 1 else "better"
    return "unclear"


def _notes(a: Measurement, b: Measurement, vary: Collection[str]) -> Iterator[str]:
    """Notes needed to read the rows rightly."""
    if noise.in_turns(a, b):
        yield "measured in turns: ratios are of pairs"
    meant = sorted({difference.key for difference in differences(a, b)}) if vary else []
    if meant:
        yield f"meant to differ: {', '.join(meant)}"
    if any(side.ended and side.ended.quick for side in (a, b)):
        yield "quick: measured for a first look, with a wider target or shorter blocks than usual"
    if any(side.side_by_side for side in (a, b)):
        yield "side by side: measured beside other cases, so the host is in no figure of it"
    if a.machine.roles or b.machine.roles:
        yield "roles: work may move from one to another, so only their sum has a verdict"
    if any(side.random_weights for side in (a, b)):
        yield "random weights: joules are valid for the shape of the model, its output is meaningless"
    kinds = {
        side.figures.energy_per_unit_j[scope].kind
        for side in (a, b)
        if (scope := side.figures.headline_scope)
    }
    if time_only := follows_time(a, b):
        yield time_only
    elif kinds & {"estimated", "mixed"}:
        yield "estimated: a model of power replaces a meter, and what it leaves out cannot differ"
    if sentence := noise.powers_apart(a, b):
        yield sentence


def _instead(rows: Sequence[MetricRow], a: Measurement, b: Measurement) -> Iterator[str]:
    """Rows of something else than their metric's first choice, and the side that is the cause."""
    for row in rows:
        wanted = METRICS.get(row.metric.name, row.metric)
        if row.metric is not wanted:
            sides = " and ".join(name for name, side in (("A", a), ("B", b)) if not wanted.read(side).values)
            yield f"{wanted.name}: {row.metric.about}, since {wanted.about} is not in {sides}"
