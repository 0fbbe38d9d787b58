"""A report from records: every section, in the order in which a reader wants them."""

from __future__ import annotations

from collections.abc import Iterable

from bench.compare.record_set import RecordSet
from bench.core import modalities
from bench.core.measurement import Measurement
from bench.view.content import Report
from bench.view.report import (
    cases,
    how_to_read,
    latency,
    machines,
    people,
    phase_shares,
    programs,
    scenarios,
    summary,
    traces,
    verdicts,
)
from bench.view.report.outputs_shown import within_bounds
from bench.view.report.report_data import ReportData, Settings, gather


def report(
    sources: Iterable[RecordSet[Measurement]], settings: Settings, baseline: RecordSet | None = None
) -> Report:
    """All sections about the records, before they are HTML or Markdown."""
    data = gather(sources, settings)
    own, served = programs.section(data), latency.section(data)
    courses = traces.courses(data)
    return Report(
        title=f"joulebench: joules and grams per {_units(data)}",
        settings=tuple(settings.sentences()),
        sections=(
            summary.section(data),
            people.section(data),
            machines.section(data),
            *((served,) if served else ()),
            phase_shares.section(data),
            verdicts.section(data, baseline),
            scenarios.section(data),
            *((own,) if own else ()),
            cases.section(data, traces.sentence(data, courses)),
            how_to_read.section(data),
        ),
        banner=summary.banner(data),
        cases=tuple(within_bounds(cases.details(found, courses[found.digest]) for found in data.found)),
    )


def _units(data: ReportData) -> str:
    """The units that the records are in: `page, image and audio second`."""
    present = {found.record.case.unit for found in data.found}
    *most, last = [unit.replace("_", " ") for unit in modalities.units() if unit in present] or ["unit"]
    return f"{', '.join(most)} and {last}" if most else last
