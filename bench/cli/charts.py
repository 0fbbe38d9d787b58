"""`python -m bench charts [PATH...] -o DIR`: a report's charts as SVG and PNG, with captions and data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from bench.cli import completing, options
from bench.cli.notes import tell, tell_problems
from bench.cli.report import default_paths, settings_of
from bench.cli.written_form import shareable
from bench.compare.record_selection import load
from bench.errors import RecordError
from bench.store.results import write_atomically

CAPTIONS = "captions.md"


@click.command("charts")
@click.argument("paths", nargs=-1, metavar="[PATH...]", shell_complete=completing.records)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder for the figures; made where it is missing.",
)
@options.grid_option
@options.pue_option
@options.shapes_option
@options.results_option
@options.debug_option
def command(
    paths: tuple[str, ...],
    output: Path,
    grid: str | None,
    pue: float | None,
    shapes: bool,
    results: Path,
) -> int:
    """Write a report's charts as SVG and PNG, each with its data as CSV, and all captions.

    Paths are as in `report`. tomlinson2024-page and -image are the paper's comparisons with measured values.
    """
    from bench.view.report.figures import figures

    loaded = [load(path, results, tell) for path in paths or default_paths(results)]
    captions = []
    try:
        output.mkdir(parents=True, exist_ok=True)
        for figure in figures(loaded, replace(settings_of(grid, pue), shapes=shapes)):
            for suffix, content in (
                ("svg", shareable(figure.svg)),
                ("png", figure.png),
                ("csv", shareable(figure.csv)),
            ):
                write_atomically(output / f"{figure.name}.{suffix}", content)
            captions.append(f"**{figure.name}**: {figure.caption}\n")
            click.echo(str(output / f"{figure.name}.svg"))
        write_atomically(output / CAPTIONS, shareable("\n".join(captions)))
    except OSError as error:
        raise RecordError(f"{output}: cannot be written: {error.strerror}.") from error
    click.echo(str(output / CAPTIONS))
    problems = tuple(problem for source in loaded for problem in source.problems)
    tell_problems(problems)
    return 2 if problems else 0
