"""The sampler's file of rows, read where a window needs them and never kept.

    rows = SampleBuffer(path)
    rows.refresh()                                     # number of whole rows written so far
    rows.read(rows.find(start_ns), rows.find(end_ns))  # those of a window

A day of eight cards is 16 million rows, 0.9 GB. A recorder is asked every 10 ms while a caller waits, so each
row is looked at once as it comes in, for what would need a look at every row later.
"""

from __future__ import annotations

import bisect
import os
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import SupportsIndex, overload

import numpy as np
from numpy.typing import NDArray

from bench.meters import sampling

ROW = np.dtype([("t_ns", "<i8"), ("kind", "<u4"), ("index", "<u4"), ("value", "<f8", (sampling.WIDTH,))])
MOST_AT_ONCE = 65536
"""Rows that are looked at together, 3.7 MB, also after hours without a question."""


class SampleBuffer:
    """All whole rows of a file so far, oldest first.

    `counted` are the cards whose counter was ever read, `own` the sampler's first and last rows on itself.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._looking = threading.Lock()
        self.count = 0
        self.counted: set[int] = set()
        self.own: NDArray[np.void] = np.empty(0, dtype=ROW)

    def refresh(self) -> int:
        """Look at what has been written since; number of rows so far.

        An agent answers in several threads: two at once would count the same rows twice.
        """
        with self._looking:
            if self._file is None:
                if not self._path.exists():
                    return 0
                self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
                weakref.finalize(self, os.close, self._file)
            written = os.fstat(self._file).st_size // ROW.itemsize
            while self.count < written:
                fresh = self.read(self.count, min(written, self.count + MOST_AT_ONCE))
                self._note(fresh)
                self.count += len(fresh)
            return self.count

    def read(self, low: int, high: int) -> NDArray[np.void]:
        """Rows from one number to another."""
        if self._file is None or high <= low:
            return np.empty(0, dtype=ROW)
        content = os.pread(self._file, (high - low) * ROW.itemsize, low * ROW.itemsize)
        return np.frombuffer(content, dtype=ROW)

    def find(self, t_ns: int) -> int:
        """Number of the first row that is stamped then or later."""
        return bisect.bisect_left(_Stamps(self), t_ns)

    def _note(self, fresh: NDArray[np.void]) -> None:
        counting = (fresh["kind"] == sampling.FAST) & ~np.isnan(fresh["value"][:, 0])
        self.counted.update(np.unique(fresh["index"][counting]).tolist())
        own = np.concatenate([self.own, fresh[fresh["kind"] == sampling.SELF]])
        self.own = own[[0, -1]] if len(own) else own


class _Stamps(Sequence[int]):
    """Stamps of the rows, each read when it is asked for: a search reads 24 of 16 million."""

    def __init__(self, rows: SampleBuffer) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return self._rows.count

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> int | Sequence[int]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = int(index)
        return int(self._rows.read(number, number + 1)["t_ns"][0])
