"""A report's charts as files for a publication: SVG and PNG, each with its caption and its data.

Inside: every chart of the report, and the two comparisons of Tomlinson et al. 2024 drawn again with measured
values beside theirs. Captions are in one Markdown file; data is the CSV of the table behind each chart.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from bench.compare.record_set import RecordSet
from bench.core import modalities
from bench.exports.csv_cells import safe
from bench.footprint import tomlinson2024
from bench.footprint.humans import UNITS
from bench.view import charts, standalone
from bench.view.content import Cell, Chart, Report, Table, every_part, raw, shown
from bench.view.report import people_charts, people_entries
from bench.view.report.build import report
from bench.view.report.dateline import named
from bench.view.report.report_data import ReportData, Settings, gather

SCALE = 2.0
"""Pixels of a PNG over those of the SVG."""


@dataclass(frozen=True)
class ChartFile:
    """One chart in every form."""

    name: str
    svg: str
    png: bytes
    csv: str
    caption: str


def figures(sources: list[RecordSet], settings: Settings) -> Iterator[ChartFile]:
    """Every figure that the records give. Raises PrerequisiteError where nothing can draw."""
    made = report(sources, settings)
    tables = {part.id: part for part in _parts(made) if isinstance(part, Table)}
    drawings = [part for part in _parts(made) if isinstance(part, Chart)]
    for chart in (*_of_paper(gather(sources, settings)), *drawings):
        yield _figure(chart, _whole(chart.table, tables))


def _whole(name: str, tables: Mapping[str, Table]) -> Table:
    """All rows of a table: a page has some of them in a second one."""
    first, more = tables[name], tables.get(f"{name}-more")
    return first if more is None else replace(first, rows=(*first.rows, *more.rows))


def _parts(made: Report) -> Iterator[object]:
    return every_part(made.sections)


def _of_paper(data: ReportData) -> Iterator[Chart]:
    """The paper's comparisons of writing and illustrating: its people and models, and measured ones."""
    for unit in UNITS:
        of_paper = [
            entry
            for entry in people_entries.entries(data, modalities.of_unit(unit)[0])
            if entry.case is not None or entry.source == named("tomlinson2024")
        ]
        drawn = [each for each in people_charts.drawn(of_paper) if each[1].grams]
        rows = [people_charts.dot(label, each, each.grams) for label, each in drawn if each.grams]
        about = (
            f"One {unit} as Tomlinson et al. 2024 compare it: people by a whole life (top-down) and by their "
            f"computers, models by the paper's own estimate. {charts.looks(rows)}"
        )
        draw = partial(charts.dots, rows, f"g CO2e per {unit}")
        low, high = tomlinson2024.span(unit)
        takeaway = (
            f"{named('tomlinson2024')}: for one {unit}, people emit {low:,.0f} to {high:,.0f} times as much "
            f"as models{people_charts.beside(drawn)}"
        )
        foot = people_charts.footer_of(drawn, people_charts.grams_conditions(data.settings, drawn))
        yield Chart(f"tomlinson2024-{unit}", about, draw, f"people-{unit}", takeaway, foot)


def _figure(chart: Chart, table: Table) -> ChartFile:
    """The chart as a picture that explains itself, titled by its finding."""
    title = (chart.takeaway or chart.about).removesuffix(".")
    footer = f"{chart.footer} Licence: {standalone.LICENCE}."
    picture = standalone.svg(chart.draw(), standalone.Caption(title, chart.about, footer), standalone.FIGURE)
    about = chart.about if chart.about.endswith(".") else f"{chart.about}."
    caption, data = f"{title}. {about} {footer}", _csv(table)
    return ChartFile(chart.id, picture, standalone.png(picture, SCALE, caption, data), data, caption)


def _csv(table: Table) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(safe(column.name) for column in table.columns)
    for row in table.rows:
        writer.writerow(_plain(value) for value in row.cells)
    return out.getvalue()


def _plain(value: Cell) -> str | float:
    number = raw(value)
    return number if number is not None else "" if value is None else safe(shown(value))
