"""Order of the suite: each worker begins with its share of the slow tests."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.support.order import slow_first


def item(name: str, module: str, *, slow: bool) -> pytest.Item:
    marker = object() if slow else None
    made: Any = SimpleNamespace(name=name, path=Path(module), get_closest_marker=lambda _: marker)
    return cast(pytest.Item, made)


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 30])
def test_each_stretch_begins_with_slow_tests_and_none_is_lost(workers: int) -> None:
    items = [item(f"{at}", f"m{at // 2}", slow=at % 10 < 2) for at in range(100)]
    ordered = slow_first(items, workers)
    assert sorted(ordered, key=lambda each: int(each.name)) == items
    if workers > 4:
        return
    left = list(ordered)
    for remaining in range(workers, 0, -1):
        stretch, left = left[: len(left) // remaining], left[len(left) // remaining :]
        slow = [each.get_closest_marker("slow") is not None for each in stretch]
        assert sum(slow) >= 20 // workers - 2
        assert slow == sorted(slow, reverse=True), "slow ones begin"
        paths = [each.path for each in stretch if each.get_closest_marker("slow")]
        assert all(paths.count(path) == 2 for path in paths), "those of a module stay together"
