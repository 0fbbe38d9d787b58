"""The inputs that come from a metered card beside its sensor: the counter's ticks and the temperature.

A counter moves in ticks, so a plain difference lacks up to one at each edge, alike in every block: more
blocks do not lessen it (`counter_lag`). Where edges were freed of the tick, blocks state what that leaves
(`edges`). A warm chip leaks, so another start temperature would give another figure (`temperature`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean, stdev

from bench.core.block import Block
from bench.core.budget import BudgetInput
from bench.stats.budget import gum
from bench.stats.budget.evidence import (
    BOTH,
    NEITHER,
    BudgetEvidence,
    BudgetQuantity,
    is_number,
    line,
    observed,
    units,
    within,
)

PLAIN_LAG_TICKS = 0.5
"""Error of a plain difference, alike in every block that begins in idle and ends under load."""
PADDED_LAG_TICKS = 0.05
"""Rest of that error with the counter's curve carried to the edges (simulated: 0.006 to 0.03)."""
ASSUMED_TICK_S = 0.1
"""The slowest common counter, for records in which no ticks were counted."""
SLOPE_CONFIDENCE = 0.95
FEWEST_FOR_SLOPE, LEAST_RANGE_K = 4, 0.1
"""Blocks that show a slope, and kelvins between the coolest and the warmest."""
LEAKAGE_PER_K = 0.001
"""Growth of a card's power with its temperature, where it was not seen: 3 % over a rise of 30 K."""


def counter_lag(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """The counter is up to a tick behind at each edge of a block.

    Blocks begin in idle and end under load, so the lag at the end weighs more, and in the same direction
    every time: up to half a tick of joules is common to all blocks. What differs from block to block is
    seen in their spread. Readings that state the uncertainty of their own edges have that line instead.
    """
    gpus = evidence.read_from("counter")
    if not gpus or all(_states_edges(block, name) for block in evidence.blocks for name in gpus):
        return
    per_tick_j, ticks, assumed = _joules_per_tick(evidence, gpus)
    how = f"a tick of {ASSUMED_TICK_S:g} s taken" if assumed else "counted by the recorder"
    source = f"{min(ticks):.0f} to {max(ticks):.0f} ticks a block, {how}"
    padded = not evidence.read_from("counter", exactly=True)
    half_tick = PADDED_LAG_TICKS if padded else PLAIN_LAG_TICKS
    common = within(half_tick, per_tick_j, "tick")
    source = f"±{half_tick:g} tick; {source}"
    yield line(evidence, "counter lag, common", common, BOTH, source, assumed=assumed)
    if padded:
        return
    each = BudgetQuantity("B", "triangular", "tick", 1 / math.sqrt(6 * evidence.n), per_tick_j)
    yield line(
        evidence,
        "counter lag, each block",
        each,
        NEITHER,
        f"±1 tick over √{evidence.n}; {source}",
        assumed=assumed,
        reason="it is part of the run-to-run spread and counts once (GUM 4.3.10)",
    )


def _states_edges(block: Block, name: str) -> bool:
    """Whether a reading is free of the tick, with an uncertainty of its edges; a plain difference is not."""
    energy = block.energy[name]
    return energy.edge_u_j is not None and energy.source != "counter"


def edges(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """Uncertainty of the blocks' edges; a restless surrounding widens it.

    What differs from block to block is in their spread already, and counts only as far as it is more than
    that; a counter's delay is common to all of them, and √n does not reduce what is not known of it.
    """
    each = [edge_parts_j(block, evidence.gpus) for block in evidence.blocks]
    if not any(u_j for parts in each for u_j in parts):
        return
    scaled = [(o / units(b), c / units(b)) for (o, c), b in zip(each, evidence.blocks, strict=True)]
    own_j = math.hypot(*(own for own, _ in scaled)) / evidence.n
    common_j = fmean(common for _, common in scaled)
    spread_j = stdev(evidence.values_j) / math.sqrt(evidence.n) if evidence.n > 1 else 0.0
    standard = math.hypot(math.sqrt(max(0.0, own_j**2 - spread_j**2)), common_j)
    value_j = abs(evidence.value_j) or math.inf
    largest = max(math.hypot(*parts) for parts in scaled) / value_j
    source = (
        f"the edges' own uncertainty of each block, at most {largest:.2%}; over √{evidence.n}, and as far "
        f"as it is not in their spread; that of the counter's delay ({common_j / value_j:.2%}) in full"
    )
    yield line(evidence, "edges", BudgetQuantity("B", "normal", "J", standard, 1.0), BOTH, source)


def edge_parts_j(block: Block, gpus: Sequence[str]) -> tuple[float, float]:
    """A block's edge uncertainty in joules: its own part, and that which all blocks of a case share.

    A reading that states none (an older record) counts as 0.
    """
    energies = [block.energy[name] for name in gpus]
    common_j = [energy.edge_common_u_j or 0.0 for energy in energies]
    each_u_j = [energy.edge_u_j or 0.0 for energy in energies]
    # A product of numbers that cannot be is infinite, where a square raises OverflowError.
    own_j2 = sum((u - c) * (u + c) for u, c in zip(each_u_j, common_j, strict=True))
    return math.sqrt(max(0.0, own_j2)), math.hypot(*common_j)


def _joules_per_tick(evidence: BudgetEvidence, gpus: Sequence[str]) -> tuple[float, list[float], bool]:
    """Mean joules of one tick per unit of output, summed over cards; the ticks; whether any was assumed."""
    ticks: list[float] = []
    assumed = False

    def per_tick_j(block: Block) -> float:
        nonlocal assumed
        total = 0.0
        for name in gpus:
            seen = observed(block, name).counter_ticks
            if is_number(seen) and seen >= 1:
                ticks.append(float(seen))
            else:
                ticks.append(max(1.0, block.duration_s / ASSUMED_TICK_S))
                assumed = True
            total += (block.energy[name].gross_j or 0.0) / ticks[-1]
        return total / units(block)

    return evidence.mean(per_tick_j), ticks, assumed


def temperature(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """Joules a unit that rise with the card's temperature: another start would give another figure.

    Where the blocks are too few, or spread too much, to show by how much, a hot chip's leakage is assumed: a
    card that warms through all of them is taken to be as far from its end as it has come.
    """
    if not evidence.gpus:
        return
    means = [_temperature_c(evidence, block) for block in evidence.blocks]
    known = [mean for mean in means if mean is not None]
    range_k = max(known) - min(known) if known else 0.0
    told = _told_slope(known, evidence) if len(known) == len(means) else None
    source = "slope of J over the blocks' mean temperatures, and half the range of these"
    if told is not None:
        standard, dof = gum.rectangular(range_k / 2), float(evidence.n - 2)
        yield line(
            evidence,
            "temperature",
            BudgetQuantity("A", "rectangular", "K", standard, told, dof),
            BOTH,
            source,
        )
        return
    if len(known) < len(means) or range_k < LEAST_RANGE_K:
        reason = "the temperature was not seen in every block"
        if len(known) == len(means):
            reason = f"the temperature stayed within {LEAST_RANGE_K} K"
        nothing = BudgetQuantity("A", "rectangular", "K")
        yield line(evidence, "temperature", nothing, NEITHER, source, reason=reason)
        return
    per_k_j = LEAKAGE_PER_K * evidence.per_unit_j(evidence.gpus, net=False)
    source = f"±{LEAKAGE_PER_K:.1%} a kelvin, over the range of the blocks' mean temperatures"
    yield line(evidence, "temperature", within(range_k, per_k_j, "K"), BOTH, source, assumed=True)


def _told_slope(celsius: Sequence[float], evidence: BudgetEvidence) -> float | None:
    """Joules per unit and kelvin; `None` unless it differs significantly from 0 on enough blocks."""
    if len(celsius) < FEWEST_FOR_SLOPE or max(celsius) - min(celsius) < LEAST_RANGE_K:
        return None
    slope, error = _slope(celsius, evidence.values_j)
    told = abs(slope) > gum.coverage_factor(float(evidence.n - 2), SLOPE_CONFIDENCE) * error
    return slope if told else None


def _temperature_c(evidence: BudgetEvidence, block: Block) -> float | None:
    """Mean temperature of the cards during a block; `None` where one was not seen."""
    spreads = [observed(block, name).temperature_c for name in evidence.gpus]
    known = [float(spread.mean) for spread in spreads if spread and is_number(spread.mean)]
    return fmean(known) if len(known) == len(spreads) else None


def _slope(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Least-squares slope of y over x, and its standard error."""
    mean_x, mean_y = fmean(x), fmean(y)
    spread = sum((value - mean_x) ** 2 for value in x)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    left = sum((b - mean_y - slope * (a - mean_x)) ** 2 for a, b in zip(x, y, strict=True))
    return slope, math.sqrt(left / (len(x) - 2) / spread)
