"""The chart of ratios: person alone over a model, or over a person with it, by both counts of the person.

Measured models, the paper's, and the bundled scenarios, critics first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from bench.core.modality import Modality
from bench.core.quantities import Range
from bench.footprint.answers import DRAWS, METHODS, PersonCount
from bench.footprint.reference import sources
from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.files import bundled, find
from bench.footprint.scenarios.scenario import ComparedSide
from bench.footprint.scenarios.simulation import SimulationReport
from bench.view import charts
from bench.view.content import Cell, Chart, Table, columns, table
from bench.view.report.dateline import named
from bench.view.report.people_entries import Entry, of_paper
from bench.view.spans import value_and_ends, value_text

LIFE, LIFE_IN_INDIA, EQUIPMENT = charts.COUNT_LOOKS
COUNTS: dict[PersonCount, str] = {"life": LIFE, "equipment": EQUIPMENT}
BY = {EQUIPMENT: "(equipment only)", LIFE: "(whole life by the hour)"}
TITLES = {
    "critics": "critics' scenario",
    "collaboration": "scenario collaboration",
    "tomlinson2024": "scenario of Tomlinson et al. 2024",
}
"""Bundled scenarios, for labels."""
SCENARIOS = (
    "Critics count only what the work adds of the person; collaboration counts a whole life, with drafts and "
    "editing in both."
)
SIDES: dict[ComparedSide, str] = {"model": "AI alone", "together": "person with AI"}
COLUMNS = columns(
    "who or what", "person counted by", "person", "#person alone / this", "95 % or range", "source"
)


@dataclass(frozen=True)
class RatioRow:
    """One dot: person alone over what `label` names, with the count of the person."""

    label: str
    count: str
    person: str
    ratio: Range
    solid: bool
    sources: tuple[str, ...] = ()
    """Names of all behind it."""


def rows(modality: Modality, drawn: Sequence[tuple[str, Entry]]) -> Iterator[RatioRow]:
    """Critics and the other scenarios first, then measured models, then the paper's."""
    if of_paper(modality):
        yield from _scenarios(modality.unit)
    for label, entry in drawn:
        for who, ratio in entry.ratios.items():
            person, _, equipment = who.partition(", equipment")
            life = LIFE_IN_INDIA if person.startswith("India") else LIFE
            count = EQUIPMENT if equipment else life
            yield RatioRow(label, count, person, ratio, entry.kind == "measured", (entry.source,))


def _scenarios(unit: str) -> Iterator[RatioRow]:
    names = sorted(bundled(), key=lambda name: not name.startswith("critics"))
    for name in names:
        draft = find(name)
        if draft.about.unit != unit:
            continue
        scenario = build(draft)
        found = SimulationReport.of(scenario, DRAWS, seed=0)
        count = COUNTS[METHODS[scenario.method]]
        keys = (key for each in scenario.inputs.values() for key in each.source.split(", "))
        cited = tuple(dict.fromkeys(named(key) for key in keys if key in sources()))
        title = TITLES[name.removesuffix("-image")]
        for side, ratio in found.ratios.items():
            span = Range(ratio.median, ratio.low, ratio.high)
            label = f"{title}, {SIDES[side]}: {draft.energy_of}"
            yield RatioRow(label, count, "US person", span, solid=False, sources=cited)


def chart(
    name: str, modality: Modality, found: Sequence[RatioRow], band: tuple[float, float] | None
) -> Chart:
    """The chart, with the paper's own range shaded."""
    about = f"Person alone / model, times: one {modality.unit}, by both counts of the person."
    if any(row.solid for row in found):
        about += " Full: measured; hollow: all others."
    if band:
        about += f" Shaded: Tomlinson et al. 2024, {band[0]:,.0f} to {band[1]:,.0f}. {SCENARIOS}"
    dots = [_dot(row) for row in found]
    title = "grams of a person alone / grams of this"
    draw = partial(charts.ratios, dots, title, band)
    return Chart(name, about, draw, f"{name}-table", takeaway(modality.unit, found))


def takeaway(unit: str, found: Sequence[RatioRow]) -> str:
    """Least and most of the ratios by each count, from row to row."""
    texts = list[str]()
    for count in (EQUIPMENT, LIFE):
        ordered = sorted((row for row in found if row.count == count), key=lambda row: row.ratio.value)
        if ordered:
            least, most = ordered[0], ordered[-1]
            span = " to ".join(dict.fromkeys((_times(least), _times(most))))
            texts.append(f"{span} times {BY[count]}")
    return f"One {unit}, row by row: a person alone emits {'; '.join(texts)} as much" if texts else ""


def _times(row: RatioRow) -> str:
    return value_text(row.ratio)


def _dot(row: RatioRow) -> dict[str, object]:
    ratio = row.ratio
    return {
        "label": row.label,
        "count": row.count,
        "person": row.person,
        "value": ratio.value,
        "low": ratio.low,
        "high": ratio.high,
        "solid": row.solid,
    }


def numbers(name: str, modality: Modality, found: Sequence[RatioRow]) -> Table:
    """The chart in numbers."""
    caption = f"Person alone over each, one {modality.unit}"
    return table(COLUMNS, map(_cells, found), caption, f"{name}-table")


def _cells(row: RatioRow) -> tuple[Cell, ...]:
    ratio = row.ratio
    return row.label, row.count, row.person, *value_and_ends(ratio), "; ".join(row.sources)
