"""Traces: what the meters read while a case ran, as the samples from which its joules can be computed again.

    trace = read(Path("results/rtx-4090/bloom--1a2b3c4d--20260131T120000Z.json"), record)
    trace["gpu:GPU-1a2b"].column("power_instant_w")     # stamps in ns and watts

One table, a row a sample, as `traces/<record>.parquet`: `pandas.read_parquet` and duckdb open it as it is. A
value is NULL where that sample did not ask for it or had no answer. Stamps are CLOCK_MONOTONIC, as in the
record's blocks. Each record of a pair has a trace, so that either can be passed on alone; they overlap,
because both cases took turns on the same cards. The same samples in the same pieces give the same bytes. A
trace is written a piece at a time, so that one of days needs no more memory than one of minutes.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from bench.core.arrays import Floats
from bench.core.record import Record
from bench.core.untrusted import inside
from bench.errors import RecordError
from bench.store.results import replacing
from bench.store.trace_columns import Columns

Stamps = NDArray[np.int64]

FOLDER = "traces"
SUFFIX = ".parquet"
VALUES = (
    "energy_j",
    "power_instant_w",
    "power_average_w",
    "temperature_c",
    "sm_clock_mhz",
    "memory_clock_mhz",
    "throttle_mask",
)
COLUMNS = {"t_ns": "BIGINT", "domain": "VARCHAR", **dict.fromkeys(VALUES, "DOUBLE")}
UNFINISHED = f".*{SUFFIX}.*.tmp"
"""Names of what a killed process was writing."""
DUCKDB_MEMORY = "200MB"
"""For the row groups of 122,880 samples that DuckDB writes and reads; pieces are read from disk."""
CELLS_AT_ONCE = 2_000_000
"""Values that are read by one query, 18 MB: all columns of an hour, one of a day."""
MOST_ROWS = 50_000_000
"""Of a trace that is read: two days of eight cards. A larger one was not written here."""
MOST_CELLS = 1_000_000_000
"""Rows times domains: each domain is looked for in all rows. Two days of eight cards have half of it."""


class MissingTraceError(RecordError):
    """A record names a trace that is not beside it: records are passed around without."""


@dataclass(frozen=True)
class Samples:
    """One domain's samples in time; a value is `nan` where a sample has none."""

    domain: str
    t_ns: Stamps
    values: Mapping[str, Floats]

    def column(self, name: str) -> tuple[Stamps, Floats]:
        """Stamps and values of the samples that have this value."""
        known = ~np.isnan(self.values[name])
        return self.t_ns[known], self.values[name][known]


Trace = Mapping[str, Samples]
"""Samples by domain."""


@contextmanager
def _connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of its own, with one thread: rows keep their order, and equal samples give equal bytes."""
    config = {"threads": 1, "memory_limit": DUCKDB_MEMORY, "temp_directory": ""}
    with duckdb.connect(config=config) as connection:
        yield connection


def write(path: Path, samples: Iterable[Samples]) -> None:
    """Write a trace whole or not at all, making its folder. Raises OSError.

    A domain's samples may come in several pieces, in time and one after the other. There has to be one.
    """
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as temporary, _connected() as connection, _folder_of_pieces(path) as folder:
        try:
            pieces = []
            for number, piece in enumerate(samples):
                pieces.append(folder / f"{number}{SUFFIX}")
                _copy(connection, _selected(connection, piece), pieces[-1])
            files = ", ".join(_quoted(str(piece)) for piece in pieces)
            _copy(connection, f"SELECT * FROM read_parquet([{files}])", temporary)
        except duckdb.Error as error:
            raise _os_error(error) from error


@contextmanager
def _folder_of_pieces(path: Path) -> Iterator[Path]:
    """A folder beside the trace, whose disk has room for it; named so that `UNFINISHED` finds it."""
    folder = tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed process was writing into a folder of traces. Raises OSError."""
    for left in folder.glob(UNFINISHED):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    connection.execute(f"COPY ({query}) TO {_quoted(str(file))} (FORMAT parquet, COMPRESSION zstd)")


def _os_error(error: duckdb.Error) -> OSError:
    """The system's error behind one of DuckDB's, which has its number as text, if at all."""
    number = re.search(r'"errno":"(\d+)"', str(error))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else OSError(_first_line(error))


def _selected(connection: duckdb.DuckDBPyConnection, samples: Samples) -> str:
    """A query for the rows of a piece, whose arrays DuckDB reads where they are."""
    connection.register("piece", {"t_ns": samples.t_ns, **samples.values})
    values = ", ".join(f"CASE WHEN NOT isnan({value}) THEN {value} END AS {value}" for value in VALUES)
    return f"SELECT t_ns, {_quoted(samples.domain)} AS domain, {values} FROM piece"


def read(record_path: Path, record: Record) -> Trace | None:
    """The trace of the record in this file; `None` where it kept none. Raises RecordError in one sentence,
    MissingTraceError where the file is missing.

    Records come from other people: a trace is read only from inside its record's folder.
    """
    if record.trace is None:
        return None
    folder = record_path.parent
    try:
        path = inside(folder, record.trace)
    except ValueError as error:
        raise RecordError(
            f"{record_path}: its trace {record.trace!r} is not a file name: {error}."
        ) from error
    if path is None:
        raise RecordError(f"{record_path}: its trace {record.trace!r} is not beside it.")
    if not os.path.isfile(path):  # unlike Path.is_file no error for a name that is too long
        raise MissingTraceError(f"{record_path}: its trace {record.trace} is not there.", "Copy it along.")
    try:
        with _connected() as connection:
            return _parsed(connection, path)
    except MemoryError as error:
        raise RecordError(f"{folder / record.trace}: this machine has no memory to read it.") from error
    except (OSError, ValueError, duckdb.Error) as error:
        raise RecordError(f"{folder / record.trace}: not a whole trace: {_first_line(error)}.") from error


def _first_line(error: Exception) -> str:
    """The first line of DuckDB's or the system's message."""
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


def _parsed(connection: duckdb.DuckDBPyConnection, path: Path) -> Trace:
    """The samples of a Parquet file. Raises ValueError, or duckdb.Error where the file is not Parquet."""
    file = f"read_parquet({_quoted(str(path))}, file_row_number = true)"
    described = connection.execute(f"DESCRIBE SELECT * EXCLUDE file_row_number FROM {file}").fetchall()
    if {name: kind for name, kind, *_ in described} != COLUMNS:
        raise ValueError(f"its columns are not {', '.join(COLUMNS)}")
    # From the footer: to count a billion equal rows, which are a few kilobytes, takes minutes.
    (stated,) = connection.execute(
        f"SELECT sum(num_rows) FROM parquet_file_metadata({_quoted(str(path))})"
    ).fetchone() or (0,)
    if stated > MOST_ROWS:
        raise ValueError(f"it has more than {MOST_ROWS:,} samples")
    counts = connection.execute(
        f"SELECT domain, count(*), count(t_ns) FROM {file} GROUP BY domain ORDER BY min(file_row_number)"
    ).fetchall()
    if stated * len(counts) > MOST_CELLS:
        raise ValueError(f"it has too many domains, {len(counts):,}, for its {stated:,} samples")
    if any(domain is None or rows != stamps for domain, rows, stamps in counts):
        raise ValueError("a sample has no stamp or no domain")
    return {domain: _samples(connection, file, domain, rows) for domain, rows, _ in counts}


def _samples(connection: duckdb.DuckDBPyConnection, file: str, domain: str, count: int) -> Samples:
    """One domain's rows, in the order of the file. Raises ValueError where they are not in time."""

    def columns(*names: str) -> dict[str, Any]:
        selected = f"SELECT {', '.join(names)} FROM {file} WHERE domain = ?"
        found: dict[str, Any] = connection.execute(selected, [domain]).fetchnumpy()
        return found

    t_ns = np.asarray(columns("t_ns")["t_ns"], dtype=np.int64)
    if np.any(np.diff(t_ns) < 0):
        raise ValueError(f"the samples of {domain} are not in time")
    together = max(1, CELLS_AT_ONCE // max(1, count))
    groups = [VALUES[begin : begin + together] for begin in range(0, len(VALUES), together)]
    cells = ((name, _numbers(column)) for group in groups for name, column in columns(*group).items())
    return Samples(domain, t_ns, Columns(cells))


def _numbers(cells: np.ma.MaskedArray[Any, np.dtype[np.float64]] | Floats) -> Floats:
    """Numbers, and `nan` for NULL alone: one that is written out was not written here. Raises ValueError."""
    if not np.all(np.isfinite(np.ma.compressed(cells))):
        raise ValueError("a value is not finite")
    return np.asarray(np.ma.filled(cells, np.nan), dtype=np.float64)


def _quoted(text: str) -> str:
    """A text as SQL."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
