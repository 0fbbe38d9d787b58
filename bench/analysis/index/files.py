"""Which files a folder holds, and how to see that one is no longer what it was when it was read.

A stamp is what one `stat` tells: size, times of content and of inode, inode. The time of the inode moves with
every write, even one that puts the size and the time of the content back.
"""

from __future__ import annotations

import contextlib
import gc
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.analysis.sources import files

YOUNG_NS = 2_000_000_000
"""A file touched so shortly ago may be written again within the same tick of the clock: it is not trusted."""


class Stamp(NamedTuple):
    """One file, once seen: equal stamps mean equal content."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


class Seen(NamedTuple):
    """A file of a folder: its path as typed, and its stamp; none where `stat` fails or the file is young."""

    path: str
    stamp: Stamp | None


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No search for circles of garbage while 100,000 tuples are made: it took a sixth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@uncollected()
def scan(folder: Path, prefix: str) -> dict[str, Seen]:
    """All files that may be records, by their name in the index: `prefix`, then the path below the folder.

    Names that are no UTF-8 are written with backslashes there.
    """
    now_ns = time.time_ns()
    start = 0 if folder == Path() else len(os.path.join(folder, ""))
    seen = {}
    for path, status in files(folder):
        inside = path[start:].encode(errors="backslashreplace").decode()
        seen[prefix + inside] = Seen(path, _stamp(status, now_ns) if status else None)
    return seen


def _stamp(status: os.stat_result, now_ns: int) -> Stamp | None:
    if now_ns - max(status.st_mtime_ns, status.st_ctime_ns) < YOUNG_NS:
        return None
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
