"""What the meters read while a case ran, kept beside its record: the samples that its joules rest on.

    trace = read(Path("results/rtx-4090/bloom--1a2b3c4d--20260131T120000Z.json"), record)
    trace["gpu:GPU-1a2b"].column("power_instant_w")     # stamps in ns and watts

One table, a line a sample, as `traces/<record>.csv.gz`: `pandas.read_csv(path)` and duckdb open it as it is.
A cell is empty where that sample did not ask for the value or had no answer. Stamps are CLOCK_MONOTONIC, as
in the record's blocks. Both records of a pair have a trace each, so that either can be passed on alone; they
overlap, as both cases took turns on the same cards. The same samples always give the same bytes.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.arrays import Floats
from bench.core.record import Record
from bench.errors import RecordError
from bench.store.results import write_atomically

Stamps = NDArray[np.int64]

FOLDER = "traces"
VALUES = (
    "energy_j",
    "power_instant_w",
    "power_average_w",
    "temperature_c",
    "sm_clock_mhz",
    "memory_clock_mhz",
    "throttle_mask",
)
HEADER = ("t_ns", "domain", *VALUES)
LARGEST_BYTES = 1_000_000_000
"""Of a trace unpacked: a day of eight cards. What is larger was not written here."""
PIECE = 100_000
"""Rows made into numbers at once: as text, each takes a kilobyte of memory."""


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


def write(path: Path, trace: Trace) -> None:
    """Write a trace whole or not at all, making its folder. Raises OSError."""
    lines = [",".join(HEADER)]
    for samples in trace.values():
        columns = [map(_text, samples.values[name].tolist()) for name in VALUES]
        for t_ns, *cells in zip(samples.t_ns.tolist(), *columns, strict=True):
            lines.append(f"{t_ns},{samples.domain},{','.join(cells)}")
    packed = gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, packed)


def _text(value: float) -> str:
    """All of a number, in as few digits as that takes; nothing for `nan`."""
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() else repr(value)


def read(record_path: Path, record: Record) -> Trace | None:
    """The trace of the record in this file; `None` where it kept none. Raises RecordError in one sentence,
    MissingTraceError where the file is missing.

    A record may come from another user: a trace is read only from the record's own folder.
    """
    if record.trace is None:
        return None
    folder = record_path.parent
    try:
        path = Path(os.path.realpath(folder / record.trace))
    except ValueError as error:
        raise RecordError(
            f"{record_path}: its trace {record.trace!r} is not a valid file name: {error}."
        ) from error
    if not path.is_relative_to(os.path.realpath(folder)):
        raise RecordError(f"{record_path}: its trace {record.trace!r} is not beside it.")
    if not os.path.isfile(path):  # unlike Path.is_file no error for a name that is too long
        raise MissingTraceError(f"{record_path}: its trace {record.trace} is not there.", "Copy it along.")
    try:
        return _parsed(_unpacked(path))
    except MemoryError as error:
        raise RecordError(f"{folder / record.trace}: this machine has no memory to read it.") from error
    except (OSError, EOFError, ValueError, OverflowError, zlib.error) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise RecordError(f"{folder / record.trace}: not a whole trace: {reason}.") from error


def _unpacked(path: Path) -> str:
    """Raises OSError, EOFError, ValueError or zlib.error."""
    with gzip.open(path) as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"it is larger than {LARGEST_BYTES:,} bytes")
    return content.decode()


def _parsed(text: str) -> Trace:
    """The samples of a table. Raises ValueError, or OverflowError for a stamp beyond 64 bits."""
    head, _, rest = text.partition("\n")
    if tuple(head.split(",")) != HEADER:
        raise ValueError(f"its columns are not {', '.join(HEADER)}")
    if rest and not rest.endswith("\n"):
        raise ValueError("its last line has no end")
    rows = rest.splitlines()
    wrong = next((n for n, row in enumerate(rows, 2) if row.count(",") != len(HEADER) - 1), None)
    if wrong is not None:
        raise ValueError(f"line {wrong} has not {len(HEADER)} cells")
    names: dict[str, int] = {}
    pieces = [_columns(rows[at : at + PIECE], names) for at in range(0, max(1, len(rows)), PIECE)]
    t_ns, domains, *columns = (np.concatenate(column) for column in zip(*pieces, strict=True))
    values = dict(zip(VALUES, columns, strict=True))
    found = {}
    for domain, number in names.items():
        mine = domains == number
        found[domain] = Samples(domain, t_ns[mine], {name: column[mine] for name, column in values.items()})
        if np.any(np.diff(found[domain].t_ns) < 0):
            raise ValueError(f"the samples of {domain} are not in time")
    return found


def _columns(rows: Sequence[str], names: dict[str, int]) -> tuple[Any, ...]:
    """Some rows as columns, a domain as its number in `names`, which learns new ones. Raises ValueError."""
    cells = [cell for row in rows for cell in row.split(",")]
    t_ns, domains, *others = (cells[number :: len(HEADER)] for number in range(len(HEADER)))
    numbered = np.array([names.setdefault(domain, len(names)) for domain in domains], dtype=np.int32)
    return np.array(t_ns, dtype=np.int64), numbered, *map(_numbers, others)


def _numbers(cells: Sequence[str]) -> Floats:
    """Numbers, and `nan` for empty cells alone: one that is written out shows a file of another program."""
    numbers = np.array([cell or "nan" for cell in cells], dtype=np.float64)
    empty = sum(not cell for cell in cells)
    if np.count_nonzero(np.isfinite(numbers)) != len(cells) - empty:
        raise ValueError("a cell has no number")
    return numbers
