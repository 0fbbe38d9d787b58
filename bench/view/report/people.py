"""Joules and grams of a page, an image or a second beside people and published figures, on logarithmic axes.

Inside: measured records, each at every scope it has; the paper's people and models; other people who make the
same; what others published per unit. Every line bears its scope; none is ranked against one of another scope.
Pages and images are always there, sound, speech and film where a record is of them, each kind by itself: a
second of music and a second of speech are different work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from bench.core.modality import Modality
from bench.core.quantities import Range
from bench.footprint import tomlinson2024
from bench.footprint.caveats import LEFT_OUT
from bench.footprint.work_units import why_none
from bench.view import charts
from bench.view.content import Chart, Column, Section, Table, TableRow, clean, columns, table
from bench.view.labels import apart
from bench.view.report.people_entries import Entry, entries, kinds, of_paper, persons
from bench.view.report.report_data import ReportData

DRAWN = 24
"""Measured lines in a chart. The table beneath has all of them."""

NUMBERS = ("#J", "#J low", "#J high", "#g CO2e", "#g low", "#g high")


def section(data: ReportData) -> Section:
    """Tables and charts of each kind of output, with what the comparison leaves out."""
    parts: list[Table | Chart] = []
    sentences = [
        "A dot is a figure, the line through it its absolute 95 % interval, where it has one: other "
        "intervals and ranges count other things, and are in the table only. Measured is solid, "
        "estimated hatched, published hollow. The scope is in each label: figures of different scope "
        "count different things, and are not to be ranked against each other."
    ]
    compared = kinds(data)
    for modality in compared:
        found = list(entries(data, modality))
        drawn, hidden = _drawn(found)
        parts += _parts(modality, found, drawn)
        if hidden:
            sentences.append(
                f"Of measured {modality.plural} the {DRAWN} newest are drawn; the table has {hidden} more."
            )
    absent = (f"{each.plural}: {reason}" for each in compared if (reason := why_none(each.name)))
    notes = (*_aside(data), *absent, *LEFT_OUT)
    return Section("Against people and published figures", (*sentences, *parts), notes, "people")


def name_of(modality: Modality) -> str:
    """Beginning of the ids of a kind's charts and table."""
    return f"people-{modality.unit if of_paper(modality) else modality.name}"


def _aside(data: ReportData) -> Iterator[str]:
    for reason, count in data.aside.items():
        yield f"Not shown here: {count} case{'s' * (count > 1)} of {reason}."


def _drawn(found: Sequence[Entry]) -> tuple[list[tuple[str, Entry]], int]:
    """Rows that fit into a chart, each under a label of its own, and how many it leaves to the table."""
    measured = [entry for entry in found if entry.case is not None]
    others = [entry for entry in found if entry.case is None]
    shown = [*measured[:DRAWN], *others]
    labels = apart([(entry.label, entry.case or entry.key or entry.source) for entry in shown])
    return list(zip(labels, shown, strict=True)), max(0, len(measured) - DRAWN)


def _parts(
    modality: Modality, found: Sequence[Entry], drawn: Sequence[tuple[str, Entry]]
) -> Iterable[Table | Chart]:
    name, unit = name_of(modality), modality.unit
    who = list(persons(modality))
    for quantity, title in (("grams", f"g CO2e per {unit}"), ("joules", f"joules per {unit}")):
        rows = [_dot(label, each, span) for label, each in drawn if (span := getattr(each, quantity))]
        about = f"{title}, on a logarithmic axis"
        yield Chart(f"{name}-{quantity}", about, partial(charts.dots, rows, title), name)
    if who:
        yield _times(modality, drawn)
    made = (TableRow(entry.cells(who), entry.case) for entry in found)
    what = unit if of_paper(modality) else f"{unit} ({modality.name})"
    yield table(_columns(who), made, f"One {what}: measured, published, and people", name)


def _times(modality: Modality, drawn: Sequence[tuple[str, Entry]]) -> Chart:
    """How many times as much a person emits; of pages and images with the paper's own range."""
    name, unit = name_of(modality), modality.unit
    rows = [
        _dot(f"{who} / {label}", entry, ratio)
        for label, entry in drawn
        for who, ratio in entry.ratios.items()
    ]
    about = (
        f"How many times as much a person's {unit} emits, by the paper's count of a whole life by the hour."
    )
    band = tomlinson2024.span(unit) if of_paper(modality) else None
    if band:
        about += f" The shaded band is the paper's own {band[0]:,.0f} to {band[1]:,.0f}."
    draw = partial(charts.dots, rows, f"person / model, times ({unit})", band=band)
    return Chart(f"{name}-times", about, draw, name)


def _columns(people: Iterable[str]) -> tuple[Column, ...]:
    """Columns of a table, one with a ratio to each person."""
    ratios = (f"#{who} ×" for who in people)
    about = ("interval", "conditions", "source")
    return columns("who or what", "kind", "scope", *NUMBERS, *ratios, *about)


def grams(found: Sequence[Entry]) -> list[dict[str, object]]:
    """Data of a chart of grams."""
    drawn, _ = _drawn(found)
    return [_dot(label, each, each.grams) for label, each in drawn if each.grams]


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
