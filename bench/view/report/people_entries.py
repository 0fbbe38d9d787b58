"""Figures of one kind of output side by side: measured records, the paper, people, published ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.compare.record_set import StoredRecord
from bench.core import modalities
from bench.core.modality import Modality
from bench.core.quantities import J_PER_WH, Grams, Quantity, Range
from bench.footprint import tomlinson2024
from bench.footprint.figure_units import joules_per
from bench.footprint.humans import UNITS, Human, people_of
from bench.footprint.listing import select as published
from bench.footprint.person_vs_model import Line, lines, lines_of, times
from bench.footprint.work_units import work_of
from bench.view.content import Cell, Written
from bench.view.numbers import rounded
from bench.view.report.dateline import named
from bench.view.report.footer import nature
from bench.view.report.like_cards import representatives
from bench.view.report.report_data import ReportData
from bench.view.short_names import machine_name, short_labels
from bench.view.sourced import given
from bench.view.spans import by_width

TOP_DOWN = "top-down"
"""The method of the paper: a whole life by the hour."""
EQUIPMENT = "equipment"
"""The other method of ratios."""
PAPER = {
    "chatgpt.page": "ChatGPT, by Tomlinson et al.",
    "bloom.page": "BLOOM, by Tomlinson et al.",
    "bloom.page.lifecycle": "BLOOM with its life cycle, by Tomlinson et al.",
    "dalle2.image": "DALL-E 2, by Tomlinson et al.",
    "midjourney.image": "Midjourney, by Tomlinson et al.",
}
"""Names of the paper's models."""


@dataclass(frozen=True)
class Entry:
    """One line of the comparison. `ratios` is how many times as much people emit, by who they are."""

    name: str
    kind: str
    scope: str
    joules: Range | None
    grams: Range | None
    ratios: dict[str, Range]
    interval: str = "none stated"
    conditions: str = ""
    source: str = ""
    key: str = ""
    """Of a published figure or a person, its id."""
    case: str | None = None
    machine: str = ""
    drawn_as: str | None = None
    """Of a measured figure, its name in a chart; `None` where another card of its model is drawn for it."""
    method: str = ""
    """Of a person."""
    found: StoredRecord | None = None
    """Record of a measured figure."""

    def cells(self, people: Iterable[str]) -> tuple[Cell, ...]:
        """In the order of `_columns`."""
        times = (_value(self.ratios.get(who)) for who in people)
        energy, emitted = _three(self.joules), _three(self.grams)
        about = self.interval, self.conditions, self.source
        return (self.name, self.kind, self.scope, *energy, *emitted, *times, *about)


def of_paper(modality: Modality) -> bool:
    """Whether the paper compares it: pages that are written and images that are drawn, no other pages."""
    return any(work.unit in UNITS for work in work_of(modality.name))


def kinds(data: ReportData) -> list[Modality]:
    """What is compared: the paper's pages and images, and what else a record is of."""
    made = {row.record.case.engine for _, row in data.compared}
    return [each for each in modalities.all_modalities() if of_paper(each) or each.name in made]


def entries(data: ReportData, modality: Modality) -> Iterator[Entry]:
    """All figures of one kind: measured, the paper, published, people."""
    settings, who = data.settings, persons(modality)
    mine = [each for each in data.compared if each[1].record.case.engine == modality.name]
    records = list({found.digest: found for found, _ in mine}.values())
    labels, drawn = short_labels(records), _drawn_labels(records)
    for found, row in sorted(mine, key=lambda each: str(each[0].record.machine.name)):
        for line in lines_of(row, settings.grid, settings.pue):
            shared = line.name.removeprefix(row.label)
            natures = nature(found.record, row.kind)
            shared += f" ({natures})" if natures else ""
            name, label = f"{labels[found.digest]}{shared}", drawn.get(found.digest)
            entry = _of_line(line, times(who, line.grams.result), found)
            yield replace(entry, name=name, drawn_as=None if label is None else f"{label}{shared}")
    for line in lines([], settings.grid, settings.pue):
        if of_paper(modality) and line.unit == modality.unit:
            yield _of_line(line, times(who, line.grams.result))
    yield from _published(modality)
    yield from _people(modality)


def _drawn_labels(records: Sequence[StoredRecord]) -> Mapping[str, str]:
    """Labels of the records that are drawn, one for all cards of a model."""
    models = representatives(records)
    return short_labels([each for each in records if each.digest in models], models)


def persons(modality: Modality) -> dict[str, Grams]:
    """People of the ratios by a whole life, the paper's where it has some, and by equipment only.

    The first of each kind of work that is not from memory.
    """
    if of_paper(modality):
        made = [each for each in tomlinson2024.people().values() if each.baseline.unit == modality.unit]
        counted = [(f"{each.baseline.region} person", each.result) for each in made]
    else:
        found = [each for each in people_of(modality.name) if each.human.baseline.method == TOP_DOWN]
        counted = [(each.person, each.result) for each in found]
    counted += [
        (f"{each.person}, equipment only", each.result)
        for each in people_of(modality.name)
        if each.human.baseline.method == EQUIPMENT and each.human.evidence != "memory"
    ]
    kept: dict[str, Grams] = {}
    for who, result in counted:
        if isinstance(result, Grams):
            kept.setdefault(who, result)
    return kept


def _of_line(line: Line, ratios: dict[str, Range], found: StoredRecord | None = None) -> Entry:
    return Entry(
        name=PAPER.get(line.name, line.name),
        kind=line.kind,
        scope=line.scope,
        joules=line.joules.range if line.joules else None,
        grams=line.grams.result.range,
        ratios=ratios,
        interval=line.interval,
        conditions=line.conditions,
        source=f"record of {found.record.created[:10]}" if found else named(line.source),
        case=found.digest if found else None,
        machine=machine_name(str(found.record.machine.name)) if found else "",
        found=found,
    )


def _published(modality: Modality) -> Iterator[Entry]:
    """Published figures per unit, without those per query or token, or of clips of unknown length."""
    for row in published():
        joules = joules_per(row, modality.unit) if row.modality == modality.name else None
        if joules is not None:
            conditions = ", ".join(f"{key} {value}" for key, value in row.conditions.items())
            about = "; ".join(filter(None, (row.hardware, conditions, row.boundary)))
            yield Entry(
                row.system,
                "published",
                row.scope,
                joules.range,
                None,
                {},
                conditions=about,
                source=named(row.source),
                key=row.id,
            )


def _people(modality: Modality) -> Iterator[Entry]:
    for each in people_of(modality.name):
        baseline = each.human.baseline
        energy, grams = _energy_or_grams(each.result)
        yield Entry(
            f"{each.person}, {baseline.method}{_inputs(each.human)}",
            "person",
            baseline.scope,
            energy,
            grams,
            {},
            conditions=each.human.method.about,
            source=named(baseline.source),
            key=baseline.id,
            method=baseline.method,
        )


def _inputs(human: Human) -> str:
    """`: 15 t CO2e/yr, 300 words/h`: inputs in which people of one method differ."""
    used = dict(zip(human.baseline.inputs, human.factors, strict=False))
    values = [given(used[name]) for name in ("footprint", "power", "electricity", "work") if name in used]
    return f": {', '.join(values)}" if values else ""


def _energy_or_grams(result: Quantity) -> tuple[Range | None, Range | None]:
    if isinstance(result, Grams):
        return None, result.range
    return result.range * J_PER_WH, None


def _three(span: Range | None) -> tuple[Cell, Cell, Cell]:
    """Value and ends, rounded to what the range allows."""
    if span is None:
        return None, None, None
    texts = rounded(span.value, span.low, span.high)
    return Written(texts.value, span.value), Written(texts.low, span.low), Written(texts.high, span.high)


def _value(span: Range | None) -> Cell:
    return by_width(span)
