"""`python -m bench footprint cost [RECORD|ID...]`: the price of electricity beside API list prices."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import completing, options, written_form
from bench.cli.record_arguments import named_rates
from bench.errors import UsageError
from bench.footprint.chain import MACHINE_SCOPES, check, check_pue
from bench.footprint.cost import PricedRate, electricity, relatives
from bench.footprint.rates import assumed
from bench.view import json_document
from bench.view.documents.cost import document
from bench.view.footprint.cost import sections


@click.command("cost")
@click.argument("names", nargs=-1, metavar="[RECORD|ID]...", shell_complete=completing.records)
@click.option(
    "--price",
    metavar="USD",
    help="Per kWh: a number, LOW..HIGH, or a bundled price. [default: price.usa.commercial]",
)
@options.pue_option
@click.option("--scope", metavar="NAME", help="Of the records: gpu or host. [default: their headline's]")
@written_form.options("json")
@options.results_option
@options.debug_option
def command(
    names: tuple[str, ...],
    price: str | None,
    pue: float | None,
    scope: str | None,
    as_json: bool,
    results: Path,
) -> int:
    """Compare the price of electricity with API list prices, per million tokens and per page or image.

    RECORD is a file, a folder, REVISION:PATH, a run's id, latest, or - for standard input; ID a published
    figure in joules per token, page or image. Without any, the published figures of systems with a list
    price are shown alone.
    """
    power_price = assumed("--price", price, "USD/kWh", "price.usa.commercial")
    check(power_price, "USD/kWh", 0.0, 100.0)
    overhead = None if pue is None else assumed("--pue", str(pue), "1", "pue.desk")
    if overhead is not None:
        check_pue(overhead)
    found = [rate for each in named_rates(names, results, scope).values() for rate in each] + relatives()
    if overhead is not None and not any(rate.scope in MACHINE_SCOPES for rate in found):
        raise UsageError("--pue changes nothing: no figure here is of scope host or wall.", "Leave it out.")
    priced = [PricedRate(rate, electricity(rate, power_price, overhead)) for rate in found]
    if as_json:
        click.echo(json_document.text(document(priced, power_price)))
    else:
        written_form.show(sections(priced, power_price, overhead))
    return 0
