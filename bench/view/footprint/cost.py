"""Sections of `footprint cost`: the price of electricity beside API list prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.footprint.bundled_rows import Factor
from bench.footprint.caveats import COSTS_LEAVE_OUT
from bench.footprint.cost import Listed, PricedRate, list_prices, per
from bench.view.content import Cell, Section, Table, Written, columns, table
from bench.view.sourced import from_whom, given, keys_of, left_out, references
from bench.view.spans import span, spanned


def sections(priced: Sequence[PricedRate], price: Factor, pue: Factor | None) -> Iterator[Section]:
    """The price of electricity, list prices, and the first as a share of the second."""
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


def _electricity(priced: Sequence[PricedRate]) -> Table:
    rows = []
    for rate, chain in priced:
        joules, each = per(rate)
        numbers = spanned(joules.range), spanned(chain.result.range)
        rows.append(
            (rate.name, rate.kind, rate.weights, chain.scope, each, *numbers, rate.range_is, rate.source)
        )
    heads = ("case", "kind", "weights", "scope", "per", "#J", "#USD", "range", "source")
    return table(columns(*heads, aside=heads[-2:]), rows)


def _listed(listed: Sequence[Listed]) -> Table:
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


def _shares(priced: Sequence[PricedRate], listed: Sequence[Listed]) -> Table:
    output = [each for each in listed if each.price.tokens == "output"]
    rows: list[tuple[Cell, ...]] = []
    for rate, chain in priced:
        if rate.made == "token":
            parts = (chain.result.range / each.price.value * 100 for each in output)
            rows.append((rate.name, chain.scope, *(Written(f"{span(part)} %", part.value) for part in parts)))
    names = (f"#{each.system.name} (USD {each.price.value:g})" for each in output)
    return table(columns("case", "scope", *names), rows)
