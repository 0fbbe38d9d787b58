"""A report from records: every section, in the order in which a reader wants them."""

from __future__ import annotations

from collections.abc import Iterable

from bench.compare.record_set import RecordSet
from bench.core.measurement import Measurement
from bench.view.content import Report
from bench.view.report import (
    cases,
    how_to_read,
    machines,
    people,
    phase_shares,
    programs,
    scenarios,
    summary,
    traces,
    verdicts,
)
from bench.view.report.report_data import Settings, gather


def report(
    sources: Iterable[RecordSet[Measurement]], settings: Settings, baseline: RecordSet | None = None
) -> Report:
    """All sections about the records, before they are HTML or Markdown."""
    gathered = gather(sources, settings)
    own = programs.section(gathered)
    courses = traces.courses(gathered)
    return Report(
        title="joulebench: joules and grams per page and image",
        settings=tuple(settings.sentences()),
        sections=(
            summary.section(gathered),
            people.section(gathered),
            machines.section(gathered),
            phase_shares.section(gathered),
            verdicts.section(gathered, baseline),
            scenarios.section(gathered),
            *((own,) if own else ()),
            cases.section(gathered, traces.sentence(gathered, courses)),
            how_to_read.section(gathered),
        ),
        banner=summary.banner(gathered),
        cases=tuple(cases.details(found, courses[found.digest]) for found in gathered.found),
    )
