"""`python -m bench footprint people`: what a person's page or image takes, by every method, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import click

from bench.cli import options
from bench.footprint.caveats import LEFT_OUT
from bench.footprint.humans import Human, select
from bench.view import json_document, terminal
from bench.view.content import Cell, Section, Written, columns, table
from bench.view.sourced import factors_table, given, left_out, quantity_json, references, row_json, spanned

HEADS = ("per", "region", "#value", "unit", "#in print", "scope", "from", "source")
COLUMNS = columns(*HEADS, aside=HEADS[-2:])


@click.command("people")
@click.option("--unit", metavar="UNIT", help="page or image (both, unless given), tv_hour, film, ...")
@click.option(
    "--region", metavar="NAME", help="Only people of this region: US, India, China, EU27, World, UK."
)
@click.option("--method", metavar="NAME", help="Only this method: top-down, work-hours, equipment, ...")
@options.json_option
@options.debug_option
def command(unit: str | None, region: str | None, method: str | None, as_json: bool) -> int:
    """List human baselines: what a person's page or image takes, by every method, side by side."""
    found = select(unit, region, method)
    if as_json:
        click.echo(json_document.text({"baselines": list(map(_json, found)), "left_out": LEFT_OUT}))
    else:
        click.echo(terminal.text(_sections(found)), nl=False)
    return 0


def _sections(found: list[Human]) -> Iterator[Section | str]:
    yield "What a person takes. Each method answers a question of its own: compare within one, never across."
    for name, humans in groupby(found, key=lambda each: each.baseline.method):
        group = list(humans)
        method = group[0].method
        formula = f"  [{method.formula}]" if method.formula else ""
        yield Section(f"{name}: {method.about}{formula}", (table(COLUMNS, map(_row, group)),))
    inputs = {factor.id: factor for each in found for factor in each.factors}
    yield Section("Inputs", (factors_table(inputs.values()),))
    yield references({each.baseline.source for each in found} | {each.source for each in inputs.values()})
    if any(each.evidence == "memory" for each in found):
        yield "memory: remembered, not seen again in its source. It is shown, and nothing else rests on it."
    yield left_out()


def _row(each: Human) -> tuple[Cell, ...]:
    row, inputs = each.baseline, ", ".join(f"{factor.id} {given(factor)}" for factor in each.factors)
    return (
        row.unit,
        row.region,
        spanned(each.result.range),
        each.result.unit,
        None if row.printed is None else Written(f"{row.printed:g}", row.printed),
        row.scope,
        inputs or row.note or "",
        f"{row.id}: {row.source} ({each.evidence})",
    )


def _json(each: Human) -> dict[str, object]:
    return row_json(each.baseline) | {
        "result": quantity_json(each.result),
        "evidence": each.evidence,
        "formula": each.method.formula,
        "inputs": {
            name: row_json(factor) for name, factor in zip(each.baseline.inputs, each.factors, strict=True)
        },
    }
