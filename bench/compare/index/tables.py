"""The tables of an index, and the rows that one file gives.

`records` and `blocks` are what `bench query` shows; `files` and `entries` are the index's own. Every row
begins with the file's name in the index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.compare.metrics import METRICS
from bench.compare.record_files import is_other_document
from bench.compare.record_key import RecordKey, entry_of
from bench.compare.record_row import COLUMNS, flat
from bench.compare.record_set import record_in
from bench.core.record import Record
from bench.errors import RecordError

IndexRow = dict[str, Any]

SQL_TYPES = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN"}
ENTRY_TYPES = {name: "VARCHAR" for name in RecordKey._fields if name not in ("where", "older")} | {
    "ranked": "BOOLEAN",
    "twin": "BOOLEAN",
}
RECORD_TYPES = {name: SQL_TYPES[kind] for name, (kind, _) in COLUMNS.items() if name != "file"}
BLOCK_TYPES = {
    "record": "VARCHAR",
    "block": "BIGINT",
    "warmup": "BOOLEAN",
    "valid": "BOOLEAN",
    "duration_s": "DOUBLE",
    "work_s": "DOUBLE",
    "items": "BIGINT",
    "units": "DOUBLE",
    "tokens": "BIGINT",
    "energy_per_unit_j": "DOUBLE",
    "net_energy_per_unit_j": "DOUBLE",
    "energy_per_token_j": "DOUBLE",
    "time_per_unit_s": "DOUBLE",
    "power_w": "DOUBLE",
}
"""A block's figures are at the headline's scope, and known where the block counts: valid, after warm-up."""
METRIC_COLUMNS = {
    "energy": "energy_per_unit_j",
    "net": "net_energy_per_unit_j",
    "token": "energy_per_token_j",
    "time": "time_per_unit_s",
    "power": "power_w",
}
TABLES: dict[str, dict[str, str]] = {
    "files": {"size": "BIGINT", "mtime_ns": "BIGINT", "ctime_ns": "BIGINT", "inode": "UBIGINT"}
    | {"problem": "VARCHAR"},
    "entries": ENTRY_TYPES,
    "records": RECORD_TYPES,
    "blocks": BLOCK_TYPES,
}
"""Columns of each table beside `name`, with their types."""


def rows_of(path: str, text: str | RecordError) -> Iterator[tuple[str, IndexRow]]:
    """Rows of a file, each with its table; one row of `files` in any case."""
    try:
        if isinstance(text, RecordError):
            raise text
        stored = None if is_other_document(text) else record_in(text, path)
    except RecordError as error:
        yield "files", {"problem": str(error).removeprefix(path)}
        return
    yield "files", {}
    if stored is None:
        return
    entry = entry_of(stored)._asdict()
    yield "entries", {key: entry[key] for key in ENTRY_TYPES}
    row = flat(stored)
    yield "records", {key: _storable(row[key]) for key in RECORD_TYPES}
    for block in blocks(stored.record):
        yield "blocks", {"record": stored.digest} | block


def blocks(record: Record) -> Iterator[IndexRow]:
    """A row for each block of a record, in time."""
    readers = {column: METRICS[name].block_value(record) for name, column in METRIC_COLUMNS.items()}
    for number, block in enumerate(record.blocks, start=1):
        row: IndexRow = {
            "block": number,
            "warmup": block.warmup,
            "valid": block.valid,
            "duration_s": block.duration_s,
            "work_s": block.work_s,
            "items": block.items,
            "units": block.units,
            "tokens": block.tokens,
        }
        row |= {column: read(block) for column, read in readers.items()}
        yield row


def _storable(value: Any) -> Any:
    """A value that a column can store, or `None`: JSON has integers of any length."""
    return None if type(value) is int and not -(2**63) <= value < 2**63 else value
