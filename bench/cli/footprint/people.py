"""`python -m bench footprint people`: what a person's page or image takes, by every method, side by side.

Minutes and hours of sound, speech and film are also given per second, the unit of the models that make them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import click

from bench.cli import options
from bench.core import modalities
from bench.footprint.caveats import LEFT_OUT
from bench.footprint.humans import Human, HumanPerUnit, select
from bench.footprint.work_units import why_none, work_units
from bench.view import json_document, terminal
from bench.view.content import Cell, Section, Table, Written, columns, table
from bench.view.sourced import factors_table, given, left_out, quantity_json, references, row_json, spanned

HEADS = ("per", "region", "#value", "unit", "#each", "model's unit", "#in print", "scope", "from", "source")
EACH = HEADS[4:6]
"""Columns per unit of models; left out where every row is in that unit already."""
ASIDE = HEADS[-2:]


@click.command("people")
@click.option(
    "--unit", metavar="UNIT", help="page or image (both, unless given), audio_second, music_minute, film, ..."
)
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
        click.echo(
            json_document.text(
                {"baselines": list(map(_json, found)), "no_baseline": _absent(unit), "left_out": LEFT_OUT}
            )
        )
    else:
        click.echo(terminal.text(_sections(found, unit)), nl=False)
    return 0


def _sections(found: list[Human], unit: str | None) -> Iterator[Section | str]:
    yield "What a person takes. Each method answers a question of its own: compare within one, never across."
    converted = any(_per_model_unit(each) for each in found)
    for name, humans in groupby(found, key=lambda each: each.baseline.method):
        group = list(humans)
        method = group[0].method
        formula = f"  [{method.formula}]" if method.formula else ""
        yield Section(f"{name}: {method.about}{formula}", (_table(group, converted=converted),))
    inputs = {factor.id: factor for each in found for factor in each.factors}
    yield Section("Inputs", (factors_table(inputs.values()),))
    yield references({each.baseline.source for each in found} | {each.source for each in inputs.values()})
    if any(each.evidence == "memory" for each in found):
        yield "memory: remembered, not seen again in its source. It is shown, and nothing else rests on it."
    absent = tuple(f"{name}: {reason}" for name, reason in _absent(unit).items())
    if absent:
        yield Section("No baseline", absent)
    yield left_out()


def _table(group: list[Human], *, converted: bool) -> Table:
    kept = [n for n, head in enumerate(HEADS) if converted or head not in EACH]
    rows = ([cells[n] for n in kept] for cells in map(_row, group))
    return table(columns(*(HEADS[n] for n in kept), aside=ASIDE), rows)


def _per_model_unit(each: Human) -> HumanPerUnit | None:
    """The same per unit of the models that make it; `None` where none does, or the unit is that already."""
    works = (work for work in work_units() if work.unit == each.baseline.unit and work.count != 1)
    return next((HumanPerUnit(each, work) for work in works), None)


def _absent(unit: str | None) -> dict[str, str]:
    """Modalities of the unit without people, each with the reason."""
    found = (modality.name for modality in modalities.of_unit(unit or ""))
    return {name: reason for name in found if (reason := why_none(name))}


def _row(each: Human) -> tuple[Cell, ...]:
    row, inputs = each.baseline, ", ".join(f"{factor.id} {given(factor)}" for factor in each.factors)
    converted = _per_model_unit(each)
    return (
        row.unit,
        row.region,
        spanned(each.result.range),
        each.result.unit,
        spanned(converted.result.range) if converted else None,
        converted.work.model_unit if converted else None,
        None if row.printed is None else Written(f"{row.printed:g}", row.printed),
        row.scope,
        inputs or row.note or "",
        f"{row.id}: {row.source} ({each.evidence})",
    )


def _json(each: Human) -> dict[str, object]:
    converted = _per_model_unit(each)
    return row_json(each.baseline) | {
        "result": quantity_json(each.result),
        "per_model_unit": converted
        and {
            "unit": converted.work.model_unit,
            "modality": converted.work.modality,
            "work": converted.work.work,
            "result": quantity_json(converted.result),
        },
        "evidence": each.evidence,
        "formula": each.method.formula,
        "inputs": {
            name: row_json(factor) for name, factor in zip(each.baseline.inputs, each.factors, strict=True)
        },
    }
