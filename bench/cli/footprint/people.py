"""`python -m bench footprint people`: what a person's page or image takes, by every method, side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby

import click

from bench.cli import options
from bench.cli.sourced import (
    add,
    from_whom,
    given,
    heading,
    left_out,
    quantity_json,
    references,
    row_json,
    span,
    table,
)
from bench.cli.tables import cell, render
from bench.footprint.humans import Human, select
from bench.footprint.wording import LEFT_OUT
from bench.report.numbers import NOT_KNOWN


@click.command("people")
@click.option("--unit", metavar="UNIT", help="page or image (both, unless given), tv_hour, film, ...")
@click.option(
    "--region", metavar="NAME", help="Only people of this region: US, India, China, EU27, World, UK."
)
@click.option("--method", metavar="NAME", help="Only this method: top-down, work-hours, equipment, ...")
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
@options.debug_option
def command(unit: str | None, region: str | None, method: str | None, as_json: bool, debug: bool) -> int:  # noqa: ARG001
    """List human baselines: what a person's page or image takes, by every method, side by side."""
    found = select(unit, region, method)
    if as_json:
        click.echo(json.dumps({"baselines": list(map(_json, found)), "left_out": LEFT_OUT}, indent=2))
    else:
        click.echo(render(*_parts(found)), nl=False)
    return 0


def _parts(found: list[Human]) -> Iterable[object]:
    yield cell(
        "What a person takes. Each method answers a question of its own: compare within one, never across."
    )
    for name, humans in groupby(found, key=lambda each: each.baseline.method):
        group = list(humans)
        method = group[0].method
        formula = f"  [{method.formula}]" if method.formula else ""
        yield heading(f"{name}: {method.about}{formula}")
        made = table(
            "per",
            "region",
            "value",
            "unit",
            "in print",
            "scope",
            "from",
            "source",
            right=("value", "in print"),
        )
        for each in group:
            row = each.baseline
            inputs = ", ".join(f"{factor.id} {given(factor)}" for factor in each.factors)
            print_ = NOT_KNOWN if row.printed is None else f"{row.printed:g}"
            add(
                made,
                row.unit,
                row.region,
                span(each.result.range),
                each.result.unit,
                print_,
                row.scope,
                inputs or row.note,
                f"{row.id}: {row.source} ({each.evidence})",
            )
        yield made
    yield from _below(found)


def _below(found: list[Human]) -> Iterable[object]:
    yield heading("Inputs")
    inputs = {factor.id: factor for each in found for factor in each.factors}
    made = table("input", "value", "year", "source", "note")
    for factor in inputs.values():
        year = factor.year or "undated"
        add(made, factor.id, given(factor), year, from_whom(factor), factor.note or "")
    yield made
    yield heading("Sources")
    keys = {each.baseline.source for each in found} | {factor.source for factor in inputs.values()}
    yield references(keys)
    if any(each.evidence == "memory" for each in found):
        yield cell(
            "memory: remembered, not seen again in its source. It is shown, and nothing else rests on it."
        )
    yield from left_out()


def _json(each: Human) -> dict[str, object]:
    return row_json(each.baseline) | {
        "result": quantity_json(each.result),
        "evidence": each.evidence,
        "formula": each.method.formula,
        "inputs": {
            name: row_json(factor) for name, factor in zip(each.baseline.inputs, each.factors, strict=True)
        },
    }
