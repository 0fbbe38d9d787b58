"""Table of an answer to a query."""

from __future__ import annotations

from itertools import islice
from typing import Any

from bench.compare.index.query import QueryAnswer
from bench.view.content import Cell, Column, Table, Written, table
from bench.view.headline_values import with_joules_rounded

DIGITS = 4
"""Significant digits of a number whose interval is not in the answer, such as an average."""


def first_rows(answer: QueryAnswer, count: int) -> Table:
    """A table of the next rows, at most `count`: an answer may be longer than memory.

    Joules that have their interval beside them are rounded by it; `--csv` and `--json` keep all digits.
    """
    rows = [_rounded(answer.columns, row) for row in islice(answer.rows, count)]
    heads = (
        Column(name, any(isinstance(row[number], int | float | Written) for row in rows), DIGITS)
        for number, name in enumerate(answer.columns)
    )
    return table(heads, (map(_cell, row) for row in rows))


def _rounded(names: tuple[str, ...], row: tuple[Any, ...]) -> tuple[Any, ...]:
    values = dict(zip(names, row, strict=True))
    return tuple(with_joules_rounded(values).values()) if len(values) == len(row) else row


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, Written | float):
        return value
    return str(value)
