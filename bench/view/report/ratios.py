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
from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.files import bundled, find
from bench.footprint.scenarios.scenario import ComparedSide
from bench.footprint.scenarios.simulation import SimulationReport
from bench.view import charts
from bench.view.content import Cell, Chart, Table, columns, table
from bench.view.report.people_entries import Entry, of_paper
from bench.view.spans import value_and_ends, value_text

LIFE, LIFE_IN_INDIA, EQUIPMENT = charts.COUNT_LOOKS
COUNTS: dict[PersonCount, str] = {"life": LIFE, "equipment": EQUIPMENT}
SIDES: dict[ComparedSide, str] = {"model": "AI alone", "together": "person with AI"}
COLUMNS = columns("who or what", "person counted by", "person", "#person alone / this", "95 % or range")


@dataclass(frozen=True)
class RatioRow:
    """One dot: person alone over what `label` names, with the count of the person."""

    label: str
    count: str
    person: str
    ratio: Range
    solid: bool


def rows(modality: Modality, drawn: Sequence[tuple[str, Entry]]) -> Iterator[RatioRow]:
    """Critics and the other scenarios first, then measured models, then the paper's."""
    if of_paper(modality):
        yield from _scenarios(modality.unit)
    for label, entry in drawn:
        for who, ratio in entry.ratios.items():
            person, _, equipment = who.partition(", equipment")
            life = LIFE_IN_INDIA if person.startswith("India") else LIFE
            yield RatioRow(label, EQUIPMENT if equipment else life, person, ratio, entry.case is not None)


def _scenarios(unit: str) -> Iterator[RatioRow]:
    names = sorted(bundled(), key=lambda name: not name.startswith("critics"))
    for name in names:
        draft = find(name)
        if draft.about.unit != unit:
            continue
        scenario = build(draft)
        found = SimulationReport.of(scenario, DRAWS, seed=0)
        count = COUNTS[METHODS[scenario.method]]
        title = "the paper's scenario" if name == "tomlinson2024" else name.removesuffix("-image")
        for side, ratio in found.ratios.items():
            span = Range(ratio.median, ratio.low, ratio.high)
            label = f"{title}, {SIDES[side]}: {draft.energy_of}"
            yield RatioRow(label, count, "US person", span, solid=False)


def chart(
    name: str, modality: Modality, found: Sequence[RatioRow], band: tuple[float, float] | None
) -> Chart:
    """The chart, with the paper's own range shaded."""
    about = f"Person alone / model, times: one {modality.unit}, by both counts of the person."
    if band:
        about += f" Shaded: the paper's own {band[0]:,.0f} to {band[1]:,.0f}."
    dots = [_dot(row) for row in found]
    title = "grams of a person alone / grams of this"
    draw = partial(charts.ratios, dots, title, band)
    return Chart(name, about, draw, f"{name}-table", takeaway(found))


def takeaway(found: Sequence[RatioRow]) -> str:
    """Range of the ratios by each count."""
    texts = []
    for count in (EQUIPMENT, LIFE):
        ordered = sorted((row for row in found if row.count == count), key=lambda row: row.ratio.value)
        if ordered:
            least, most = ordered[0], ordered[-1]
            texts.append(f"{count}: from {_times(least)} ({least.label}) to {_times(most)} ({most.label})")
    return f"A person alone emits this many times as much, {'; '.join(texts)}." if texts else ""


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
    return row.label, row.count, row.person, *value_and_ends(ratio)
