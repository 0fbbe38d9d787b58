"""`python -m bench footprint reproduce tomlinson2024`: a published comparison, worked out again step by step.

First as the paper has it, from its inputs to its ratios; then with measured joules in place of its estimate.
"""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from bench.cli import completing, options, written_form
from bench.cli.record_arguments import named_rows
from bench.core.near_names import unknown
from bench.errors import UsageError
from bench.footprint.chain import check_grid, check_pue
from bench.footprint.grid import choose, stated
from bench.footprint.person_vs_model import MeasuredComparison
from bench.view import json_document
from bench.view.documents.reproduce import document
from bench.view.footprint.reproduce import sections

PAPERS = ("tomlinson2024",)


@click.command("reproduce")
@click.argument("paper", metavar="PAPER", shell_complete=completing.names_or_files(lambda: PAPERS))
@click.argument("names", nargs=-1, metavar="[RECORD]...", shell_complete=completing.records)
@options.shapes_option
@options.results_option
@options.grid_option
@options.pue_option
@written_form.options("json")
@options.debug_option
def command(
    paper: str,
    names: tuple[str, ...],
    shapes: bool,
    results: Path,
    grid: str | None,
    pue: float | None,
    as_json: bool,
) -> int:
    """Recompute a published comparison, step by step, and with measured joules in its place.

    PAPER is tomlinson2024. RECORD is a file, a folder, REVISION:PATH, a run's id, latest, or - for standard
    input. [default: the folder of --results]
    """
    if paper not in PAPERS:
        raise unknown("paper to reproduce", paper, PAPERS)
    source = click.get_current_context().get_parameter_source("results")
    if source is not ParameterSource.DEFAULT and not results.is_dir():
        raise UsageError(f"--results {results}: this folder does not exist.", "Name a folder of records.")
    factor, overhead = choose(grid), None if pue is None else stated("--pue", pue, "1", "facility")
    check_grid(factor)
    if overhead is not None:
        check_pue(overhead)
    read = named_rows(names, results, shapes=shapes)
    measured = MeasuredComparison(", ".join(names) or str(results), read, factor, overhead)
    if as_json:
        click.echo(json_document.text(document(paper, measured)))
    else:
        written_form.show(sections(measured))
    return 0
