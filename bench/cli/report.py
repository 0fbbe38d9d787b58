"""`python -m bench report [PATH...] -o FILE`: records as a page for people, or as Markdown."""

from __future__ import annotations

import webbrowser
from dataclasses import replace
from pathlib import Path

import click

from bench.cli import completing, options
from bench.cli.notes import tell, tell_problems
from bench.cli.written_form import shareable
from bench.compare.record_selection import load, load_all
from bench.errors import RecordError
from bench.footprint.chain import check_grid, check_pue
from bench.footprint.grid import choose, stated
from bench.footprint.references import read
from bench.store.results import write_atomically
from bench.streams import is_standard
from bench.view.report.report_data import Settings

KINDS = ("html", "md", "json")


@click.command("report")
@click.argument("paths", nargs=-1, metavar="[PATH...]", shell_complete=completing.records)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="- for stdout. [default: report.html, report.md or report.json]",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(KINDS),
    default="html",
    show_default=True,
    help="html: one file that opens without a network; md, json: the same sentences and tables.",
)
@click.option(
    "--baseline",
    shell_complete=completing.records,
    metavar="PATH",
    help="Records to compare with: a file, a folder, main:results.",
)
@click.option("--open", "open_after", is_flag=True, help="Open the report in a browser afterwards.")
@options.grid_option
@options.pue_option
@options.references_option
@options.shapes_option
@options.results_option
@options.debug_option
def command(
    paths: tuple[str, ...],
    output: Path | None,
    kind: str,
    baseline: str | None,
    open_after: bool,
    grid: str | None,
    pue: float | None,
    references: tuple[Path, ...],
    shapes: bool,
    results: Path,
) -> int:
    """Write a report of records for people: figures, comparisons, and everything of each case.

    Without records it has what is known without measuring, from bundled figures.

    Each PATH is a file, a folder, either as committed (main:results/...), a run's id, latest, or - for
    standard input. [default: the folder of --results]
    """
    from bench.view import json_document, markdown, page
    from bench.view.report import build

    if open_after and is_standard(output):
        raise click.UsageError("--open needs a file. Leave out -o -.")
    settings = replace(settings_of(grid, pue), references=read(references), shapes=shapes)
    loaded = [load_all(path, results, tell) for path in paths or default_paths(results)]
    other = None if baseline is None else load(baseline, results, tell)
    made = build.report(loaded, settings, other)
    render = {"html": page.html, "md": markdown.markdown, "json": json_document.report}[kind]
    text = shareable(render(made))
    if is_standard(output):
        click.echo(text, nl=False)
    else:
        written = output or Path(f"report.{kind}")
        _write(written, text)
        if open_after:
            webbrowser.open(written.resolve().as_uri())
    problems = tuple(problem for source in loaded for problem in source.problems)
    tell_problems(problems)
    return 2 if problems else 0


def default_paths(results: Path) -> tuple[str, ...]:
    """The folder of results; nothing, with a note, where it has no records."""
    if next(results.rglob("*.json"), None) is None:
        tell(f"{results}: no records yet: what is known without measuring.")
        return ()
    return (str(results),)


def settings_of(grid: str | None, pue: float | None) -> Settings:
    """The user's input, refused at once if it is impossible."""
    factor, overhead = choose(grid), None if pue is None else stated("--pue", pue, "1", "facility")
    check_grid(factor)
    if overhead is not None:
        check_pue(overhead)
    return Settings(factor, overhead)


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text)
    except OSError as error:
        raise RecordError(f"{path}: cannot be written: {error.strerror}.") from error
    click.echo(str(path))
