"""Charts of people and models: ratios, grams and joules, each with what the picture rests on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from bench.compare.record_set import StoredRecord
from bench.core.modality import Modality
from bench.core.quantities import Range
from bench.footprint import tomlinson2024
from bench.view import charts
from bench.view.content import Chart, clean
from bench.view.labels import apart
from bench.view.numbers import grouped
from bench.view.report import ratios
from bench.view.report.footer import footer
from bench.view.report.people_entries import Entry, of_paper
from bench.view.report.report_data import ReportData, Settings
from bench.view.spans import value_text

DRAWN = 24
"""Measured lines in a chart. The table beneath has all of them."""
ROWS = 20
"""Rows in a chart of joules or grams beside measured ones, as many as a slide can show."""


def name_of(modality: Modality) -> str:
    """Beginning of the ids of a kind's charts and table."""
    return f"people-{modality.unit if of_paper(modality) else modality.name}"


def drawn(found: Sequence[Entry]) -> list[tuple[str, Entry]]:
    """Rows of a chart."""
    return chart_rows(found)[0]


def chart_rows(found: Sequence[Entry]) -> tuple[list[tuple[str, Entry]], int]:
    """Rows that fit into a chart, each under a label of its own, and how many it leaves to the table."""
    measured = [entry for entry in found if entry.drawn_as is not None]
    others = [entry for entry in found if entry.case is None]
    shown = [*measured[:DRAWN], *others]
    names = Counter(entry.drawn_as or entry.name for entry in shown)
    origins = defaultdict[str, set[str]](set)
    for entry in shown:
        origins[entry.name].add(entry.source)
    several = len({entry.scope for entry in measured}) > 1
    labels = apart(
        [
            (
                _label(
                    entry,
                    scoped=names[entry.drawn_as or entry.name] > 1 or (several and bool(entry.case)),
                    sourced=len(origins[entry.name]) > 1,
                ),
                entry.case or entry.key or entry.source,
            )
            for entry in shown
        ]
    )
    return list(zip(labels, shown, strict=True)), sum(entry.case is not None for entry in found) - len(
        measured[:DRAWN]
    )


def _label(entry: Entry, *, scoped: bool, sourced: bool) -> str:
    """Name of a figure, with its scope and source where others of the name have another."""
    name = clean(entry.drawn_as or entry.name, 120)
    if not scoped:
        return name
    named_by = f", {entry.source}" if sourced and entry.kind == "published" else ""
    return f"{name} · {entry.scope}{named_by}"


def ratio_chart(data: ReportData, modality: Modality, shown: Sequence[tuple[str, Entry]]) -> Chart:
    """Person alone over each figure, with what the picture rests on."""
    rows = list(ratios.rows(modality, shown))
    band = tomlinson2024.span(modality.unit) if of_paper(modality) else None
    chart = ratios.chart(f"{name_of(modality)}-times", modality, rows, band)
    compared = [(label, each) for label, each in shown if each.ratios]
    conditions = [*grams_conditions(data.settings, compared)]
    if of_paper(modality):
        conditions.append("Scenarios have the grid and the overheads that they state.")
    of_records = {each.source for _, each in compared if each.found}
    cited = [source for row in rows for source in row.sources if source not in of_records]
    return replace(chart, footer=footer(_marks(compared), cited, *conditions))


def dot_charts(data: ReportData, modality: Modality, shown: Sequence[tuple[str, Entry]]) -> Iterator[Chart]:
    """Grams and joules of each figure, as many rows as a slide can show."""
    name, unit = name_of(modality), modality.unit
    for quantity, title in (("grams", f"g CO2e per {unit}"), ("joules", f"joules per {unit}")):
        every = [(label, each) for label, each in shown if getattr(each, quantity)]
        if not every:
            continue
        kept = few(every, quantity)
        dots = [dot(label, each, getattr(each, quantity)) for label, each in kept]
        about = f"On a logarithmic axis. {charts.looks(dots)}"
        if len(kept) < len(every):
            about += f" {len(kept)} of {len(every)} figures; all are in the CSV."
        conditions: list[str] = ["Joules are of each figure's own scope; nothing is added to them."]
        if quantity == "grams":
            conditions = grams_conditions(data.settings, kept)
        foot = footer_of(kept, conditions)
        draw = partial(charts.dots, dots, title)
        yield Chart(f"{name}-{quantity}", about, draw, name, _extremes(kept, quantity, unit), foot)


def few(shown: Sequence[tuple[str, Entry]], quantity: str) -> list[tuple[str, Entry]]:
    """Measured figures, and of all others the first of each method and an even choice from least to most."""
    first, more = in_groups([each for _, each in shown])
    kept = {id(each) for each in first}
    others = sorted(more, key=lambda each: float(getattr(each, quantity).value))
    room = max(ROWS - sum(each.case is None for each in first), 0)
    if len(others) > room:
        steps = max(room - 1, 1)
        others = [others[round(n * (len(others) - 1) / steps)] for n in range(room)]
    kept |= {id(each) for each in others}
    return [(label, each) for label, each in shown if id(each) in kept]


def _marks(shown: Sequence[tuple[str, Entry]]) -> list[tuple[StoredRecord, str]]:
    return [(each.found, each.kind) for _, each in shown if each.found]


def footer_of(shown: Sequence[tuple[str, Entry]], conditions: Sequence[str]) -> str:
    """What a chart of these figures rests on."""
    cited = (each.source for _, each in shown if each.found is None)
    return footer(_marks(shown), cited, *conditions)


def grams_conditions(settings: Settings, shown: Sequence[tuple[str, Entry]]) -> list[str]:
    """Electricity, and whose overheads are in the grams: those of records, and those of others."""
    sentences = [settings.electricity()]
    if any(each.found for _, each in shown):
        sentences.append(settings.overhead())
    if any(each.kind == "published" for _, each in shown):
        sentences.append("Published grams have the grid and the overheads that their source counts.")
    return sentences


def beside(shown: Sequence[tuple[str, Entry]]) -> str:
    """`; here 1.2 g with bloom-560m · H100`: the first measured figure, for a title."""
    mine = next(((label, each) for label, each in shown if each.found and each.grams), None)
    return f"; here {value_text(mine[1].grams)} g with {mine[0]}" if mine and mine[1].grams else ""


def in_groups(found: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Measured figures, the paper's and the first person of each method; and all others."""
    first, more = list[Entry](), list[Entry]()
    methods = set[str]()
    for entry in found:
        kept = entry.case is not None or (entry.kind != "person" and bool(entry.ratios))
        kept |= entry.kind == "person" and entry.method not in methods
        methods |= {entry.method}
        (first if kept else more).append(entry)
    return first, more


def _extremes(shown: Sequence[tuple[str, Entry]], quantity: str, unit: str) -> str:
    """`One page: 0.67 to 1.6 g CO2e by AI, 6.0 to 6,000 g by a person`."""
    name = {"grams": "g CO2e", "joules": "J"}[quantity]
    texts = []
    for who, person in (("by AI", False), ("by a person", True)):
        values = sorted(
            getattr(each, quantity).value for _, each in shown if (each.kind == "person") == person
        )
        if values:
            span = " to ".join(dict.fromkeys(grouped(value, 2) for value in (values[0], values[-1])))
            texts.append(f"{span} {name} {who}")
    return f"One {unit}, figure by figure: {', '.join(texts)}"


def dot(label: str, entry: Entry, span: Range) -> dict[str, object]:
    """Row of a chart of joules or grams."""
    return {
        "label": label,
        "kind": entry.kind,
        "value": span.value,
        "interval": entry.interval,
        "low": span.low,
        "high": span.high,
        "conditions": clean(entry.conditions, 120),
    }
