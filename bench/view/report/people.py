"""People and models: how many times as much a person emits, by both counts, critics and the paper included.

One chart a kind of output has the ratios. Joules and grams, figure by figure, are in a fold: measured, the
paper's and one person a method first, all others on request. Pages and images are always there, sound,
speech and film where a record is of them, each kind by itself: a second of music and a second of speech are
different work. Figures of different scope are never ranked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from bench.core.modality import Modality
from bench.core.quantities import Range
from bench.footprint import tomlinson2024
from bench.footprint.caveats import LEFT_OUT
from bench.footprint.work_units import why_none
from bench.view import charts
from bench.view.content import (
    Chart,
    Column,
    Fold,
    Section,
    SectionPart,
    TableRow,
    clean,
    columns,
    table,
)
from bench.view.labels import apart
from bench.view.numbers import grouped
from bench.view.report import ratios
from bench.view.report.people_entries import Entry, entries, kinds, of_paper, persons
from bench.view.report.report_data import ReportData

DRAWN = 24
"""Measured lines in a chart. The table beneath has all of them."""

NUMBERS = ("#J", "#J low", "#J high", "#g CO2e", "#g low", "#g high")
LEAD = (
    "How many times as much a person alone emits, by both counts of the person: right of 1 the model, or the "
    "person with it, emits less. Measured dots are solid, published ones hollow. Figures of different scope "
    "count different things, and are not to be ranked against each other."
)


def section(data: ReportData) -> Section:
    """Charts of ratios, with the figures behind them in folds, and what the comparison leaves out."""
    parts: list[SectionPart] = [LEAD]
    compared = kinds(data)
    for modality in compared:
        found = list(entries(data, modality))
        drawn, hidden = _drawn(found)
        parts += _parts(modality, found, drawn)
        if hidden:
            parts.append(f"{_which(modality, found)}; the table has {hidden} more.")
    absent = (f"{each.plural}: {reason}" for each in compared if (reason := why_none(each.name)))
    notes = (*_aside(data), *absent, *LEFT_OUT)
    return Section("Against people and published figures", tuple(parts), notes, "people")


def _which(modality: Modality, found: Sequence[Entry]) -> str:
    """Measured figures that a chart has, in words."""
    alike = any(entry.case and entry.drawn_as is None for entry in found)
    if sum(entry.drawn_as is not None for entry in found) <= DRAWN:
        return "Of like cards the one with the median joules is drawn"
    some = f"Of measured {modality.plural} the {DRAWN} newest are drawn"
    return f"{some}, of like cards the one with the median joules" if alike else some


def name_of(modality: Modality) -> str:
    """Beginning of the ids of a kind's charts and table."""
    return f"people-{modality.unit if of_paper(modality) else modality.name}"


def _aside(data: ReportData) -> Iterator[str]:
    for reason, count in data.aside.items():
        yield f"Not shown here: {count} case{'s' * (count > 1)} of {reason}."


def _drawn(found: Sequence[Entry]) -> tuple[list[tuple[str, Entry]], int]:
    """Rows that fit into a chart, each under a label of its own, and how many it leaves to the table."""
    measured = [entry for entry in found if entry.drawn_as is not None]
    others = [entry for entry in found if entry.case is None]
    shown = [*measured[:DRAWN], *others]
    names = Counter(entry.drawn_as or entry.name for entry in shown)
    several = len({entry.scope for entry in measured}) > 1
    labels = apart(
        [
            (
                _label(
                    entry, scoped=names[entry.drawn_as or entry.name] > 1 or (several and bool(entry.case))
                ),
                entry.case or entry.key or entry.source,
            )
            for entry in shown
        ]
    )
    return list(zip(labels, shown, strict=True)), sum(entry.case is not None for entry in found) - len(
        measured[:DRAWN]
    )


def _label(entry: Entry, *, scoped: bool) -> str:
    """Name of a figure, with its scope where others have another."""
    name = clean(entry.drawn_as or entry.name, 120)
    return f"{name} · {entry.scope}" if scoped else name


def _parts(
    modality: Modality, found: Sequence[Entry], drawn: Sequence[tuple[str, Entry]]
) -> Iterable[SectionPart]:
    name, unit = name_of(modality), modality.unit
    who = list(persons(modality))
    behind: list[SectionPart] = []
    if who:
        rows = list(ratios.rows(modality, drawn))
        band = tomlinson2024.span(unit) if of_paper(modality) else None
        yield ratios.chart(f"{name}-times", modality, rows, band)
        behind.append(ratios.numbers(f"{name}-times", modality, rows))
    for quantity, title in (("grams", f"g CO2e per {unit}"), ("joules", f"joules per {unit}")):
        dots = [_dot(label, each, span) for label, each in drawn if (span := getattr(each, quantity))]
        if dots:
            about = f"{title}, on a logarithmic axis"
            draw = partial(charts.dots, dots, title)
            behind.append(Chart(f"{name}-{quantity}", about, draw, name, _extremes(dots, quantity)))
    first, more = _grouped(found)
    what = unit if of_paper(modality) else f"{unit} ({modality.name})"
    behind.append(
        table(_columns(who), _rows(first, who), f"One {what}: measured, published, and people", name)
    )
    if more:
        others = table(_columns(who), _rows(more, who), f"One {what}: all other figures", f"{name}-more")
        behind.append(Fold(f"All other people and published figures ({len(more)})", (others,)))
    yield Fold(f"One {what} in numbers: joules and grams of each figure", tuple(behind))


def _grouped(found: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Measured figures, the paper's and the first person of each method; and all others."""
    first, more = list[Entry](), list[Entry]()
    methods = set[str]()
    for entry in found:
        kept = entry.case is not None or (entry.kind != "person" and bool(entry.ratios))
        kept |= entry.kind == "person" and entry.method not in methods
        methods |= {entry.method}
        (first if kept else more).append(entry)
    return first, more


def _rows(found: Sequence[Entry], who: Sequence[str]) -> Iterator[TableRow]:
    return (TableRow(entry.cells(who), entry.case) for entry in found)


def _columns(people: Iterable[str]) -> tuple[Column, ...]:
    """Columns of a table, one with a ratio to each person."""
    times = (f"#{who} ×" for who in people)
    about = ("interval", "conditions", "source")
    return columns("who or what", "kind", "scope", *NUMBERS, *times, *about)


def grams(found: Sequence[Entry]) -> list[dict[str, object]]:
    """Data of a chart of grams."""
    drawn, _ = _drawn(found)
    return [_dot(label, each, each.grams) for label, each in drawn if each.grams]


def _extremes(dots: Sequence[dict[str, object]], quantity: str) -> str:
    """Least and most of a chart, with their names."""
    ordered = sorted(dots, key=lambda dot: float(str(dot["value"])))
    unit = {"grams": "g CO2e", "joules": "J"}[quantity]
    least, most = (
        f"{grouped(float(str(dot['value'])))} {unit} ({dot['label']})" for dot in (ordered[0], ordered[-1])
    )
    return f"From {least} to {most}."


def _dot(label: str, entry: Entry, span: Range) -> dict[str, object]:
    return {
        "label": label,
        "kind": entry.kind,
        "value": span.value,
        "interval": entry.interval,
        "low": span.low,
        "high": span.high,
        "conditions": clean(entry.conditions, 120),
    }
