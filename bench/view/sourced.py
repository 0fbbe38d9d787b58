"""Parts of views of figures: the source of a figure, chains with their factors, and what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from bench.core.quantities import Quantity
from bench.footprint.bundled_rows import Factor, FigureSource, ReferenceRow
from bench.footprint.caveats import LEFT_OUT
from bench.footprint.chain import Chain, ChainStep
from bench.footprint.reference import sources
from bench.view.content import Cell, Section, Table, Written, columns, pairs, table
from bench.view.spans import span

WORDS = ("formula", "source")


def given(factor: Factor) -> str:
    """A factor as it was given, unrounded: `383.6 g CO2e/kWh`."""
    found = factor.range
    value = f"{found.value:,.10g}"
    if not found.is_point:
        value += f" ({found.low:,.10g} to {found.high:,.10g})"
    return value if factor.unit == "1" else f"{value} {factor.unit}"


def from_whom(row: ReferenceRow) -> str:
    """`tomlinson2024 (secondary)`: the key of the source, and how it was seen."""
    return f"{row.source} ({row.evidence})"


def chains_table(chains: Mapping[str, Chain[Any]]) -> Table:
    """Every step of every chain; one that is shown further up is only named."""
    rows: list[tuple[Cell, ...]] = []
    seen: list[ChainStep] = []
    for name, chain in chains.items():
        for number, step in enumerate(chain.steps):
            formula, source = ("as above", "") if step in seen else _in_words(step)
            result = Written(amount(step.result), step.result.value)
            rows.append(("" if number else name, step.name, result, step.scope, formula, source))
            seen.append(step)
    return table(columns("figure", "step", "#result", "scope", *WORDS, aside=WORDS), rows)


def _in_words(step: ChainStep) -> tuple[str, str]:
    """A step's formula with its numbers, and where they come from."""
    used = ", ".join(f"{factor.id} {given(factor)}" for factor in step.factors)
    where = ", ".join(dict.fromkeys(from_whom(factor) for factor in step.factors))
    return f"{step.formula}{': ' if used else ''}{used}", where


def amount(found: Quantity) -> str:
    """A quantity with its range and its unit."""
    return f"{span(found.range)} {found.unit}"


def factors_table(factors: Iterable[Factor]) -> Table:
    """Factors as they were given, and where they come from."""
    heads = columns("factor", "value", "year", "source", "note", aside=("note",))
    rows = (
        (each.id, given(each), str(each.year or "undated"), from_whom(each), each.note or "")
        for each in factors
    )
    return table(heads, rows)


def references(keys: Iterable[str], imported: Mapping[str, FigureSource] = MappingProxyType({})) -> Section:
    """The bundled and imported sources named, each once; words a user stated need no further line."""
    known = {**sources(), **imported}
    cited = [(key, _cited(known[key])) for key in sorted(set(keys) & known.keys())]
    return Section("Sources", (pairs(cited) if cited else "None but what is stated above.",))


def _cited(found: FigureSource) -> str:
    """Citation, year or month of reading, and where: an address, or a place in words."""
    dated = str(found.year) if found.year else f"undated, read {found.seen}" if found.seen else "undated"
    places = (f". {place}" for place in (found.url, found.where) if place)
    return f"{found.citation} ({dated}){''.join(places)}"


def left_out(sentences: Sequence[str] = LEFT_OUT) -> Section:
    """Parts that the comparison leaves out."""
    return Section("What this leaves out", notes=tuple(sentences))


def keys_of(chains: Iterable[Chain[Any]]) -> set[str]:
    """The sources of every factor of some chains."""
    factors: Iterable[Factor] = (
        factor for chain in chains for step in chain.steps for factor in step.factors
    )
    return {factor.source for factor in factors}
