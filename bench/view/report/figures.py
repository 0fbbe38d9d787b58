"""A report's charts as files for a publication: SVG and PNG, each with its caption and its data.

Inside: every chart of the report, and the two comparisons of Tomlinson et al. 2024 drawn again with measured
values beside theirs. Captions are in one Markdown file; data is the CSV of the table behind each chart.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from bench.compare.record_set import RecordSet
from bench.core import modalities
from bench.exports.csv_cells import safe
from bench.footprint import tomlinson2024
from bench.footprint.humans import UNITS
from bench.view import charts, standalone
from bench.view.content import Cell, Chart, Report, Table, every_part, raw, shown
from bench.view.report import people, people_entries
from bench.view.report.build import report
from bench.view.report.dateline import named, sourced
from bench.view.report.report_data import ReportData, Settings, gather

SCALE = 2.0
"""Pixels of a PNG over those of the SVG."""
KINDS = "Measured solid, estimated and mixed hatched, published hollow; lines are 95 % intervals."


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
        yield _figure(chart, tables[chart.table], made)


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
        rows = people.grams(of_paper)
        about = (
            f"One {unit} as Tomlinson et al. 2024 compare it (people top-down and by their computers, models "
            "by the paper's own estimate), with measured models beside them"
        )
        draw = partial(charts.dots, rows, f"g CO2e per {unit}")
        low, high = tomlinson2024.span(unit)
        takeaway = f"The paper's people emit {low:,.0f} to {high:,.0f} times as much as its models."
        yield Chart(f"tomlinson2024-{unit}", about, draw, f"people-{unit}", takeaway)


def _figure(chart: Chart, table: Table, made: Report) -> ChartFile:
    """The chart as a picture that explains itself; the first is titled by the report's finding."""
    first = chart.id == "answer"
    title = made.title if first else chart.about
    takeaway = chart.about if first else " ".join(filter(None, (chart.takeaway, KINDS)))
    footer = f"{made.dateline} {sourced()} {' '.join(made.settings)} Licence: {standalone.LICENCE}."
    picture = standalone.svg(chart.draw(), standalone.Caption(title, takeaway, footer), standalone.FIGURE)
    png = standalone.png(picture, SCALE)
    return ChartFile(chart.id, picture, png, _csv(table), f"{title}. {takeaway} {footer}")


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
