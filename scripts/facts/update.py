"""`scripts/update-factors FILE`: what a newer edition changes; with --write it is taken over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from bench.catalog import grid_series
from bench.errors import BenchError
from bench.footprint.reference import sources


@click.command("update-factors")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--edition", metavar="YEAR", help="Of the file. [default: the year after its newest]")
@click.option("--write", is_flag=True, help="Take the changes over; without it they are only shown.")
def command(file: Path, edition: str | None, write: bool) -> int:
    """Show what a newer edition of owid-energy-data.csv changes in the series of grid factors."""
    try:
        seen = grid_series.read_public(file)
    except BenchError as error:
        click.echo(str(error), err=True)
        return error.exit_status
    if not seen:
        click.echo(f"{file}: it has no carbon intensity of a country. Name owid-energy-data.csv.", err=True)
        return 2
    name = edition or str(max(each.year for each in seen) + 1)
    found = grid_series.revise(seen, name, grid_series.series())
    for line in (*found.changes, *(f"left out: {each}" for each in found.left_out)):
        click.echo(line)
    click.echo(f"{len(found.changes)} changes by edition {name}, {len(found.left_out)} left out.")
    if write:
        return _write(found, name)
    return 0


def _write(found: grid_series.Revision, edition: str) -> int:
    if f"owid{edition}" not in sources():
        click.echo(
            f"sources.yaml has no `owid{edition}`. Add it with the file's commit and address, then write.",
            err=True,
        )
        return 2
    grid_series.path().write_text(grid_series.text_of(found.points), encoding="utf-8")
    click.echo(f"wrote {grid_series.path()}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the status that it ends with."""
    status = command.main(args=arguments, prog_name="scripts/update-factors", standalone_mode=False)
    return int(status or 0)


if __name__ == "__main__":
    raise SystemExit(main())
