"""SQL over an index: four tables to read, and nothing beside them.

    with open_index(folder, tell) as index:
        answer = ask(index, folder, "SELECT label, avg(energy_per_unit_j) FROM records GROUP BY label")
        answer.columns, list(answer.rows)    # read while the index is open: they come as they are asked for

`every_record` is a row a record, as `bench export csv` writes it; `records` those of them that an average may
be taken of: valid, not quick, of a model's own weights. `blocks` and `every_block` are their blocks, with
`record` in all four.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from bench.compare.index.connection import Connection
from bench.compare.index.store import Index
from bench.compare.index.tables import BLOCK_TYPES, SQL_TYPES
from bench.compare.record_row import COLUMNS
from bench.errors import UsageError

RECORD_COLUMNS = {name: SQL_TYPES[kind] for name, (kind, _) in COLUMNS.items()}
TABLES = {
    "records": RECORD_COLUMNS,
    "blocks": BLOCK_TYPES,
    "every_record": RECORD_COLUMNS,
    "every_block": BLOCK_TYPES,
}
"""Columns, in the order of `SELECT *`."""
STANDING = "status = 'ok' AND quick IS NOT TRUE AND weights <> 'random' AND NOT toy"
"""Records of `records`: no failed, quick or random one is averaged with others unless it is asked for."""
READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
AT_ONCE = 1000
"""Rows held at a time: an answer may be longer than memory."""


@dataclass(frozen=True)
class QueryAnswer:
    """The columns of an answer and its rows; infinite numbers and NaN become `None`."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


def ask(index: Index, folder: Path, sql: str) -> QueryAnswer:
    """The answer to one statement that reads. Raises UsageError with what is wrong."""
    connection = index.connection
    _prepare(index, folder)
    with _told():
        statements = connection.statements(sql)
        if len(statements) != 1 or statements[0].type not in READING:
            raise UsageError("A query is one statement that reads.", "For example: SELECT * FROM records.")
        connection.execute(statements[0])
    return QueryAnswer(connection.columns, _rows(connection))


def _rows(connection: Connection) -> Iterator[tuple[Any, ...]]:
    while some := _some(connection):
        for row in some:
            yield tuple(map(_known, row))


def _some(connection: Connection) -> list[Any]:
    with _told():
        return connection.fetchmany(AT_ONCE)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """DuckDB's errors as ours."""
    try:
        yield
    except duckdb.Error as error:
        message = f"The query cannot be answered: {_sentence(error)}."
        raise UsageError(message, "Without SQL, tables and columns are listed.") from error


def _prepare(index: Index, folder: Path) -> None:
    """The tables, each text once, and the door shut behind them: no file, no setting can be reached."""
    connection = index.connection
    connection.execute("CREATE TABLE chosen (name VARCHAR, file VARCHAR)")
    connection.execute(
        "INSERT INTO chosen SELECT name, $folder || substr(name, 1 + length($prefix)) FROM all_entries "
        "WHERE starts_with(name, $prefix) QUALIFY row_number() OVER (PARTITION BY digest ORDER BY name) = 1",
        {"folder": os.path.join(folder, ""), "prefix": index.prefix},
    )
    for view, table in (("every_record", "all_records"), ("every_block", "all_blocks")):
        columns = ", ".join(TABLES[view])
        connection.execute(f"CREATE VIEW {view} AS SELECT {columns} FROM {table} JOIN chosen USING (name)")
    connection.execute(f"CREATE VIEW records AS SELECT * FROM every_record WHERE {STANDING}")
    connection.execute(
        "CREATE VIEW blocks AS SELECT * FROM every_block WHERE record IN (SELECT record FROM records)"
    )
    connection.execute("SET enable_external_access = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET lock_configuration = true")


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sentence(error: duckdb.Error) -> str:
    """DuckDB's first line: what follows draws the query and an arrow."""
    return str(error).strip().splitlines()[0].rstrip(".")
