"""The line beneath a report's title: what it rests on, its sources by name, and its date."""

from __future__ import annotations

import re
from datetime import date

from bench import __version__
from bench.footprint.bundled_rows import FigureSource
from bench.footprint.reference import sources
from bench.view.content import clean
from bench.view.report.report_data import ReportData

NAMED = ("tomlinson2024", "mlenergy3", "owid2026")
"""Sources of the first screen that its own figures do not name: the paper, the energy, the grid."""


def dateline(data: ReportData, today: date) -> str:
    """`Measured: 3 cases on 2 machines, the newest of 2026-11-20. joulebench 0.1.0, 28 November 2026.`"""
    return f"{_basis(data)} joulebench {__version__}, {today.day} {today:%B %Y}."


def sourced() -> str:
    """Sources of the first screen by name."""
    return f"Sources: {', '.join(source_name(sources()[key]) for key in NAMED)}; all others below."


def _basis(data: ReportData) -> str:
    if not data.newest:
        return "What is known without measuring: published figures."
    machines = {str(each.record.machine.name) for each in data.newest}
    newest = max(each.record.created for each in data.newest)[:10]
    count, places = len(data.newest), len(machines)
    where = clean(next(iter(machines)), 40) if places == 1 else f"{places} machines"
    return f"Measured: {count} case{'s' * (count > 1)} on {where}, the newest of {newest}."


def named(key: str) -> str:
    """Name of a bundled source; a key that is not bundled as it is."""
    found = sources().get(key)
    return source_name(found) if found else key


def source_name(source: FigureSource) -> str:
    """Authors or publisher and year: `Tomlinson et al. 2024`, `Our World in Data 2026`."""
    before = re.split(r"[\"(;]|, (?=[a-z])", source.citation, maxsplit=1)[0].strip(" ,")
    names = before.split(", ")
    short = f"{names[0]} et al." if len(names) > 1 else names[0]
    return f"{short} {source.year}" if source.year and str(source.year) not in short else short
