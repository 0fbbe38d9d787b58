"""Front of joules and seconds: what no other takes fewer joules for in no more time.

on_front((412.0, 3.1), [(412.0, 3.1), (300.0, 5.0)])        # True
"""

from __future__ import annotations

from collections.abc import Iterable

Costs = tuple[float, float]
"""Joules and seconds, each the less the better."""


def on_front(mine: Costs, all_of_them: Iterable[Costs]) -> bool:
    """Whether no other is as low in both and lower in one."""
    return not any(j <= mine[0] and s <= mine[1] and (j, s) != mine for j, s in all_of_them)
