"""`python -m bench doctor`: what this machine can measure and how well, and what would improve it."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import options, written_form
from bench.view import json_document
from bench.view.doctor import sections
from bench.view.documents.doctor import document


@click.command("doctor")
@options.models_option
@options.results_option
@options.gpus_option
@written_form.options("json")
@options.debug_option
def command(models: Path | None, results: Path, gpus: str | None, as_json: bool) -> int:
    """Check what this machine can measure, and how well; no setting is changed.

    Each line has a state (ok, warn, missing, info), what it means, and the command that would improve it.
    Exit status 2 where something that every run needs is broken.
    """
    from bench.doctor.examine import examine

    report = examine(gpus, models, results)
    if as_json:
        click.echo(json_document.text(document(report)))
    else:
        written_form.show(sections(report))
    return report.exit_status
