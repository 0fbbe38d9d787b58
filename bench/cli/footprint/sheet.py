"""`python -m bench footprint sheet RECORD...`: a blind rating sheet of kept outputs, for people."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import completing, options
from bench.cli.record_arguments import kept_record
from bench.footprint.drafts.outputs import distinct, kept
from bench.footprint.drafts.sheet import write_sheet


@click.command("sheet")
@click.argument("names", nargs=-1, required=True, metavar="RECORD...", shell_complete=completing.records)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new folder."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of order and names.")
@options.results_option
@options.debug_option
def command(names: tuple[str, ...], output: Path, seed: int, results: Path) -> int:
    """Write a sheet on which people accept or reject outputs without seeing whose they are.

    DIR gets sheet.html (rated in a browser) and sheet.csv (by hand), the outputs under names of their own,
    and key.json, which is not for raters. `python -m bench footprint ratings` reads the answers.
    """
    stored = [kept_record(name, results) for name in names]
    drafts = {found.where: distinct(kept(found.record, Path(found.where))) for found in stored}
    count = write_sheet(output, drafts, seed)
    click.echo(f"{output}: {count} items. Keep key.json from the raters.")
    return 0
