"""A key-value cache that stays where it is from batch to batch.

A cache made anew for each batch may be at a new address; a CUDA graph that was recorded over the old one
must then be recorded again, inside the measured window. This one is only emptied.

    cache = StaticKeyValues(model)
    model.generate(..., past_key_values=cache.emptied(batch=1, length=400))
"""

from __future__ import annotations

import math
from typing import Any

from transformers import StaticCache

LENGTH_STEP = 64
"""Lengths are rounded up to a multiple of this many tokens.

Code that was compiled for one length is compiled again for another: prompts that differ by a few tokens would
be two programs under one figure.
"""


class StaticKeyValues:
    """The cache of one model, as long as the longest batch so far has needed."""

    def __init__(self, model: Any) -> None:
        self._config = model.config
        self._cache: StaticCache | None = None
        self._shape = (0, 0)

    @property
    def length(self) -> int:
        """Capacity in tokens for each item of a batch, which attention reads whole however few are filled."""
        return self._shape[1]

    def emptied(self, batch: int, length: int) -> StaticCache:
        """The cache without content; another one where this batch or length does not fit into it."""
        length = math.ceil(length / LENGTH_STEP) * LENGTH_STEP
        if self._cache is None or batch != self._shape[0] or length > self._shape[1]:
            self._shape = (batch, max(length, self._shape[1]))
            self._cache = StaticCache(config=self._config, max_cache_len=self._shape[1])
        else:
            self._cache.reset()  # type: ignore[no-untyped-call]
        return self._cache
