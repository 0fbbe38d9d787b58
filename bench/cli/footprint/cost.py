"""`python -m bench footprint cost [RECORD|ID...]`: the price of electricity beside API list prices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bench.cli import completing, options
from bench.cli.record_arguments import named_rates
from bench.core.quantities import Money
from bench.errors import UsageError
from bench.footprint.caveats import COSTS_LEAVE_OUT
from bench.footprint.chain import MACHINE_SCOPES, Chain, check, check_pue
from bench.footprint.cost import Listed, electricity, list_prices, per, relatives
from bench.footprint.rates import EnergyRate, assumed
from bench.footprint.reference import Factor
from bench.view import json_document, terminal
from bench.view.content import Cell, Section, Table, Written, columns, table
from bench.view.sourced import (
    chain_json,
    from_whom,
    given,
    keys_of,
    left_out,
    quantity_json,
    references,
    span,
    spanned,
)

Priced = tuple[EnergyRate, Chain[Money]]


@click.command("cost")
@click.argument("names", nargs=-1, metavar="[RECORD|ID]...", shell_complete=completing.files)
@click.option(
    "--price",
    metavar="USD",
    help="Per kWh: a number, LOW..HIGH, or a bundled price. [default: price.usa.commercial]",
)
@options.pue_option
@click.option("--scope", metavar="NAME", help="Of the records: gpu or host. [default: their headline's]")
@options.json_option
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
    priced = [(rate, electricity(rate, power_price, overhead)) for rate in found]
    if as_json:
        click.echo(json_document.text(_json(priced, power_price)))
    else:
        click.echo(terminal.text(_sections(priced, power_price, overhead)), nl=False)
    return 0


def _sections(priced: list[Priced], price: Factor, pue: Factor | None) -> Iterator[Section]:
    listed = list_prices()
    year = f" {price.year}" if price.year else ""
    stated = [f"Price: {price.id}{year}, {given(price)}, {from_whom(price)}."]
    if pue is not None:
        stated.append(f"PUE {given(pue)}, applied once, to energy of scope host.")
    yield Section("Electricity", (*stated, _electricity(priced)))
    yield Section("API list prices", (_listed(listed),))
    title = "Electricity of a million tokens, as part of the list price of a million output tokens"
    yield Section(title, (_shares(priced, listed),))
    keys = keys_of(chain for _, chain in priced) | {rate.source for rate, _ in priced}
    yield references(keys | {each.price.source for each in listed})
    yield left_out(COSTS_LEAVE_OUT)


def _electricity(priced: list[Priced]) -> Table:
    rows = []
    for rate, chain in priced:
        joules, each = per(rate)
        numbers = spanned(joules.range), spanned(chain.result.range)
        rows.append(
            (rate.name, rate.kind, rate.weights, chain.scope, each, *numbers, rate.range_is, rate.source)
        )
    heads = ("case", "kind", "weights", "scope", "per", "#J", "#USD", "range", "source")
    return table(columns(*heads, aside=heads[-2:]), rows)


def _listed(listed: list[Listed]) -> Table:
    rows = (
        (
            system.name,
            price.tokens,
            f"{price.value:g}",
            spanned(page.range),
            str(price.year),
            f"{price.source} ({price.evidence})",
        )
        for system, price, page in listed
    )
    return table(columns("system", "tokens", "#USD a million", "#USD a page", "year", "source"), rows)


def _shares(priced: list[Priced], listed: list[Listed]) -> Table:
    output = [each for each in listed if each.price.tokens == "output"]
    rows: list[tuple[Cell, ...]] = []
    for rate, chain in priced:
        if rate.made == "token":
            parts = (chain.result.range / each.price.value * 100 for each in output)
            rows.append((rate.name, chain.scope, *(Written(f"{span(part)} %", part.value) for part in parts)))
    names = (f"#{each.system.name} (USD {each.price.value:g})" for each in output)
    return table(columns("case", "scope", *names), rows)


def _json(priced: list[Priced], price: Factor) -> dict[str, Any]:
    return {
        "price": price.model_dump(exclude_none=True),
        "electricity": [
            {
                "case": rate.name,
                "kind": rate.kind,
                "weights": rate.weights,
                "per": per(rate)[1],
                "joules": quantity_json(per(rate)[0]),
                "range": rate.range_is,
                "source": rate.source,
                "cost": chain_json(chain),
            }
            for rate, chain in priced
        ],
        "list_prices": [
            {"system": each.system.name, **each.price.model_dump(), "page": quantity_json(each.page)}
            for each in list_prices()
        ],
        "left_out": COSTS_LEAVE_OUT,
    }
