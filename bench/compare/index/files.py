"""Files of a folder, and detection of those that changed since they were read.

A stamp is the result of one `stat`: size, times of content and of inode, inode. The inode's time moves with
every write, even one that puts the size and the time of the content back.
"""

from __future__ import annotations

import contextlib
import gc
import os
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.compare.record_files import files

YOUNG_NS = 2_000_000_000
"""A file touched so shortly ago may be written again within the same tick of the clock: it is not trusted."""


class Stamp(NamedTuple):
    """One file, once seen: equal stamps mean equal content."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No search for circles of garbage while many thousand objects are made: it took a sixth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@dataclass(frozen=True)
class Scan:
    """The files of a folder, in order, column by column: as 100,000 tuples they would take twice as long."""

    paths: list[str]
    """As a person would type them."""
    columns: dict[str, Any]
    """Position, name in the index, and stamp, as arrays; `known` is false if the stamp proves nothing:
    `stat` failed, or the file is young."""

    def stamp(self, position: int) -> Stamp | None:
        """The stamp of one file, where it is known."""
        values = (int(self.columns[name][position]) for name in Stamp._fields)
        return Stamp(*values) if self.columns["known"][position] else None


@uncollected()
def scan(folder: Path, prefix: str) -> Scan:
    """All files that may be records; their name in the index is `prefix`, then the path below the folder.

    Names that are no UTF-8 are written with backslashes there.
    """
    old_ns = time.time_ns() - YOUNG_NS
    start = 0 if folder == Path() else len(os.path.join(folder, ""))
    paths, names, known = [], [], bytearray()
    sizes, mtimes, ctimes, inodes = array("q"), array("q"), array("q"), array("Q")
    for path, status in files(folder):
        inside = path[start:]
        if not inside.isascii():
            inside = inside.encode(errors="backslashreplace").decode()
        paths.append(path)
        names.append(prefix + inside)
        old = status is not None and status.st_mtime_ns <= old_ns and status.st_ctime_ns <= old_ns
        known.append(old)
        sizes.append(status.st_size if status and old else 0)
        mtimes.append(status.st_mtime_ns if status and old else 0)
        ctimes.append(status.st_ctime_ns if status and old else 0)
        inodes.append(status.st_ino if status and old else 0)
    stamps = dict(zip(Stamp._fields, map(np.array, (sizes, mtimes, ctimes, inodes)), strict=True))
    columns = {"position": np.arange(len(paths)), "name": np.array(names, dtype=object)} | stamps
    return Scan(paths, columns | {"known": np.frombuffer(known, dtype=bool)})
