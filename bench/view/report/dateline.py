"""The line beneath a report's title, and names of sources."""

from __future__ import annotations

import re
from datetime import date

from bench.footprint.bundled_rows import FigureSource
from bench.footprint.excluded_models import is_toy
from bench.footprint.reference import sources
from bench.view.content import clean
from bench.view.report.footer import UNMEASURED, made_by
from bench.view.report.report_data import ReportData


def dateline(data: ReportData, today: date, *, answered: bool) -> str:
    """`Records: 3 cases on 2 machines, the newest of 2026-11-20.`, and whether the answer is of them."""
    return f"{_basis(data, answered=answered)} {made_by(today)}"


def _basis(data: ReportData, *, answered: bool) -> str:
    if not data.newest:
        return UNMEASURED
    machines = {str(each.record.machine.name) for each in data.newest}
    newest = max(each.record.created for each in data.newest)[:10]
    count, places = len(data.newest), len(machines)
    what = f"case{'s' * (count > 1)}"
    if all(is_toy(each.record) for each in data.newest):
        what += " of toy models"
    where = clean(next(iter(machines)), 40) if places == 1 else f"{places} machines"
    answer = "" if answered else " The answer is of published figures alone."
    return f"Records: {count} {what} on {where}, the newest of {newest}.{answer}"


def named(key: str) -> str:
    """Name of a bundled source; a key that is not bundled as it is."""
    found = sources().get(key)
    return source_name(found) if found else key


def source_name(source: FigureSource) -> str:
    """Authors or publisher and year: `Tomlinson et al. 2024`, `Our World in Data 2026`."""
    before = re.split(r"[\"(;]|: | from the |, (?=[a-z])", source.citation, maxsplit=1)[0].strip(" ,")
    names = before.split(", ")
    short = f"{names[0]} et al." if len(names) > 1 else names[0]
    return f"{short} {source.year}" if source.year and str(source.year) not in short else short
