"""The first section: what one page, one image or one second takes, in a sentence each.

Cases that differ in modality, scope, kind of figure or weights are never put into one sentence: they count
different things.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.compare.record_set import StoredRecord
from bench.core import modalities
from bench.core.quantities import Quantity
from bench.footprint.excluded_models import is_shape, is_toy
from bench.footprint.measured import MeasuredRow
from bench.view.content import Section, clean
from bench.view.report.report_data import ReportData
from bench.view.spans import ends, value_text

WEIGHTS = {"hub": "published weights", "path": "weights from a folder", "random": "random weights, a shape"}


def section(data: ReportData) -> Section:
    """One sentence a unit, modality, scope, kind of figure and weights."""
    return Section("The answer", tuple(_sentences(data)), data.problems, "answer")


def banner(data: ReportData) -> str | None:
    """Banner of a page whose records are, all or in part, of toy models or of random weights alone."""
    records = [each.record for each in data.found]
    toys, shapes = sum(map(is_toy, records)), sum(map(is_shape, records))
    if not toys and (not shapes or shapes < len(records)):
        return None
    if toys == len(records):
        return (
            "A smoke test, not a measurement of a model: every record here is of a toy model with random "
            "numbers. It shows that the whole path works on this machine. Its joules mean nothing, and are "
            "compared with nothing."
        )
    if toys:
        return (
            f"{toys} of {len(records)} records are of toy models: they show that the whole path works, their "
            "joules mean nothing, and they are left out of every comparison."
        )
    return (
        "Shapes, not models: every record here is of random weights in a true architecture. The joules are "
        "those of the shape, and are shown beside people and published figures only with --shapes."
    )


def amount(found: Quantity) -> str:
    """`412 J (390 to 434)`; without the brackets where no range is known."""
    value, interval = value_text(found.range), ends(found.range)
    return f"{value} {found.unit} ({interval})" if interval else f"{value} {found.unit}"


def _sentences(data: ReportData) -> Iterator[str]:
    if not data.found:
        yield "No records: nothing has been measured yet. `python -m bench run` measures."
        return
    if not data.headlines:
        count = len(data.found)
        yield (
            f"No valid figure: of {count} record{'s' * (count > 1)} found, none has joules that count. "
            "The reasons are with the cases below."
        )
        return
    answering = [
        (each, row) for each, row in data.compared if row.scope == each.record.figures.headline_scope
    ]
    for reason, count in data.aside.items():
        yield f"Not an answer: {count} case{'s' * (count > 1)} of {reason}."
    groups: dict[tuple[str, ...], list[tuple[StoredRecord, MeasuredRow]]] = {}
    for found, row in answering:
        alike = (row.unit, row.record.case.engine, row.scope, row.kind, row.weights)
        groups.setdefault(alike, []).append((found, row))
    for key in sorted(groups):
        yield _sentence(groups[key], data)


def _sentence(group: Sequence[tuple[StoredRecord, MeasuredRow]], data: ReportData) -> str:
    rows = sorted((row for _, row in group), key=lambda row: row.joules.value)
    least, most = rows[0], rows[-1]
    what = f"scope {least.scope}, {least.kind}, {WEIGHTS.get(least.weights, least.weights)}"
    one = (
        least.unit
        if len(modalities.of_unit(least.unit)) < 2
        else f"{least.unit} ({least.record.case.engine})"
    )
    if least is most:
        return f"One {one} takes {_of(least, data)} ({what})."
    return f"One {one} takes from {_of(least, data)} to {_of(most, data)}: {len(rows)} cases ({what})."


def _of(row: MeasuredRow, data: ReportData) -> str:
    settings = data.settings
    grams = row.carbon(settings.grid, settings.pue).result
    return (
        f"{amount(row.joules)}, {value_text(grams.range)} {grams.unit}, with {clean(row.record.label)} "
        f"[{row.interval}; {clean(row.conditions)}]"
    )
