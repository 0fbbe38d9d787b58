"""Sections of `doctor`: what this machine can measure, a section a subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from bench.view.content import Section, TableRow, Tone, Written, columns, table

if TYPE_CHECKING:
    from bench.doctor.examine import DoctorReport
    from bench.doctor.findings import Finding, State

TONES: dict[State, Tone] = {"ok": "good", "warn": "warn", "missing": "bad", "info": "quiet"}
STATE_WIDTH = max(map(len, TONES))


def sections(report: DoctorReport) -> Iterator[Section]:
    """Findings in the order of the report; names have one width, so that meanings are in line."""
    width = max(len(finding.name) for finding in report.findings)
    for subject, findings in groupby(report.findings, key=lambda finding: finding.subject):
        yield Section(subject, (table(columns("", "", ""), _rows(findings, width)),))


def _rows(findings: Iterable[Finding], name_width: int) -> Iterator[TableRow]:
    for finding in findings:
        state = Written(finding.state.ljust(STATE_WIDTH), tone=TONES[finding.state])
        cells = (state, finding.name.ljust(name_width), finding.meaning)
        yield TableRow(cells, command=finding.command)
