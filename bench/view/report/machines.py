"""Across hardware: each case on each machine, and joules over seconds with their lower bound.

Cards differ by their own calibration error, so the intervals are absolute ones (see docs/uncertainty.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

from bench.compare.across import RankedRow, Ranking, across
from bench.compare.card_models import card_models
from bench.compare.front import Costs, on_front
from bench.compare.machine_column import MachineColumn, card_model
from bench.view import across as view
from bench.view import card_models as card_model_view
from bench.view import charts, references
from bench.view.content import Chart, Fold, Section, SectionPart, Table, TableRow, clean, columns, table
from bench.view.report import card_models_table
from bench.view.report.footer import METERED, footer, nature
from bench.view.report.report_data import ReportData
from bench.view.short_names import machine_name
from bench.view.spans import rank_of, value_text

Like = tuple[str, str, str, str]
"""Unit, scope, kind, weights: what figures must share to be in one chart."""


def section(data: ReportData) -> Section | None:
    """A matrix, and a chart for each group of figures that may be set beside each other.

    Like cards share a row; the single machines are in a fold then.
    """
    found = across([data.source])
    if not found.boards:
        return None
    groups = [card_models(board) for board in found.boards]
    alike = card_model_view.has_like_cards(groups)
    places = sorted({one.place for board in found.boards for one in board.standings})
    matrix: Table = view.matrix(found.boards, {place: (_column(place), "") for place in places})
    charts_of, tables_of = [], []
    for number, (like, boards) in enumerate(groupby(sorted(found.boards, key=_like), key=_like)):
        standings = [one for board in boards for one in board.standings if one.time_s]
        charts_of += list(_scatter(number, like, standings, alike=alike))
        tables_of += list(_numbers(number, like, standings))
    parts: list[SectionPart] = [matrix, *_in_turns(charts_of, tables_of)]
    if alike:
        parts = [*card_models_table.parts(found.boards, groups), *charts_of]
        parts.append(Fold("Each machine", (matrix, *tables_of)))
    beside = tuple(references.parts(found.boards, data.settings.references))
    lead = (
        "Joules per unit of each case on each machine, with the absolute 95 % interval: the card's own error "
        "is in it. A rank is a range where intervals overlap; nothing is ranked across scopes, kinds or "
        "weights. The dashed line joins the cases that no other beats in both joules and time."
    )
    sentences = (lead, *((card_models_table.LEAD,) if alike else ()), *references.sentences(beside))
    return Section("Across hardware", (*sentences, *parts, *beside), found.left_out, "machines")


def _in_turns(drawn: Sequence[Chart], tables: Sequence[Table]) -> Iterator[Chart | Table]:
    """Each chart before the table of its numbers."""
    by_table = {chart.table: chart for chart in drawn}
    for each in tables:
        if each.id in by_table:
            yield by_table[each.id]
        yield each


def _column(place: MachineColumn) -> str:
    return clean(f"{place.named}, {place.limits}, {place.driver}; J, scope {place.scope}, {place.kind}")


def _like(board: Ranking) -> Like:
    record = board.standings[0].found.record
    return (board.unit, *board.like, record.case.weights.kind)


def _about(like: Like) -> str:
    unit, scope, kind, weights = like
    return f"Joules over seconds per {unit}: scope {scope}, {kind}, {weights} weights"


def _scatter(number: int, like: Like, standings: Sequence[RankedRow], *, alike: bool) -> Iterator[Chart]:
    """The chart, a colour a machine or, where cards are alike, a card model."""
    if len(standings) > 1:  # a single dot has nothing to be beside
        name = f"energy-time-{number}"
        rows = [_dot(one, front=_on_front(one, standings), alike=alike) for one in standings]
        least = min(standings, key=lambda one: one.energy.value)
        takeaway = f"Fewest joules per {like[0]}: {value_text(least.energy)} J with {_named(least)}"
        draw = partial(charts.scatter, rows, like[0])
        foot = footer([(one.found, like[2]) for one in standings], (), METERED)
        yield Chart(name, _about(like), draw, f"{name}-table", takeaway, foot)


def _numbers(number: int, like: Like, standings: Sequence[RankedRow]) -> Iterator[Table]:
    if standings:
        unit = like[0]
        numbers = (f"#J/{unit}", "#low", "#high", f"#s/{unit}")
        heads = columns("case", "machine", *numbers, "rank for this case", "on the line")
        made = (_row(one, front=_on_front(one, standings)) for one in standings)
        yield table(heads, made, _about(like), f"energy-time-{number}-table")


def _named(one: RankedRow) -> str:
    natures = nature(one.found.record, one.place.kind)
    return f"{clean(one.found.record.label, 80)} on {machine_name(one.place.named)}" + (
        f" ({natures})" if natures else ""
    )


def _dot(one: RankedRow, *, front: bool, alike: bool) -> dict[str, object]:
    energy, machine = one.energy, machine_name(one.place.named)
    return charts.dot(energy.value, energy.low, energy.high) | {
        "label": clean(one.found.record.label, 80),
        "machine": machine,
        "group": machine_name(card_model(one.found.record).name) if alike else machine,
        "time_s": one.time_s,
        "front": front,
    }


def _row(one: RankedRow, *, front: bool) -> TableRow:
    energy, about = one.energy, (one.found.record.label, one.place.named)
    numbers = energy.value, energy.low, energy.high, one.time_s
    return TableRow((*about, *numbers, rank_of(one.rank), "yes" if front else "no"), one.found.digest)


def _on_front(one: RankedRow, group: Sequence[RankedRow]) -> bool:
    """Whether no other takes fewer joules in no more time, or no more joules in less."""
    return on_front(_costs(one), map(_costs, group))


def _costs(one: RankedRow) -> Costs:
    return one.energy.value, one.time_s or 0.0
