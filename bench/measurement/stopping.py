"""Stopping rules of warm-up and of repeats: an interval narrow enough, or time is up.

Looking at an interval after every block, and stopping as soon as it is narrow, favours blocks that agree by
chance. It costs little: the t interval covers 92.2 to 95.2 % then (normal blocks, spread 0.3 to 3 %, targets
0.5 to 2 %; `scripts/accuracy/stopping.py`). Stricter rules for few blocks lift the worst of these by a point
and lower typical ones by as much, with a third more blocks: docs/log.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, NamedTuple

from bench.core.block import Block
from bench.core.domain import gpus
from bench.core.figures import Estimate
from bench.stats.budget.cards import edge_parts_j
from bench.stats.figures import counting, headline_gross

COVERED = 1.96
"""Coverage factor of a 95 % interval."""
WARMUP_ROUNDS = 3
"""Fewest rounds of warm-up; it ends when the last `WARMUP_ROUNDS` agree."""
STEADY_SHARE = 0.03
STEADY_TICKS = 1.0
"""A round's joules are a plain difference, wrong by up to a tick: in short rounds this much is not drift.

Rounds of 1.25 s with a tick of 100 ms agree in 96 % of cases then, and within 3 % in 29 % (simulated); with
1.5 ticks nearly all do, but 73 % of those as well that still fall by 5 % a round, in place of 31 %.
"""
SLOPE_S, SLOPE_ROUNDS = 15.0, 3
"""Time over which temperature is compared, and the number of rounds where these are shorter."""
STEADY_K_PER_S, STEADY_K, USUAL_TARGET = 0.06, 1.0, 0.02
"""Slope of a warm card at the usual target, and in proportion at a wider one; and what is never taken for a
slope: NVML reports whole kelvins, so a card at rest between two of them may seem to move by one.

A heat sink of 60 s that still gains 0.06 K/s will gain 3.6 K; at 0.1 % more power a kelvin that is 0.36 %, of
which blocks of a minute see two thirds.
"""


@dataclass(frozen=True)
class StopLimits:
    """Target of the headline's relative half width, longest time, and fewest blocks of the repeats."""

    target: float
    max_seconds: float
    min_blocks: int


def headline(blocks: Sequence[Block]) -> Estimate | None:
    """Gross joules per unit at the headline scope over the valid blocks so far."""
    return headline_gross(blocks)


def half_width(blocks: Sequence[Block]) -> float | None:
    """Relative half width of the headline's 95 % interval.

    The spread of the blocks includes the uncertainty of their edges, where that differs from block to block.
    Few blocks may agree by chance all the same, so it is never less than what the edges alone leave; what all
    blocks share of that is never in their spread.
    """
    now = headline(blocks)
    relative = now.relative_half_width if now is not None else None
    if relative is None:
        return None
    own, common = edges_u(counting(blocks))
    return math.hypot(max(relative, COVERED * own), COVERED * common)


def edges_u(used: Sequence[Block]) -> tuple[float, float]:
    """Relative standard uncertainties of the mean that the blocks' edges leave: their own, the common one."""
    cards = [gpus(block.energy) for block in used]
    parts = [edge_parts_j(block, names) for block, names in zip(used, cards, strict=True)]
    joules = math.fsum(
        block.energy[name].gross_j or 0.0 for block, names in zip(used, cards, strict=True) for name in names
    )
    if not joules:
        return 0.0, 0.0
    return math.hypot(*(own for own, _ in parts)) / joules, math.fsum(common for _, common in parts) / joules


def ended_by(
    blocks: Sequence[Block], elapsed_s: float, limits: StopLimits
) -> Literal["target", "max_seconds"] | None:
    """Reason to end the repeats now, or `None` to go on. `blocks` are the measured ones, invalid included."""
    relative = half_width(blocks)
    if len(counting(blocks)) >= limits.min_blocks and relative is not None and relative <= limits.target:
        return "target"
    if elapsed_s >= limits.max_seconds and len(blocks) >= limits.min_blocks:
        return "max_seconds"
    return None


def seconds_left(blocks: Sequence[Block], elapsed_s: float, limits: StopLimits) -> float | None:
    """A guess at the time still needed, from the spread so far; `None` before there is one."""
    if not blocks:
        return None
    each_s = elapsed_s / len(blocks)
    floor = needed = max(0, limits.min_blocks - len(blocks))
    n, relative = len(counting(blocks)), half_width(blocks)
    if relative is not None:
        needed = max(floor, math.ceil(n * (relative / limits.target) ** 2) - n)
    return max(floor * each_s, min(needed * each_s, limits.max_seconds - elapsed_s))


class WarmupRound(NamedTuple):
    """A warm-up round: seconds and joules an item, and the hottest metered card's mean temperature.

    `tick_share` is the slowest counter's tick as a share of the round, 0 where nothing ticks; `middle_s` is
    the moment of its middle, `seconds` its length.
    """

    time_s: float
    energy_j: float | None = None
    temperature_c: float | None = None
    tick_share: float = 0.0
    middle_s: float = 0.0
    seconds: float = 0.0


def steady(rounds: Sequence[WarmupRound], target: float = USUAL_TARGET) -> bool:
    """Whether the last rounds neither rise nor fall, in time, energy and temperature.

    What was not seen in all of them does not count.
    """
    last = rounds[-WARMUP_ROUNDS:]
    if len(last) < WARMUP_ROUNDS:
        return False
    joules = [each.energy_j for each in last if each.energy_j is not None]
    unrest = max(STEADY_SHARE, STEADY_TICKS * max(each.tick_share for each in last))
    return (
        _spread([each.time_s for each in last]) <= STEADY_SHARE
        and (len(joules) < len(last) or _spread(joules) <= unrest)
        and _evenly_warm(rounds, target)
    )


def _evenly_warm(rounds: Sequence[WarmupRound], target: float) -> bool:
    """Whether the temperature stayed, over time enough to see a slow heat sink move."""
    last = rounds[-1]
    if any(each.temperature_c is None for each in rounds[-WARMUP_ROUNDS:]):
        return True
    wanted_s = min(SLOPE_S, SLOPE_ROUNDS * last.seconds)
    for first in reversed(rounds[: 1 - WARMUP_ROUNDS]):
        span_s = last.middle_s - first.middle_s
        if span_s >= wanted_s and first.temperature_c is not None and last.temperature_c is not None:
            allowed_k = STEADY_K_PER_S * span_s * max(1.0, target / USUAL_TARGET)
            return abs(last.temperature_c - first.temperature_c) <= max(STEADY_K, allowed_k)
    return False


def _spread(values: Sequence[float]) -> float:
    """Largest minus smallest over the mean."""
    return (max(values) - min(values)) / fmean(values)
