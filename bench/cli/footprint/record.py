"""`python -m bench footprint record FILE`: what follows from a record's joules, step by step, and people."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import click

from bench.cli import completing, options
from bench.cli.record_arguments import named_records
from bench.errors import UsageError
from bench.footprint.assess import Assumptions, assess, device, devices, not_computed, site, sites
from bench.footprint.caveats import FOOTPRINTS_LEAVE_OUT
from bench.footprint.chain import Chain, Device, check_grid, check_pue
from bench.footprint.grid import choose, stated
from bench.footprint.measured import MeasuredRow, rows_of
from bench.footprint.reference import Factor
from bench.store.excluded_models import TOY, is_toy
from bench.view import beside_people, json_document, terminal
from bench.view.content import Section, SectionPart
from bench.view.sourced import (
    amount,
    chain_json,
    chains_table,
    from_whom,
    given,
    keys_of,
    left_out,
    references,
)


class AssessedRow(NamedTuple):
    """Derived figures of one row, and those that are absent."""

    row: MeasuredRow
    chains: dict[str, Chain[Any]]
    absent: dict[str, str]


@click.command("record")
@click.argument("names", nargs=-1, required=True, metavar="RECORD...", shell_complete=completing.files)
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
@options.json_option
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
    found = [AssessedRow(row, assess(row, stands), not_computed(row, stands)) for row in rows]
    if as_json:
        click.echo(
            json_document.text({"footprints": list(map(_json, found)), "left_out": FOOTPRINTS_LEAVE_OUT})
        )
    else:
        click.echo(terminal.text(_sections(found, stands.grid)), nl=False)
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


def _sections(found: list[AssessedRow], grid: Factor) -> Iterator[Section | str]:
    if not found:
        yield "These records have no joules per unit: they failed, or nothing could be metered."
    for each in found:
        row, title = each.row, f"{each.row.record.label}, per {each.row.unit}, scope {each.row.scope}"
        absent = tuple(f"{name}: not computed: {reason}" for name, reason in each.absent.items())
        parts: tuple[SectionPart, ...] = (*_standing(row), chains_table(each.chains))
        yield Section(f"{title}, {row.kind}, weights {row.weights}", parts, absent)
    for _, group in groupby(found, key=lambda each: id(each.row.record)):
        of_record = list(group)
        grams = {each.row.scope: each.chains["electricity"].result for each in of_record}
        yield beside_people.section(of_record[0].row.record, grams)
    year = f" {grid.year}" if grid.year else ""
    yield Section("Grid", (f"{grid.id}{year}, {given(grid)}, {from_whom(grid)}.",))
    yield references(keys_of(chain for each in found for chain in each.chains.values()))
    yield left_out(FOOTPRINTS_LEAVE_OUT)


def _standing(row: MeasuredRow) -> Iterator[str]:
    """The joules, and their equivalents."""
    record = row.record
    if is_toy(record):
        yield f"This is {TOY}."
    if record.status != "ok":
        yield f"{record.status}: {'; '.join(record.reasons)}"
    yield f"{amount(row.joules)} (interval: {row.interval}); {row.conditions}"


def _json(found: AssessedRow) -> dict[str, Any]:
    row, chains, absent = found
    return {
        "label": row.record.label,
        "status": row.record.status,
        "unit": row.unit,
        "scope": row.scope,
        "kind": row.kind,
        "weights": row.weights,
        "interval": row.interval,
        "conditions": row.conditions,
        "chains": {name: chain_json(chain) for name, chain in chains.items()},
        "not_computed": absent,
        **beside_people.as_json(row.record, chains["electricity"].result),
    }
