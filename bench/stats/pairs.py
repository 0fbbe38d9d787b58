"""The ratio of two cases that were measured in turns on one machine.

What drifts while they run (temperature, the voltage of the supply, a neighbour) then falls on both: under a
drift of 2 % blocks in the order AABB err by 1.06 %, in the order ABBA by nothing. So the blocks come in
fours, ABBA or BAAB by chance, each half of a four is a pair, and what is estimated is the mean logarithm
of B over A.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from bench.core.block import Block
from bench.core.figures import Estimate
from bench.stats.figures import counting, estimate

LEAST = 6
"""Pairs that a ratio rests on at least: enough for a difference of 2 % where pairs spread by 1.2 %."""
FOURS: tuple[tuple[Literal["A", "B"], ...], ...] = (("A", "B", "B", "A"), ("B", "A", "A", "B"))


def sides(chance: random.Random) -> Iterator[Literal["A", "B"]]:
    """Fours without end, each ABBA or BAAB by chance."""
    while True:
        yield from chance.choice(FOURS)


def ratio(a: Sequence[Block], b: Sequence[Block], order: str) -> Estimate | None:
    """Gross joules per unit of B over A at the headline's scope, with a 95 % interval; `None` without pairs.

    `a` and `b` are the measured blocks in time, `order` the sides of all of them.
    """
    logs = log_ratios(a, b, order, _joules_per_unit)
    if not logs:
        return None
    found = estimate(logs)
    low, high = (None if edge is None else math.exp(edge) for edge in (found.low, found.high))
    return Estimate(value=math.exp(found.value), low=low, high=high, n=found.n)


def log_ratios(
    a: Sequence[Block], b: Sequence[Block], order: str, value: Callable[[Block], float | None]
) -> list[float]:
    """ln(B/A) of each pair's values. A pair with a block that has none, or none above 0, is left out."""
    queues = {"A": iter(a), "B": iter(b)}
    in_time = [(side, next(queues[side])) for side in order]
    logs = []
    for first, second in zip(in_time[::2], in_time[1::2], strict=False):
        pair = dict((first, second))
        found = {side: value(block) or 0.0 for side, block in pair.items()}
        if len(pair) == 2 and found["A"] > 0 and found["B"] > 0:
            logs.append(math.log(found["B"] / found["A"]))
    return logs


def _joules_per_unit(block: Block) -> float | None:
    """Gross joules per unit at the innermost scope that is metered."""
    if not counting([block]):
        return None
    gross_j = block.joules(block.scope).gross_j
    return gross_j / block.units if gross_j is not None and gross_j > 0 and block.units else None
