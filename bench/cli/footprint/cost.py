"""`python -m bench footprint cost [RECORD|ID...]`: the price of electricity beside API list prices."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bench.cli import completing, options
from bench.cli.record_arguments import named_rates
from bench.cli.sourced import (
    add,
    chain_json,
    from_whom,
    given,
    heading,
    keys_of,
    left_out,
    quantity_json,
    references,
    span,
    table,
)
from bench.cli.tables import cell, render
from bench.core.quantities import Money
from bench.errors import UsageError
from bench.footprint.chain import MACHINE_SCOPES, Chain, check, check_pue
from bench.footprint.cost import Listed, electricity, list_prices, per, relatives
from bench.footprint.rates import Rate, assumed
from bench.footprint.reference import Factor
from bench.footprint.wording import COSTS_LEAVE_OUT
from bench.report.numbers import NOT_KNOWN, digits

Priced = tuple[Rate, Chain[Money]]


@click.command("cost")
@click.argument("names", nargs=-1, metavar="[RECORD|ID]...", shell_complete=completing.files)
@click.option(
    "--price",
    metavar="USD",
    help="Per kWh: a number, LOW..HIGH, or a bundled price. [default: price.usa.commercial]",
)
@options.pue_option
@click.option("--scope", metavar="NAME", help="Of the records: gpu or host. [default: their headline's]")
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
@options.results_option
@options.debug_option
def command(
    names: tuple[str, ...],
    price: str | None,
    pue: float | None,
    scope: str | None,
    as_json: bool,
    results: Path,
    debug: bool,  # noqa: ARG001
) -> int:
    """Compare the price of electricity with API list prices, per million tokens and per page or image.

    RECORD is a file, a folder, REVISION:PATH, a run's id, latest, or - for standard input; ID a published
    figure in joules per token, page or image. Without any, the published figures of systems with a list
    price stand alone.
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
        click.echo(json.dumps(_json(priced, power_price), indent=2))
    else:
        click.echo(render(*_parts(priced, power_price, overhead)), nl=False)
    return 0


def _parts(priced: list[Priced], price: Factor, pue: Factor | None) -> Iterable[object]:
    listed = list_prices()
    yield heading("Electricity")
    year = f" {price.year}" if price.year else ""
    yield cell(f"Price: {price.id}{year}, {given(price)}, {from_whom(price)}.")
    if pue is not None:
        yield cell(f"PUE {given(pue)}, applied once, to energy of scope host.")
    yield _electricity(priced)
    yield heading("API list prices")
    yield _listed(listed)
    yield heading("Electricity of a million tokens, as part of the list price of a million output tokens")
    yield _shares(priced, listed)
    yield heading("Sources")
    keys = keys_of(chain for _, chain in priced) | {rate.source for rate, _ in priced}
    yield references(keys | {each.price.source for each in listed})
    yield from left_out(COSTS_LEAVE_OUT)


def _electricity(priced: list[Priced]) -> Any:
    numbers = ("J", "USD")
    made = table("case", "kind", "weights", "scope", "per", *numbers, "range", "source", right=numbers)
    for rate, chain in priced:
        joules, each = per(rate)
        add(
            made,
            rate.name,
            rate.kind,
            rate.weights or NOT_KNOWN,
            chain.scope,
            each,
            span(joules.range),
            span(chain.result.range),
            rate.range_is,
            rate.source,
        )
    return made


def _listed(listed: list[Listed]) -> Any:
    numbers = ("USD a million", "USD a page")
    made = table("system", "tokens", *numbers, "year", "source", right=numbers)
    for system, price, page in listed:
        where = f"{price.source} ({price.evidence})"
        add(made, system.name, price.tokens, f"{price.value:g}", span(page.range), price.year, where)
    return made


def _shares(priced: list[Priced], listed: list[Listed]) -> Any:
    output = [each for each in listed if each.price.tokens == "output"]
    columns = [f"{each.system.name} (USD {each.price.value:g})" for each in output]
    made = table("case", "scope", *columns, right=columns)
    for rate, chain in priced:
        if rate.made == "token":
            parts = (chain.result.range / each.price.value * 100 for each in output)
            texts = (f"{digits(part.value)} %" if part.is_point else f"{span(part)} %" for part in parts)
            add(made, rate.name, chain.scope, *texts)
    return made


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
