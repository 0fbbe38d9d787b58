"""Across hardware: each case on each machine, and joules over seconds with their lower bound.

Cards differ by their own calibration error, so the intervals are absolute ones (see docs/uncertainty.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

from bench.compare.across import RankedRow, Ranking, across
from bench.compare.front import Costs, on_front
from bench.compare.machine_column import MachineColumn
from bench.view import across as view
from bench.view import charts, references
from bench.view.content import Chart, Section, Table, TableRow, clean, columns, table
from bench.view.numbers import digits
from bench.view.report.report_data import ReportData
from bench.view.short_names import machine_name

Like = tuple[str, str, str, str]
"""Unit, scope, kind, weights: what figures must share to be in one chart."""


def section(data: ReportData) -> Section | None:
    """A matrix, and a chart for each group of figures that may be set beside each other."""
    found = across([data.source])
    places = sorted({one.place for board in found.boards for one in board.standings})
    parts: list[Table | Chart] = [view.matrix(found.boards, {place: _column(place) for place in places})]
    groups = groupby(sorted(found.boards, key=_like), key=_like)
    for number, (like, boards) in enumerate(groups):
        standings = [one for board in boards for one in board.standings if one.time_s]
        parts += _scatter(number, like, standings)
    parts += references.parts(found.boards, data.settings.references)
    lead = (
        "Joules per unit of each case on each machine, with the absolute 95 % interval: the card's own error "
        "is in it. A rank is a range where intervals overlap; nothing is ranked across scopes, kinds or "
        "weights. The dashed line joins the cases that no other beats in both joules and time."
    )
    if not found.boards:
        return None
    return Section(
        "Across hardware", (lead, *references.sentences(parts), *parts), found.left_out, "machines"
    )


def _column(place: MachineColumn) -> str:
    return clean(f"{place.machine}, {place.limits}, {place.driver}; J, scope {place.scope}, {place.kind}")


def _like(board: Ranking) -> Like:
    record = board.standings[0].found.record
    return (board.unit, *board.like, record.case.weights.kind)


def _scatter(number: int, like: Like, standings: Sequence[RankedRow]) -> Iterator[Table | Chart]:
    unit, scope, kind, weights = like
    name = f"energy-time-{number}"
    about = f"Joules over seconds per {unit}: scope {scope}, {kind}, {weights} weights"
    if len(standings) > 1:  # a single dot has nothing to be beside
        rows = [_dot(one, front=_on_front(one, standings)) for one in standings]
        least = min(standings, key=lambda one: one.energy.value)
        takeaway = f"Fewest joules: {digits(least.energy.value)} J with {_named(least)}."
        yield Chart(name, about, partial(charts.scatter, rows, unit), f"{name}-table", takeaway)
    if standings:
        numbers = (f"#J/{unit}", "#low", "#high", f"#s/{unit}")
        heads = columns("case", "machine", *numbers, "rank for this case", "on the line")
        made = (_row(one, front=_on_front(one, standings)) for one in standings)
        yield table(heads, made, about, f"{name}-table")


def _named(one: RankedRow) -> str:
    return f"{clean(one.found.record.label, 80)} on {machine_name(one.place.machine)}"


def _dot(one: RankedRow, *, front: bool) -> dict[str, object]:
    energy = one.energy
    return charts.dot(energy.value, energy.low, energy.high) | {
        "label": clean(one.found.record.label, 80),
        "machine": machine_name(one.place.machine),
        "time_s": one.time_s,
        "front": front,
    }


def _row(one: RankedRow, *, front: bool) -> TableRow:
    energy, about = one.energy, (one.found.record.label, one.place.machine)
    numbers = energy.value, energy.low, energy.high, one.time_s
    return TableRow((*about, *numbers, view.rank_of(one), "yes" if front else "no"), one.found.digest)


def _on_front(one: RankedRow, group: Sequence[RankedRow]) -> bool:
    """Whether no other takes fewer joules in no more time, or no more joules in less."""
    return on_front(_costs(one), map(_costs, group))


def _costs(one: RankedRow) -> Costs:
    return one.energy.value, one.time_s or 0.0
