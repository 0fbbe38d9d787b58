"""When to stop repeating: the interval is narrow enough, or the time is up; never before the floor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Literal, NamedTuple

from bench.core.block import Block
from bench.core.figures import Estimate
from bench.records.figures import derive

WARMUP_ROUNDS = 3
"""Warm-up has at least so many rounds, and ends when the last so many agree."""
STEADY_SHARE = 0.03
STEADY_TICKS = 1.0
"""A round's joules are a plain difference, wrong by up to a tick: in short rounds so much is no unrest.

Rounds of 1.25 s with a tick of 100 ms agree in 96 % of cases then, and within 3 % in 29 % (simulated); with
1.5 ticks nearly all do, but 73 % of those as well that still fall by 5 % a round, in place of 31 %.
"""
STEADY_K = 1.5
"""From the first to the last of these rounds; NVML tells whole kelvins, a round's mean is finer."""


def headline(blocks: Sequence[Block]) -> Estimate | None:
    """Gross joules per unit at the headline scope over the valid blocks so far."""
    figures = derive(blocks, None)
    if figures.headline_scope is None:
        return None
    return figures.energy_per_unit_j[figures.headline_scope].gross


def verdict(
    blocks: Sequence[Block], elapsed_s: float, *, target: float, max_seconds: float, min_blocks: int
) -> Literal["target", "max_seconds"] | None:
    """What ends the repeats now, or `None` to go on. `blocks` are the measured ones, invalid included."""
    now = headline(blocks)
    if now is not None and now.n >= min_blocks:
        achieved = now.relative_half_width
        if achieved is not None and achieved <= target:
            return "target"
    if elapsed_s >= max_seconds and len(blocks) >= min_blocks:
        return "max_seconds"
    return None


def seconds_left(
    blocks: Sequence[Block], elapsed_s: float, *, target: float, max_seconds: float, min_blocks: int
) -> float | None:
    """A guess at the time still needed, from the spread so far; `None` before there is one."""
    if not blocks:
        return None
    each_s = elapsed_s / len(blocks)
    floor = max(0, min_blocks - len(blocks))
    now = headline(blocks)
    needed = floor
    if now is not None and now.n >= 2 and now.relative_half_width is not None:
        wanted = math.ceil(now.n * (now.relative_half_width / target) ** 2)
        needed = max(floor, wanted - now.n)
    return max(floor * each_s, min(needed * each_s, max_seconds - elapsed_s))


class Round(NamedTuple):
    """A warm-up round: seconds and joules an item, and the hottest metered card's mean temperature.

    `tick_share` is the slowest counter's tick as a share of the round, 0 where nothing ticks.
    """

    time_s: float
    energy_j: float | None = None
    temperature_c: float | None = None
    tick_share: float = 0.0


def steady(rounds: Sequence[Round]) -> bool:
    """Whether the last rounds neither rise nor fall, in time, energy and temperature.

    What was not seen in all of them does not count.
    """
    last = rounds[-WARMUP_ROUNDS:]
    if len(last) < WARMUP_ROUNDS:
        return False
    joules = [each.energy_j for each in last if each.energy_j is not None]
    celsius = [each.temperature_c for each in last if each.temperature_c is not None]
    unrest = max(STEADY_SHARE, STEADY_TICKS * max(each.tick_share for each in last))
    return (
        _spread([each.time_s for each in last]) <= STEADY_SHARE
        and (len(joules) < len(last) or _spread(joules) <= unrest)
        and (len(celsius) < len(last) or abs(celsius[-1] - celsius[0]) <= STEADY_K)
    )


def _spread(values: Sequence[float]) -> float:
    """Largest minus smallest over the mean."""
    return (max(values) - min(values)) / fmean(values)
