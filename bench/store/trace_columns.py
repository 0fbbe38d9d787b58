"""Columns of a trace in memory: a column with few values keeps only these.

Temperature and clocks are read at a twelfth of the samples, and many a card has one kind of power only. Eight
cards of a day are 17 million samples of seven values, 1.1 GB in full and 0.6 GB so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.core.arrays import Floats


class _FewValues(NamedTuple):
    """The known values of a column, and their places in it."""

    size: int
    where: NDArray[np.int32]
    values: Floats


class Columns(Mapping[str, Floats]):
    """Columns by name; a value is `nan` where a sample has none."""

    def __init__(self, columns: Iterable[tuple[str, Floats]]) -> None:
        self._columns = {name: _packed(column) for name, column in columns}

    def __getitem__(self, name: str) -> Floats:
        packed = self._columns[name]
        if not isinstance(packed, _FewValues):
            return packed
        column = np.full(packed.size, np.nan)
        column[packed.where] = packed.values
        return column

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def _packed(column: Floats) -> Floats | _FewValues:
    where = np.flatnonzero(~np.isnan(column))
    if len(where) > len(column) / 2:
        return column
    return _FewValues(len(column), where.astype(np.int32), column[where])
