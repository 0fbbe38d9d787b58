"""`python -m bench footprint reproduce tomlinson2024`: a published comparison, worked out again step by step.

First as the paper has it, from its inputs to its ratios; then with measured joules in place of its estimate.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from click.core import ParameterSource

from bench.catalog.loading import unknown
from bench.cli import completing, options
from bench.cli.footprint.measured import MeasuredView
from bench.errors import UsageError
from bench.footprint import tomlinson2024
from bench.footprint.caveats import LEFT_OUT
from bench.footprint.humans import Human
from bench.view import json_document, terminal
from bench.view.content import Cell, Section, Table, Written, columns, table
from bench.view.sourced import (
    amount,
    chain_json,
    chains_table,
    given,
    keys_of,
    left_out,
    quantity_json,
    references,
    row_json,
)

PAPERS = ("tomlinson2024",)
REMARKS = (
    "The hours of an image (3.2) were not in print but fitted to its ratios, so these confirm nothing.",
    "BLOOM is 1,500 and 1,400 in print. The first counts the energy of its training (24.69 t). "
    "Two readings give the second: training with idle nodes and the making of the machines (50.5 t), or "
    "24.69 t and the 914 kWh of a longer window at 394 g/kWh as its operation. Which it was is not known.",
)


@click.command("reproduce")
@click.argument("paper", metavar="PAPER", shell_complete=completing.names_or_files(lambda: PAPERS))
@click.argument("names", nargs=-1, metavar="[RECORD]...", shell_complete=completing.files)
@options.shapes_option
@options.results_option
@options.grid_option
@options.pue_option
@options.json_option
@options.debug_option
def command(
    paper: str,
    names: tuple[str, ...],
    shapes: bool,
    results: Path,
    grid: str | None,
    pue: float | None,
    as_json: bool,
) -> int:
    """Recompute a published comparison, step by step, and with measured joules in its place.

    PAPER is tomlinson2024. RECORD is a file, a folder, REVISION:PATH, a run's id, latest, or - for standard
    input. [default: the folder of --results]
    """
    if paper not in PAPERS:
        raise unknown("paper to reproduce", paper, PAPERS)
    source = click.get_current_context().get_parameter_source("results")
    if source is not ParameterSource.DEFAULT and not results.is_dir():
        raise UsageError(f"--results {results}: this folder does not exist.", "Name a folder of records.")
    measured = MeasuredView.read(names, results, grid, pue, shapes=shapes)
    if as_json:
        click.echo(json_document.text(_json(measured)))
    else:
        click.echo(terminal.text(_sections(measured)), nl=False)
    return 0


def _sections(measured: MeasuredView) -> Iterator[Section | str]:
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
    yield from measured.against(people)
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


def _json(measured: MeasuredView) -> dict[str, object]:
    people = tomlinson2024.people()
    return {
        "paper": PAPERS[0],
        "people": {
            name: {
                "result": quantity_json(each.result),
                "inputs": [row_json(factor) for factor in each.factors],
            }
            for name, each in people.items()
        },
        "models": {name: chain_json(chain) for name, chain in tomlinson2024.models().items()},
        "ratios": [
            check.vector.model_dump(exclude_none=True)
            | {
                "ratio": check.ratio,
                "rounded": check.rounded,
                "agrees": check.agrees,
                "verdict": check.verdict,
            }
            for check in tomlinson2024.ratios()
        ],
        "measured": measured.json(people),
        "left_out": LEFT_OUT,
    }
