"""`python -m bench query "SELECT ..."`: SQL over all records."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bench.cli import options, written_form
from bench.cli.notes import tell, tell_problems
from bench.compare.index import open_index
from bench.compare.index.query import TABLES, QueryAnswer, ask
from bench.errors import UsageError
from bench.exports.csv_cells import safe
from bench.view import json_document
from bench.view.documents.query import document
from bench.view.query import first_rows

SHOWN = 200
"""Rows that a person may still read."""


@click.command("query")
@click.argument("sql", required=False)
@written_form.options("csv", "json", json_help="As JSON: all rows, a list of objects.")
@options.results_option
@options.debug_option
def command(sql: str | None, as_csv: bool, as_json: bool, results: Path) -> int:
    """Query all records below --results in SQL (DuckDB's); without SQL, list the tables and their columns.

    `records` has valid records of a model's own weights, without --quick; `every_record` all.

    For example: "SELECT label, machine, scope, kind, avg(energy_per_unit_j) FROM records GROUP BY ALL"
    """
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
        click.echo(json_document.text(document(answer), default=str))
    else:
        written_form.show([first_rows(answer, SHOWN)])
        if next(answer.rows, None) is not None:
            tell(f"These are the first {SHOWN} rows; --csv and --json write all.")
