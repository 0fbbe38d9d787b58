"""Sections of `footprint people`: what a person takes, by every method.

Minutes and hours of sound, speech and film are also given per second, the unit of the models that make them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from bench.footprint.caveats import BRIEFLY
from bench.footprint.humans import Human, per_model_unit
from bench.view.content import Cell, Section, Table, Written, columns, table
from bench.view.sourced import factors_table, given, left_out, references
from bench.view.spans import spanned

HEADS = ("per", "region", "#value", "unit", "#each", "model's unit", "#in print", "scope", "from", "source")
EACH = HEADS[4:6]
"""Columns per unit of models; left out where every row is in that unit already."""
ASIDE = HEADS[-2:]
BRIEF = 7
"""Rows without `--all`."""


def brief(found: Sequence[Human], absent: Mapping[str, str]) -> Iterator[Section | str]:
    """The first person of each method and unit, in a few lines."""
    seen = [each for each in found if each.evidence != "memory"] or list(found)
    first = {(each.baseline.method, each.baseline.unit): each for each in reversed(seen)}
    kept = [each for each in seen if first[each.baseline.method, each.baseline.unit] is each]
    rows = ((each.baseline.method, *_row(each)[:4]) for each in kept[:BRIEF])
    yield "What a person takes; each method answers a question of its own. The first of each method:"
    yield Section("", (table(columns("method", *HEADS[:4]), rows),))
    yield from (f"No baseline of {name}: {reason}" for name, reason in absent.items())
    yield f"{BRIEFLY} All {len(found)} baselines, with inputs, formulas and sources: --all"


def sections(found: Sequence[Human], absent: Mapping[str, str]) -> Iterator[Section | str]:
    """A table a method, their inputs, and modalities without people (`absent`), each with the reason."""
    yield "What a person takes. Each method answers a question of its own: compare within one, never across."
    converted = any(per_model_unit(each) for each in found)
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
    if absent:
        yield Section("No baseline", tuple(f"{name}: {reason}" for name, reason in absent.items()))
    yield left_out()


def _table(group: list[Human], *, converted: bool) -> Table:
    kept = [n for n, head in enumerate(HEADS) if converted or head not in EACH]
    rows = ([cells[n] for n in kept] for cells in map(_row, group))
    return table(columns(*(HEADS[n] for n in kept), aside=ASIDE), rows)


def _row(each: Human) -> tuple[Cell, ...]:
    row, inputs = each.baseline, ", ".join(f"{factor.id} {given(factor)}" for factor in each.factors)
    converted = per_model_unit(each)
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
