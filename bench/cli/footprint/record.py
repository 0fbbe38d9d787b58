"""`python -m bench footprint record FILE`: what follows from a record's joules, step by step, and people."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import completing, options, written_form
from bench.cli.record_arguments import named_records
from bench.errors import UsageError
from bench.footprint.assess import Assumptions, assessed, device, devices, site, sites
from bench.footprint.chain import Device, check_grid, check_pue
from bench.footprint.grid import choose, stated
from bench.footprint.measured import rows_of
from bench.view import json_document
from bench.view.documents.footprint import document
from bench.view.footprint.record import sections


@click.command("record")
@click.argument("names", nargs=-1, required=True, metavar="RECORD...", shell_complete=completing.records)
@options.grid_option
@options.pue_option
@click.option(
    "--device", "made", metavar="NAME", help=f"Whose making is charged to the work: {', '.join(devices())}."
)
@click.option(
    "--lifetime", type=float, metavar="YEARS", help="How long the device lives; needed by --device."
)
@click.option(
    "--utilisation", type=float, metavar="SHARE", help="Share of that in which it works; needed by --device."
)
@click.option(
    "--water",
    metavar="SITE",
    help=f"Water of a site and of its power stations: {', '.join(sites())}. Needs --pue.",
)
@click.option("--price", type=float, metavar="NUMBER", help="USD per kWh.")
@written_form.options("json")
@options.results_option
@options.debug_option
def command(
    names: tuple[str, ...],
    grid: str | None,
    pue: float | None,
    made: str | None,
    lifetime: float | None,
    utilisation: float | None,
    water: str | None,
    price: float | None,
    as_json: bool,
    results: Path,
) -> int:
    """Convert a record's joules to grams, SCI, litres and money per unit, beside people who make the same.

    RECORD is a file, a folder, REVISION:PATH, a run's id, latest, or - for standard input.
    """
    stands = Assumptions(
        grid=choose(grid),
        pue=None if pue is None else stated("--pue", pue, "1", "facility"),
        device=_device(made, lifetime, utilisation),
        site=None if water is None else site(water),
        price=None if price is None else stated("--price", price, "USD/kWh", "electricity"),
    )
    check_grid(stands.grid)
    if stands.pue is not None:
        check_pue(stands.pue)
    rows = [row for record in named_records(names, results) for row in rows_of(record)]
    found = [assessed(row, stands) for row in rows]
    if as_json:
        click.echo(json_document.text(document(found)))
    else:
        written_form.show(sections(found, stands.grid))
    return 0


def _device(name: str | None, lifetime: float | None, utilisation: float | None) -> Device | None:
    if name is None:
        for option, value in (("--lifetime", lifetime), ("--utilisation", utilisation)):
            if value is not None:
                raise UsageError(f"{option} changes nothing without --device.", "Add --device NAME.")
        return None
    if lifetime is None or utilisation is None:
        raise UsageError(
            "--device needs its lifetime and utilisation.",
            "Add --lifetime YEARS and --utilisation SHARE, such as 4 and 0.5.",
        )
    return device(name, lifetime, utilisation)
