"""The sampler's file of rows, read as it grows.

A recorder is asked every 10 ms while a caller waits, for hours in a long-lived meter. So what was read stays
in a buffer that doubles, and what would need a look at every row is kept as rows come in.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.meters import sampling

ROW = np.dtype([("t_ns", "<i8"), ("kind", "<u4"), ("index", "<u4"), ("value", "<f8", (sampling.WIDTH,))])
FEWEST = 4096


class SampleBuffer:
    """All whole rows of a file so far, oldest first.

    `counted` are the cards whose counter was ever read, `own` the sampler's first and last rows on itself.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._rows = np.empty(FEWEST, dtype=ROW)
        self._t_ns = np.empty(FEWEST, dtype=np.int64)
        self.counted: set[int] = set()
        self.own: NDArray[np.void] = np.empty(0, dtype=ROW)

    @property
    def all(self) -> NDArray[np.void]:
        """Every row read so far."""
        return self._rows[: self._count]

    @property
    def t_ns(self) -> NDArray[np.int64]:
        """Their stamps, side by side: a search in a column of `all` would copy it."""
        return self._t_ns[: self._count]

    def refresh(self) -> NDArray[np.void]:
        """Read what has been written since; every row so far."""
        size = self._path.stat().st_size if self._path.exists() else 0
        count = size // ROW.itemsize - self._count
        if count <= 0:
            return self.all
        fresh = np.fromfile(self._path, dtype=ROW, count=count, offset=self._count * ROW.itemsize)
        end = self._count + len(fresh)
        if end > len(self._rows):
            room = max(end, 2 * self._count) - self._count
            self._rows = np.concatenate([self.all, np.empty(room, dtype=ROW)])
            self._t_ns = np.concatenate([self.t_ns, np.empty(room, dtype=np.int64)])
        self._rows[self._count : end], self._t_ns[self._count : end] = fresh, fresh["t_ns"]
        self._count = end
        self._note(fresh)
        return self.all

    def _note(self, fresh: NDArray[np.void]) -> None:
        counting = (fresh["kind"] == sampling.FAST) & ~np.isnan(fresh["value"][:, 0])
        self.counted.update(np.unique(fresh["index"][counting]).tolist())
        own = np.concatenate([self.own, fresh[fresh["kind"] == sampling.SELF]])
        self.own = own[[0, -1]] if len(own) else own
