"""`python -m bench footprint published`: what others have published, by scope, beside measured figures."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import completing, options, written_form
from bench.cli.record_arguments import named_rows
from bench.footprint.bundled_rows import SCOPES
from bench.footprint.listing import PublishedFigures, select
from bench.footprint.measured import MeasuredRows
from bench.footprint.references import read
from bench.view import json_document
from bench.view.documents.published import document
from bench.view.footprint.published import brief, sections


@click.command("published")
@click.argument("names", nargs=-1, metavar="[RECORD]...", shell_complete=completing.records)
@click.option("--modality", metavar="NAME", help="Only text, image, video, audio, ...")
@click.option("--unit", metavar="NAME", help="Only what has joules of it: image, audio_second, query, ...")
@click.option("--scope", metavar="NAME", help=f"Only one scope: {', '.join(SCOPES)}.")
@options.references_option
@options.shapes_option
@options.results_option
@options.all_option
@written_form.options("json")
@options.debug_option
def command(
    names: tuple[str, ...],
    modality: str | None,
    unit: str | None,
    scope: str | None,
    references: tuple[Path, ...],
    shapes: bool,
    results: Path,
    everything: bool,
    as_json: bool,
) -> int:
    """List published figures with their sources, by scope, beside measured ones; nothing is ranked.

    RECORD is a file, a folder, REVISION:PATH, a run's id, latest, or - for standard input.
    [default: the folder of --results]
    """
    imported = read(references)
    rows = select(modality, scope, imported.figures, unit)
    found = named_rows(names, results, shapes=shapes)
    measured = [
        row
        for row in found.rows
        if scope in (None, row.scope)
        and modality in (None, row.record.case.engine)
        and unit in (None, row.unit)
    ]
    figures = PublishedFigures(rows, MeasuredRows(measured, found.left_out), modality, unit, imported)
    if as_json:
        click.echo(json_document.text(document(figures)))
    else:
        written_form.show(sections(figures) if everything else brief(figures))
    return 0
