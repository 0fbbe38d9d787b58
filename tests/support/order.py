"""Order in which tests begin: slow ones first, on every worker.

items[:] = slow_first(items, workers=4)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, islice

import pytest


def slow_first(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """The tests so that each worker begins with its share of the slow ones.

    A worker first gets one of as many equal stretches of the list (`--dist worksteal`). Slow tests of one
    module stay together, since they may share a fixture.
    """
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = iter([item for item in items if not item.get_closest_marker("slow")])
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    modules = [list(of_one) for _, of_one in groupby(slow, key=lambda item: item.path)]
    for module in sorted(modules, key=len, reverse=True):
        min(shares, key=len).extend(module)
    ordered: list[pytest.Item] = []
    for worker, share in enumerate(shares):
        left = len(items) - len(ordered)
        length = left // (workers - worker)
        ordered += share
        ordered += islice(others, max(0, length - len(share)))
    return [*ordered, *others]
