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
from bench.dependencies import install_command
from bench.errors import PrerequisiteError
from bench.exports.csv_cells import safe
from bench.footprint.humans import UNITS
from bench.view import charts
from bench.view.content import Cell, Chart, Report, Table, raw, shown
from bench.view.report import people, people_entries
from bench.view.report.build import report
from bench.view.report.report_data import ReportData, Settings, gather

WIDTH = 620
"""Of a drawing's plot, in pixels of the SVG; PNG has three times as many each way."""


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
        yield _figure(chart, tables[chart.table], made.settings)


def _parts(made: Report) -> Iterator[object]:
    return (part for section in made.sections for part in section.parts)


def _of_paper(data: ReportData) -> Iterator[Chart]:
    """The paper's comparisons of writing and illustrating: its people and models, and measured ones."""
    for unit in UNITS:
        of_paper = [
            entry
            for entry in people_entries.entries(data, modalities.of_unit(unit)[0])
            if entry.case is not None or "tomlinson2024" in f"{entry.source} {entry.name}"
        ]
        rows = people.grams(of_paper)
        about = (
            f"One {unit} as Tomlinson et al. 2024 compare it (people top-down and by their computers, models "
            "by the paper's own estimate), with measured models beside them"
        )
        draw = partial(charts.dots, rows, f"g CO2e per {unit}")
        yield Chart(f"tomlinson2024-{unit}", about, draw, f"people-{unit}")


def _figure(chart: Chart, table: Table, settings: tuple[str, ...]) -> ChartFile:
    try:
        import vl_convert
    except ImportError as error:
        raise PrerequisiteError(
            "Figures need altair and vl-convert-python, and the latter is not installed.",
            f"Install it with: {install_command('report')}",
        ) from error
    drawn = vl_convert.vegalite_to_svg(chart.draw() | {"width": WIDTH, "background": "white"})
    start, end = drawn.split(">", 1)
    svg = f"{start}><defs>{charts.patterns()}</defs>{end}"
    png = vl_convert.svg_to_png(svg, scale=3)
    kinds = "Measured solid, estimated and mixed hatched, published hollow; the scope is in each label."
    caption = f"{chart.about}. {kinds} Lines through dots are absolute 95 % intervals. {' '.join(settings)}"
    return ChartFile(chart.id, svg, png, _csv(table), caption)


def _csv(table: Table) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(column.name for column in table.columns)
    for row in table.rows:
        writer.writerow(_plain(value) for value in row.cells)
    return out.getvalue()


def _plain(value: Cell) -> str | float:
    number = raw(value)
    return number if number is not None else "" if value is None else safe(shown(value))
