"""`python -m bench doctor`: what this machine can measure and how well, and what would improve it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import options
from bench.view import json_document, terminal
from bench.view.content import Section, TableRow, Tone, Written, columns, table

if TYPE_CHECKING:
    from bench.doctor import DoctorReport, Finding, State

SCHEMA = "joulebench/doctor/1"

TONES: dict[State, Tone] = {"ok": "good", "warn": "warn", "missing": "bad", "info": "quiet"}
STATE_WIDTH = max(map(len, TONES))


@click.command("doctor")
@options.models_option
@options.results_option
@options.gpus_option
@options.json_option
@options.debug_option
def command(models: Path | None, results: Path, gpus: str | None, as_json: bool) -> int:
    """Check what this machine can measure, and how well; no setting is changed.

    Each line has a state (ok, warn, missing, info), what it means, and the command that would improve it.
    Exit status 2 where something that every run needs is broken.
    """
    from bench.doctor import examine

    report = examine(gpus, models, results)
    if as_json:
        click.echo(json_document.text(_document(report)))
    else:
        width = max(len(finding.name) for finding in report.findings)
        groups = groupby(report.findings, key=lambda finding: finding.subject)
        click.echo(terminal.text(_section(*group, width) for group in groups), nl=False)
    return report.exit_status


def _document(report: DoctorReport) -> dict[str, Any]:
    findings = [asdict(finding) for finding in report.findings]
    return {
        "schema": SCHEMA,
        "exit_status": report.exit_status,
        "scopes": report.scopes,
        "findings": findings,
    }


def _section(subject: str, findings: Iterable[Finding], name_width: int) -> Section:
    """All findings about one thing; names are as wide in every section, so that meanings are in line."""
    rows = (
        TableRow(
            (
                Written(finding.state.ljust(STATE_WIDTH), tone=TONES[finding.state]),
                finding.name.ljust(name_width),
                finding.meaning,
            ),
            command=finding.command,
        )
        for finding in findings
    )
    return Section(subject, (table(columns("", "", ""), rows),))
