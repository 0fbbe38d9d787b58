"""`python -m bench doctor`: what this machine can measure and how well, and what would improve it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.cli import options
from bench.cli.tables import cell, render, width

if TYPE_CHECKING:
    from bench.runner.doctor import Finding, Report, State

SCHEMA = "joulebench/doctor/1"

STYLES: dict[State, str] = {"ok": "green", "warn": "yellow", "missing": "red", "info": "dim"}
STATE_WIDTH = 7
NARROW = 70
"""Below this many columns the meaning goes under the name: beside it, it would be a ribbon."""


@click.command("doctor")
@options.models_option
@options.results_option
@options.gpus_option
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
@options.debug_option
def command(models: Path | None, results: Path, gpus: str | None, as_json: bool, debug: bool) -> int:  # noqa: ARG001
    """Check what this machine can measure, and how well; no setting is changed.

    Each line has a state (ok, warn, missing, info), what it means, and the command that would improve it.
    Exit status 2 where something that every run needs is broken.
    """
    from bench.runner.doctor import examine

    report = examine(gpus, models, results)
    click.echo(_as_json(report) if as_json else _as_text(report), nl=False)
    return report.exit_status


def _as_json(report: Report) -> str:
    lines = [asdict(finding) for finding in report.findings]
    whole = {
        "schema": SCHEMA,
        "exit_status": report.exit_status,
        "scopes": report.scopes,
        "findings": lines,
    }
    return json.dumps(whole, indent=2) + "\n"


def _as_text(report: Report) -> str:
    name_width = max(len(finding.name) for finding in report.findings)
    parts: list[str] = []
    for subject, findings in groupby(report.findings, key=lambda finding: finding.subject):
        parts.append(render("", Text(subject, style="bold")))
        parts.extend(part for finding in findings for part in _lines(finding, name_width))
    return "".join(parts)


def _lines(finding: Finding, name_width: int) -> Iterator[str]:
    """A finding, and its command on a line that is never broken, so that it can be copied whole."""
    state = Text(finding.state, style=STYLES[finding.state])
    if width() < NARROW:
        yield render(Text.assemble(state, " ", cell(finding.name)))
        yield render(Padding(cell(finding.meaning), (0, 0, 0, 2)))
        indent = 2
    else:
        table = Table.grid(padding=(0, 2))
        table.add_column(width=STATE_WIDTH)
        table.add_column(width=name_width)
        table.add_column(overflow="fold")
        table.add_row(state, cell(finding.name), cell(finding.meaning))
        yield render(table)
        indent = STATE_WIDTH + name_width + 4
    if finding.command:
        yield f"{' ' * indent}$ {cell(finding.command).plain}\n"
