"""`python -m bench query "SELECT ..."`: SQL over all records."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click

from bench.cli import options
from bench.cli.compare import tell, tell_problems
from bench.compare.index import open_index
from bench.compare.index.query import TABLES, QueryAnswer, ask
from bench.errors import UsageError
from bench.store.csv_cells import safe
from bench.view import json_document, terminal
from bench.view.content import Cell, Column, Written, table

SHOWN = 200
"""Rows that a person may still read."""


@click.command("query")
@click.argument("sql", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="All rows as CSV; an empty cell is not known.")
@click.option("--json", "as_json", is_flag=True, help="All rows as a list of JSON objects.")
@options.results_option
@options.debug_option
def command(sql: str | None, as_csv: bool, as_json: bool, results: Path) -> int:
    """Query all records below --results in SQL (DuckDB's); without SQL, list the tables and their columns.

    `records` has valid records of a model's own weights, without --quick; `every_record` all.

    For example: "SELECT label, machine, scope, kind, avg(energy_per_unit_j) FROM records GROUP BY ALL"
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json are two forms of one answer.", "Take one of them.")
    if sql is None:
        _write(QueryAnswer(("table", "column", "type"), _columns()), as_csv, as_json)
        return 0
    if not results.is_dir():
        raise UsageError(f"{results}: this folder does not exist.", "Name another with --results DIR.")
    with open_index(results, tell) as index:
        problems = index.problems()
        _write(ask(index, results, sql), as_csv, as_json)
    tell_problems(problems)
    return 2 if problems else 0


def _columns() -> Iterator[tuple[Any, ...]]:
    return ((table, name, kind) for table, types in TABLES.items() for name, kind in types.items())


def _write(answer: QueryAnswer, as_csv: bool, as_json: bool) -> None:
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows([safe(value) for value in row] for row in answer.rows)
    elif as_json:
        click.echo(json_document.text(_objects(answer), default=str))
    else:
        _show(answer)


def _objects(answer: QueryAnswer) -> list[dict[str, Any]]:
    """A JSON object a row. Raises UsageError where two columns share a name: one would hide the other."""
    if twice := [name for name, count in Counter(answer.columns).items() if count > 1]:
        raise UsageError(f"More than one column is called {twice[0]}.", "Tell them apart with AS.")
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def _show(answer: QueryAnswer) -> None:
    """A table for a person; the first rows only where they are many."""
    rows = list(islice(answer.rows, SHOWN))
    heads = (
        Column(name, numeric=any(isinstance(row[number], int | float) for row in rows))
        for number, name in enumerate(answer.columns)
    )
    click.echo(terminal.text([table(heads, (map(_cell, row) for row in rows))]), nl=False)
    if next(answer.rows, None) is not None:
        tell(f"These are the first {SHOWN} rows; --csv and --json write all.")


def _cell(value: Any) -> Cell:
    return (
        Written(f"{value:.6g}", value) if isinstance(value, float) else None if value is None else str(value)
    )
