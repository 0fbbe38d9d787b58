"""The length of a block that was not given: the shortest that its edges, rests and ticks allow.

A figure's interval narrows with the number of blocks, so twelve short blocks reach a target sooner than five
long ones. But each block has costs that do not shrink with it: two edges, the rest before the next block, a
fewest number of ticks. Each of these demands a length; the longest demand is taken.

    length = choose(LengthEvidence(last_round, between_s=0.8, idle_w={...}), 0.02, calibrations, None)
    length.seconds, length.demands_s                # 10.0, {"least": 5.0, "rest": 10.0, "ticks": 2.0, ...}
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bench.core.block import Block
from bench.core.calibration import Calibration
from bench.core.domain import gpus
from bench.core.repetition import FEWEST_TICKS, LONGEST_BLOCK_S, SHORTEST_BLOCK_S, BlockLength
from bench.measurement import blocks
from bench.meters.straddling_tick import UNSEEN_S, UNSEEN_SHARE
from bench.meters.ticks import USUAL_TICK_S

TICKS = 2 * FEWEST_TICKS
"""Updates of the slowest counter, twice what the rule `few ticks` asks for."""
EDGE_SHARE = 0.25
"""Share of the target that one block's edges may leave uncertain: 3 % of the interval, as squares add."""
REST_SHARE, LARGEST_REST_SHARE, REST_PER_TARGET = 0.08, 0.2, 4.0
"""Share of the time that cards may rest between blocks: 8 % up to a target of 2 %, more at a wider one.

A card that draws 3 % more when it is hot draws 0.24 % less than in lasting work where it rests for 8 %.
"""
SENSOR = "part-time sensor"


class LengthEvidence(NamedTuple):
    """Inputs of the choice of a length: the last window, the rest between blocks, idle power by domain."""

    last: Block
    between_s: float
    idle_w: Mapping[str, float]


def choose(
    evidence: LengthEvidence, target: float, cards: Iterable[Calibration | None], asked_s: float | None
) -> BlockLength:
    """The length asked for, or the longest that something demands, with all demands."""
    if asked_s is not None:
        return BlockLength(seconds=asked_s, asked=True)
    demands = demands_s(evidence, target, cards)
    return BlockLength(seconds=_longest_s(demands), asked=False, demands_s=demands)


def demands_s(
    evidence: LengthEvidence, target: float, cards: Iterable[Calibration | None]
) -> dict[str, float]:
    """The seconds that each reason asks for, by its name."""
    share = min(LARGEST_REST_SHARE, max(REST_SHARE, REST_PER_TARGET * target))
    demands = {"least": SHORTEST_BLOCK_S, "rest": evidence.between_s / share}
    if ticks := ticks_s(evidence.last):
        demands["ticks"] = TICKS * max(ticks)
        if (edges_s := _edges_s(evidence, max(ticks))) is not None:
            demands["edges"] = edges_s / (EDGE_SHARE * target)
    sources = [evidence.last.energy[name].source for name in gpus(evidence.last.energy)]
    if not all(source.startswith("counter") for source in sources):
        demands["no energy counter"] = LONGEST_BLOCK_S  # power may come half a second late
    sensors_s = [calibration.block_seconds_at_least() for calibration in cards if calibration]
    if any(sensors_s):
        demands[SENSOR] = max(seconds for seconds in sensors_s if seconds is not None)
    return demands


def _longest_s(demands: Mapping[str, float]) -> float:
    """The longest of the demands; only a sensor may ask for more than `LONGEST_BLOCK_S`."""
    others = max(seconds for name, seconds in demands.items() if name != SENSOR)
    return max(min(others, LONGEST_BLOCK_S), demands.get(SENSOR, 0.0))


def sensor_cost(length: BlockLength) -> str | None:
    """Cost of a sensor that sees part of the time, in words; `None` for other sensors."""
    if SENSOR not in length.demands_s:
        return None
    without_s = _longest_s({name: each for name, each in length.demands_s.items() if name != SENSOR})
    return (
        f"The card's sensor sees part of the time: blocks last {length.seconds:.3g} s, "
        f"where {without_s:.3g} s would do for one that sees all."
    )


def _edges_s(evidence: LengthEvidence, tick_s: float) -> float | None:
    """The edges' uncertainty of a block, in seconds of its work: as it states it, before that as expected."""
    power_w = blocks.gpu_power_w(evidence.last)
    if not power_w:
        return None
    cards = {name: evidence.last.energy[name] for name in gpus(evidence.last.energy)}
    stated_j = [energy.edge_u_j for energy in cards.values() if energy.edge_u_j is not None]
    if stated_j:
        return math.hypot(*stated_j) / power_w
    step_w = power_w - sum(evidence.idle_w.get(name, 0.0) for name in cards)
    return expected_edge_u_j(tick_s, step_w) / power_w


def expected_edge_u_j(tick_s: float, step_w: float) -> float:
    """Uncertainty of two edges before one was seen: a step in power that one side alone shows."""
    return math.sqrt(2) * step_w * (UNSEEN_S + UNSEEN_SHARE * tick_s / 2)


def ticks_s(block: Block) -> list[float]:
    """Each metered card's tick in a window, or the usual one where none was seen."""
    return [seen.counter_tick_s or USUAL_TICK_S for seen in block.observed.gpus.values()]
