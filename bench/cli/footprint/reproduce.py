"""`python -m bench footprint reproduce tomlinson2024`: a published comparison, worked out again step by step.

First as the paper has it, from its inputs to its ratios; then with measured joules in place of its estimate.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from bench.catalog.loading import unknown
from bench.cli import completing, options
from bench.cli.footprint.measured import MeasuredView
from bench.cli.sourced import (
    add,
    amount,
    chain_json,
    chains_table,
    given,
    heading,
    keys_of,
    left_out,
    quantity_json,
    references,
    row_json,
    table,
)
from bench.cli.tables import cell, render
from bench.errors import UsageError
from bench.footprint import tomlinson2024
from bench.footprint.humans import Human
from bench.footprint.wording import LEFT_OUT

PAPERS = ("tomlinson2024",)


@click.command("reproduce")
@click.argument("paper", metavar="PAPER", shell_complete=completing.names_or_files(lambda: PAPERS))
@click.argument("names", nargs=-1, metavar="[RECORD]...", shell_complete=completing.files)
@options.shapes_option
@options.results_option
@options.grid_option
@options.pue_option
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
@options.debug_option
def command(
    paper: str,
    names: tuple[str, ...],
    shapes: bool,
    results: Path,
    grid: str | None,
    pue: float | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> int:
    """Recompute a published comparison, step by step, and with measured joules in its place.

    PAPER is tomlinson2024. RECORD is a file, a folder, REVISION:PATH, a run's id, latest, or - for standard
    input. [default: the folder of --results]
    """
    if paper not in PAPERS:
        raise unknown("paper to reproduce", paper, PAPERS)
    source = click.get_current_context().get_parameter_source("results")
    if source is not ParameterSource.DEFAULT and not results.is_dir():
        raise UsageError(f"--results {results}: there is no such folder.", "Name a folder of records.")
    measured = MeasuredView.read(names, results, grid, pue, shapes=shapes)
    if as_json:
        click.echo(json.dumps(_json(measured), indent=2))
    else:
        click.echo(render(*_parts(measured)), nl=False)
    return 0


def _parts(measured: MeasuredView) -> Iterable[object]:
    people, models = tomlinson2024.people(), tomlinson2024.models()
    yield cell("Tomlinson et al. 2024, Scientific Reports 14:3732, from its inputs to its ratios.")
    yield heading("The person (top-down: yearly emissions / 8760 h × hours of work; scope person)")
    yield _people(people)
    yield heading("The model (an estimate: training written off over a month of queries, and operation)")
    yield chains_table(models)
    yield heading("Person / model, against the ratios in print (equal at two significant figures)")
    yield _ratios()
    for unit in ("page", "image"):
        low, high = tomlinson2024.span(unit)
        yield cell(f"{unit}s: {low:,.0f} to {high:,.0f} times, as the abstract has it.")
    yield cell(
        "The hours of an image (3.2) were not in print but fitted to its ratios, so these confirm nothing."
    )
    yield cell(
        "BLOOM stands at 1,500 and at 1,400 in print. The first counts the energy of its training (24.69 t). "
        "Two readings give the second: training with idle nodes and the making of the machines (50.5 t), or "
        "24.69 t and the 914 kWh of a longer window at 394 g/kWh as its operation. Which it was is not known."
    )
    yield from measured.against(people)
    yield heading("Sources")
    keys = {factor.source for each in people.values() for factor in each.factors}
    keys |= {line.source for line in measured.lines()}
    yield references(keys | keys_of(models.values()))
    yield from left_out()


def _people(people: dict[str, Human]) -> Any:
    made = table("figure", "inputs", "result", "in print", "evidence", right=("result", "in print"))
    for name, each in people.items():
        inputs = ", ".join(f"{factor.id} {given(factor)}" for factor in each.factors)
        add(made, name, inputs, amount(each.result), f"{each.baseline.printed:,g}", each.evidence)
    return made


def _ratios() -> Any:
    made = table(
        "person",
        "model",
        "exact",
        "rounded",
        "in print",
        "",
        "where",
        "why",
        right=("exact", "rounded", "in print"),
    )
    for check in tomlinson2024.ratios():
        vector = check.vector
        numbers = f"{check.ratio:,.1f}", f"{check.rounded:,.0f}", f"{vector.printed:,.0f}"
        add(
            made,
            vector.human,
            vector.ai,
            *numbers,
            check.verdict,
            vector.where,
            vector.why or vector.fitted or "",
        )
    return made


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
