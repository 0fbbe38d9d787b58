"""docs/results.md from the committed records: joules per page and image of GPUs, beside people and the paper.

Made by the report's own sections. Without a record of a GPU the page has a sentence instead of figures.
"""

from __future__ import annotations

from pathlib import Path

from bench.compare import record_set
from bench.compare.record_set import StoredRecord
from bench.footprint.grid import choose
from bench.footprint.measured import MeasuredRow as Measured
from bench.view.content import Cell, Report, Section, Table, columns, every_part, table
from bench.view.markdown import markdown
from bench.view.report import people, summary
from bench.view.report.report_data import ReportData, Settings, gather
from scripts.evidence import findings, tables

TITLE = "Results"
MADE = "Made from results/ by `scripts/gpu-evidence page`; not written by hand."
NONE_YET = (
    "No record of a GPU is in results/ yet, so there is nothing to show: a figure from a stand-in or from a "
    "formula is not a measurement. `scripts/gpu-evidence` on a machine with an NVIDIA GPU makes the records."
)
RANDOM = "random weights, true architecture"
LABEL = (
    f"With `{RANDOM}`, kernels, bytes and operations are the model's, its output is not, so joules "
    "are valid for the shape; a page is 250 words at an assumed ratio of tokens to words."
)
ENERGY = ("#J", "#±% same card", "#J low, absolute", "#J high, absolute", "#Wh")
COLUMNS = columns("case", "weights", "machine", "per", *ENERGY, "#g CO2e", "#s", "#W", "#blocks", "day")


def page(results: Path) -> str:
    """The page. Raises RecordError where findings beside the records are damaged."""
    settings = Settings(choose(None), shapes=True)
    files = sorted(results.glob("*/*.json"))
    found = gather([record_set.records_below(results)] if files else [], settings)
    on_gpu = [each for each in found.found if each.record.figures.headline_scope == "gpu"]
    if not on_gpu:
        return markdown(Report(TITLE, (MADE,), (Section("Nothing yet", (NONE_YET,), id="none"),), ()))
    data = ReportData(tuple(on_gpu), found.problems, found.notes, settings)
    known = [findings.load(path) for path in sorted(results.glob(f"*/{findings.FOLDER}/*.json"))]
    sections = (
        summary.section(data),
        _measured(data),
        _beside(data),
        *map(tables.section, known),
    )
    return markdown(Report(TITLE, (MADE, *settings.sentences()), sections, ()))


def _measured(data: ReportData) -> Section:
    rows = sorted(data.headlines, key=lambda each: (each[1].unit, each[0].record.label))
    made = (_cells(found, row, data) for found, row in rows)
    return Section("Measured", (LABEL, table(COLUMNS, made, "Scope gpu", "measured")), id="measured")


def _cells(found: StoredRecord, row: Measured, data: ReportData) -> tuple[Cell, ...]:
    record, figures = found.record, found.record.figures
    budget = figures.uncertainty.gross if figures.uncertainty else None
    same = budget.same_card.relative_half_width if budget and budget.same_card else None
    headline, power = record.headline(), figures.power_w[row.scope].gross
    return (
        record.label.replace(" random weights", ""),
        RANDOM if row.weights == "random" else row.weights,
        str(record.machine.name),
        row.unit,
        headline.value if headline else None,
        None if same is None else 100 * same,
        row.joules.range.low,
        row.joules.range.high,
        row.energy().result.value,
        row.carbon(data.settings.grid).result.value,
        figures.time_per_unit_s.value if figures.time_per_unit_s else None,
        power.value if power else None,
        headline.n if headline else None,
        record.created[:10],
    )


def _beside(data: ReportData) -> Section:
    """The report's own tables of people and published figures; its charts are for the HTML page."""
    whole = people.section(data)
    kept = tuple(part for part in every_part([whole]) if isinstance(part, Table))
    sentence = (
        "Figures of different scope count different things, and are not to be ranked against each other."
    )
    return Section(whole.title, (sentence, *kept), whole.notes, "people")
