"""A report from records: every section, in the order in which a reader wants them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from bench.compare.record_set import RecordSet
from bench.core.measurement import Measurement
from bench.view.content import Report
from bench.view.report import (
    answer,
    answer_words,
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
from bench.view.report.dateline import dateline
from bench.view.report.outputs_shown import within_bounds
from bench.view.report.report_data import Settings, gather


def report(
    sources: Iterable[RecordSet[Measurement]], settings: Settings, baseline: RecordSet | None = None
) -> Report:
    """All sections about the records, before they are HTML or Markdown."""
    data = gather(sources, settings)
    courses = traces.courses(data)
    found = answer.answers_of(data)
    judged, title = verdicts.section(data, baseline) if baseline else (None, answer_words.title(found))
    sections = (
        judged,
        answer.section(data, found, summary.section(data)),
        scenarios.section(data),
        people.section(data),
        machines.section(data),
        latency.section(data),
        phase_shares.section(data),
        programs.section(data),
        cases.section(data, traces.sentence(data, courses)),
        how_to_read.section(data),
    )
    return Report(
        title=title,
        settings=tuple(settings.sentences()),
        sections=tuple(each for each in sections if each is not None),
        banner=summary.banner(data),
        cases=tuple(within_bounds(cases.details(each, courses[each.digest]) for each in data.found)),
        dateline=dateline(data, date.today(), answered=any(each.measured for each in found)),
        takeaway=answer_words.takeaway(found),
    )
