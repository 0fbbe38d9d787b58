"""Sections of `footprint reproduce`: a published comparison, worked out again step by step."""

from __future__ import annotations

from collections.abc import Iterator

from bench.footprint import tomlinson2024
from bench.footprint.humans import Human
from bench.footprint.person_vs_model import MeasuredComparison
from bench.view.content import Cell, Section, Table, Written, columns, table
from bench.view.footprint.measured import measured_sections
from bench.view.sourced import amount, chains_table, given, keys_of, left_out, references

REMARKS = (
    "The hours of an image (3.2) were not in print but fitted to its ratios, so these confirm nothing.",
    "BLOOM is 1,500 and 1,400 in print. The first counts the energy of its training (24.69 t). "
    "Two readings give the second: training with idle nodes and the making of the machines (50.5 t), or "
    "24.69 t and the 914 kWh of a longer window at 394 g/kWh as its operation. Which it was is not known.",
)


def sections(measured: MeasuredComparison) -> Iterator[Section | str]:
    """The paper from its inputs to its ratios, then the same with measured joules."""
    people, models = tomlinson2024.people(), tomlinson2024.models()
    yield "Tomlinson et al. 2024, Scientific Reports 14:3732, from its inputs to its ratios."
    title = "The person (top-down: yearly emissions / 8760 h × hours of work; scope person)"
    yield Section(title, (_people(people),))
    title = "The model (an estimate: training written off over a month of queries, and operation)"
    yield Section(title, (chains_table(models),))
    spans = ((unit, *tomlinson2024.span(unit)) for unit in ("page", "image"))
    ranges = (
        f"{unit}s: {low:,.0f} to {high:,.0f} times, as the abstract has it." for unit, low, high in spans
    )
    title = "Person / model, against the ratios in print (equal at two significant figures)"
    yield Section(title, (_ratios(), *ranges, *REMARKS))
    yield from measured_sections(measured, people)
    keys = {factor.source for each in people.values() for factor in each.factors}
    keys |= {line.source for line in measured.lines()}
    yield references(keys | keys_of(models.values()))
    yield left_out()


def _people(people: dict[str, Human]) -> Table:
    rows = []
    for name, each in people.items():
        inputs = ", ".join(f"{factor.id} {given(factor)}" for factor in each.factors)
        printed = Written(f"{each.baseline.printed:,g}", each.baseline.printed)
        rows.append((name, Written(amount(each.result), each.result.value), printed, each.evidence, inputs))
    return table(columns("figure", "#result", "#in print", "evidence", "inputs", aside=("inputs",)), rows)


def _ratios() -> Table:
    rows: list[tuple[Cell, ...]] = []
    for check in tomlinson2024.ratios():
        vector = check.vector
        numbers = (("{:,.1f}", check.ratio), ("{:,.0f}", check.rounded), ("{:,.0f}", vector.printed))
        cells = (Written(form.format(number), number) for form, number in numbers)
        why = vector.why or vector.fitted or ""
        rows.append((vector.human, vector.ai, *cells, check.verdict, vector.where, why))
    heads = columns(
        "person", "model", "#exact", "#rounded", "#in print", "", "where", "why", aside=("where", "why")
    )
    return table(heads, rows)
