"""People and models: how many times as much a person emits, by both counts, critics and the paper included.

One chart a kind of output has the ratios. Joules and grams, figure by figure, are in a fold: measured, the
paper's and one person a method first, all others on request. Pages and images are always there, sound,
speech and film where a record is of them, each kind by itself: a second of music and a second of speech are
different work. Figures of different scope are never ranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bench.core.modality import Modality
from bench.footprint.caveats import LEFT_OUT
from bench.footprint.work_units import why_none
from bench.view.content import Column, Fold, Section, SectionPart, TableRow, columns, table
from bench.view.report import ratios
from bench.view.report.people_charts import (
    DRAWN,
    chart_rows,
    dot_charts,
    in_groups,
    name_of,
    ratio_chart,
)
from bench.view.report.people_entries import Entry, entries, kinds, of_paper, persons
from bench.view.report.report_data import ReportData

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
        shown, hidden = chart_rows(found)
        parts += _parts(data, modality, found, shown)
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


def _aside(data: ReportData) -> Iterator[str]:
    for reason, count in data.aside.items():
        yield f"Not shown here: {count} case{'s' * (count > 1)} of {reason}."


def _parts(
    data: ReportData, modality: Modality, found: Sequence[Entry], shown: Sequence[tuple[str, Entry]]
) -> Iterable[SectionPart]:
    name, unit = name_of(modality), modality.unit
    who = list(persons(modality))
    behind: list[SectionPart] = []
    if who:
        yield ratio_chart(data, modality, shown)
        behind.append(ratios.numbers(f"{name}-times", modality, list(ratios.rows(modality, shown))))
    behind += dot_charts(data, modality, shown)
    first, more = in_groups(found)
    what = unit if of_paper(modality) else f"{unit} ({modality.name})"
    behind.append(
        table(_columns(who), _rows(first, who), f"One {what}: measured, published, and people", name)
    )
    if more:
        others = table(_columns(who), _rows(more, who), f"One {what}: all other figures", f"{name}-more")
        behind.append(Fold(f"All other people and published figures ({len(more)})", (others,)))
    yield Fold(f"One {what} in numbers: joules and grams of each figure", tuple(behind))


def _rows(found: Sequence[Entry], who: Sequence[str]) -> Iterator[TableRow]:
    return (TableRow(entry.cells(who), entry.case) for entry in found)


def _columns(people: Iterable[str]) -> tuple[Column, ...]:
    """Columns of a table, one with a ratio to each person."""
    times = (f"#{who} ×" for who in people)
    about = ("interval", "conditions", "source")
    return columns("who or what", "kind", "scope", *NUMBERS, *times, *about)
