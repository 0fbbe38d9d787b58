"""The inputs that come from a metered card: its gain, its counter, its sensor, its temperature.

Cards of one machine are taken to err alike, so their joules are summed before they are multiplied: a gain
common to all of them is not averaged away by their number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from statistics import fmean

from bench.records.budget import gum
from bench.records.budget.evidence import (
    ABSOLUTE,
    BOTH,
    NEITHER,
    Evidence,
    Quantity,
    is_number,
    line,
    observed,
    units,
    within,
)
from bench.records.schema import Block, BudgetInput

YANG = "Yang et al. 2023, arXiv:2312.02741"

GAIN_HALF_WIDTH = 0.05
"""What NVIDIA states for boards that it states anything of. Cards can err more: see docs/metering.md."""
OFFSET_HALF_WIDTH = 0.0245
"""Between 200 W and 350 W one card's error changes by up to 4.9 points: half for each of two figures."""
PLAIN_LAG_TICKS = 0.5
"""What a plain difference misses alike in every block that begins in idle and ends under load."""
PADDED_LAG_TICKS = 0.05
"""What is left of that where the counter's curve was carried to the edges (simulated: 0.006 to 0.03)."""
ASSUMED_TICK_S = 0.1
"""The slowest common counter, for records in which no ticks were counted."""
PART_TIME_AT_1_S = 0.05
"""Relative standard error of 1 s seen by a sensor that watches part of the time; it falls with √time."""
PART_TIME_CARDS = {"A100": 0.25, "H100": 0.25, "H200": 0.25, "GH200": 0.25, "V100": 0.50}
"""Share of the time that the power sensor sees. H200 and GH200 are taken to be as the H100."""
INTEGRATION_DELAY_S = 0.5
"""Sampled power is late by up to this: half of the 1 s average that is some cards' only power."""
SLOPE_CONFIDENCE = 0.95


def sensor_gain(evidence: Evidence) -> Iterator[BudgetInput]:
    """The card's gain error: one number a card, so repeats never average it away."""
    if evidence.gpus:
        gain = within(GAIN_HALF_WIDTH, evidence.per_unit_j(evidence.gpus))
        source = f"±{GAIN_HALF_WIDTH:.0%}: NVML's documentation of nvmlDeviceGetPowerUsage; {YANG}"
        yield line(evidence, "sensor gain", gain, ABSOLUTE, source)


def sensor_offset(evidence: Evidence) -> Iterator[BudgetInput]:
    """What a card's error differs by from one power to another; it cancels only at like power.

    Net is reckoned with the gross power too: idle is one such other power, so subtracting it does not help.
    """
    if evidence.gpus:
        offset = within(OFFSET_HALF_WIDTH, evidence.per_unit_j(evidence.gpus, net=False))
        source = f"±{OFFSET_HALF_WIDTH:.2%}: half of what is left on one card, 200 W against 350 W; {YANG}"
        yield line(evidence, "offset at other power", offset, ABSOLUTE, source)


def counter_lag(evidence: Evidence) -> Iterator[BudgetInput]:
    """The counter is up to a tick behind at each edge of a block.

    Blocks begin in idle and end under load, so the lag at the end weighs more, and in the same direction
    every time: up to half a tick of joules is common to all blocks. What differs from block to block is
    seen in their spread.
    """
    gpus = evidence.read_from("counter")
    if not gpus:
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
    each = Quantity("B", "triangular", "tick", 1 / math.sqrt(6 * evidence.n), per_tick_j)
    yield line(
        evidence,
        "counter lag, each block",
        each,
        NEITHER,
        f"±1 tick over √{evidence.n}; {source}",
        assumed=assumed,
        reason="it is part of the run-to-run spread and counts once (GUM 4.3.10)",
    )


def _joules_per_tick(evidence: Evidence, gpus: Sequence[str]) -> tuple[float, list[float], bool]:
    """Mean joules of one tick per unit of output, summed over cards; the ticks; whether any was assumed."""
    ticks: list[float] = []
    assumed = False

    def per_tick_j(block: Block) -> float:
        nonlocal assumed
        total = 0.0
        for name in gpus:
            seen = observed(block, name).get("counter_ticks")
            if is_number(seen) and seen >= 1:
                ticks.append(float(seen))
            else:
                ticks.append(max(1.0, block.duration_s / ASSUMED_TICK_S))
                assumed = True
            total += (block.energy[name].gross_j or 0.0) / ticks[-1]
        return total / units(block)

    return evidence.mean(per_tick_j), ticks, assumed


def power_delay(evidence: Evidence) -> Iterator[BudgetInput]:
    """Where a card has no counter its power is added up, and comes late by an unknown part of a second."""
    gpus = evidence.read_from("power-integration")
    if gpus:

        def per_second_j(block: Block) -> float:
            return sum(block.energy[name].gross_j or 0.0 for name in gpus) / units(block) / block.duration_s

        delay = within(INTEGRATION_DELAY_S, evidence.mean(per_second_j), "s")
        source = f"±{INTEGRATION_DELAY_S:g} s: no energy counter; how late sampled power may come"
        yield line(evidence, "delay of power", delay, BOTH, source, assumed=True)


def part_time_sensor(evidence: Evidence) -> Iterator[BudgetInput]:
    """A sensor that sees part of the time samples the load. Which do is known by the card's name alone.

    It enters beside the run-to-run spread, because a load in step with the sensor errs alike in every block.
    """
    if not evidence.gpus:
        return
    names = {domain: evidence.gpu_names.get(domain, "a card without a name") for domain in evidence.gpus}
    shares = {domain: share for domain, name in names.items() if (share := share_seen(name))}
    if not shares:
        reason = f"no such sensor is known of {', '.join(sorted(set(names.values())))}"
        unknown = Quantity("B", "normal", "1")
        yield line(evidence, "part-time sensor", unknown, NEITHER, f"card's name; {YANG}", reason=reason)
        return
    n, block_s = evidence.n, evidence.block_s
    standard = PART_TIME_AT_1_S / math.sqrt(block_s * n)
    sampled = Quantity("B", "normal", "1", standard, evidence.per_unit_j(list(shares), net=False))
    seen = ", ".join(sorted({f"{names[domain]} sees about {share:.0%}" for domain, share in shares.items()}))
    source = f"5 %/√{block_s:.3g}/√{n}; by its name {seen} of the time, {YANG}"
    yield line(evidence, "part-time sensor", sampled, BOTH, source, assumed=True)


def share_seen(card: str) -> float | None:
    """The share of the time that this kind of card's sensor sees; `None` where no gap is known of it."""
    for kind, share in PART_TIME_CARDS.items():
        if re.search(rf"\b{kind}\b", card):
            return share
    return None


def temperature(evidence: Evidence) -> Iterator[BudgetInput]:
    """Joules a unit that rise with the card's temperature: another start would give another figure."""
    if not evidence.gpus:
        return
    source = "slope of J over the blocks' mean temperatures, and half the range of these"
    quantity = Quantity("A", "rectangular", "K")
    reason: str | None = None
    means = [_temperature_c(evidence, block) for block in evidence.blocks]
    known = [mean for mean in means if mean is not None]
    if len(known) < len(means):
        reason = "the temperature was not seen in every block"
    elif len(known) < 4:
        reason = "fewer than 4 blocks show no slope"
    elif max(known) - min(known) < 0.1:
        reason = "the temperature stayed within 0.1 K"
    else:
        slope, error = _slope(known, evidence.values_j)
        standard, dof = gum.rectangular((max(known) - min(known)) / 2), float(evidence.n - 2)
        quantity = Quantity("A", "rectangular", "K", standard, slope, dof)
        if abs(slope) <= gum.coverage_factor(dof, SLOPE_CONFIDENCE) * error:
            reason = "the slope cannot be told from none"
    enters = NEITHER if reason else BOTH
    yield line(evidence, "temperature", quantity, enters, source, reason=reason)


def _temperature_c(evidence: Evidence, block: Block) -> float | None:
    """Mean temperature of the cards during a block; `None` where one was not seen."""
    spans = [observed(block, name).get("temperature_c") for name in evidence.gpus]
    means = [span.get("mean") if isinstance(span, dict) else None for span in spans]
    known = [float(mean) for mean in means if is_number(mean)]
    return fmean(known) if len(known) == len(means) else None


def _slope(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Least-squares slope of y over x, and its standard error."""
    mean_x, mean_y = fmean(x), fmean(y)
    spread = sum((value - mean_x) ** 2 for value in x)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    left = sum((b - mean_y - slope * (a - mean_x)) ** 2 for a, b in zip(x, y, strict=True))
    return slope, math.sqrt(left / (len(x) - 2) / spread)
