"""Flat rows as CSV, JSON Lines and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from bench.compare.record_row import COLUMNS, flat
from bench.compare.record_set import StoredRecord
from bench.core.secrets import masker
from bench.dependencies import install_command
from bench.errors import PrerequisiteError
from bench.exports.csv_cells import safe
from bench.exports.plain_text import json_text


def as_csv(found: Sequence[StoredRecord]) -> bytes:
    """A header and a row a record; an empty cell is a value that is not known."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: safe(value) for name, value in flat(each).items()} for each in found)
    return out.getvalue().encode()


def as_json_lines(found: Sequence[StoredRecord]) -> bytes:
    """One object a line; `null` is a value that is not known."""
    return "".join(json_text(flat(each)) + "\n" for each in found).encode()


def as_parquet(found: Sequence[StoredRecord]) -> bytes:
    """Typed columns, the same in every file. Raises PrerequisiteError without pyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise PrerequisiteError(
            "Parquet needs pyarrow, which is not installed.",
            f"Use csv, or install it with: {install_command('parquet')}",
        ) from None
    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, (kind, _) in COLUMNS.items()])
    sink = io.BytesIO()
    mask = masker()  # no later one finds a text in here
    rows = [
        {name: mask(value) if isinstance(value, str) else value for name, value in flat(each).items()}
        for each in found
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink)
    return sink.getvalue()
