"""Table of an answer to a query."""

from __future__ import annotations

from itertools import islice
from typing import Any

from bench.compare.index.query import QueryAnswer
from bench.view.content import Cell, Column, Table, Written, table


def first_rows(answer: QueryAnswer, count: int) -> Table:
    """A table of the next rows, at most `count`: an answer may be longer than memory."""
    rows = list(islice(answer.rows, count))
    heads = (
        Column(name, numeric=any(isinstance(row[number], int | float) for row in rows))
        for number, name in enumerate(answer.columns)
    )
    return table(heads, (map(_cell, row) for row in rows))


def _cell(value: Any) -> Cell:
    if isinstance(value, float):
        return Written(f"{value:.6g}", value)
    return None if value is None else str(value)
