"""The inputs of a budget, one function each: what is not known, by how much, and how it is known.

An input that does not apply to a record is left out, or is a line that enters no result, with the reason. An
unknown one that applies is a line of `null` that enters, and makes the result `null`. What is common to all
blocks (gain, offset, lag of the counter, idle power, models) is not reduced by √n and is added once.

Energies are those between the edges of the blocks that count, in joules per unit of output.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from statistics import stdev

from bench.core.block import Block, Idle
from bench.core.budget import BudgetInput
from bench.core.domain import RAM_ESTIMATE
from bench.core.energy import DomainEnergy
from bench.stats.budget import cards, gains, gum, nodes, sensors
from bench.stats.budget.evidence import (
    ABSOLUTE,
    BOTH,
    NEITHER,
    BudgetEvidence,
    BudgetQuantity,
    line,
    units,
    within,
)
from bench.stats.independent import independent

ASSUMED_IDLE_DRIFT = 0.10
"""Of the idle power, where it was looked at only once."""
RESTING_POWER_HALF_WIDTH = 0.20
"""Of the power right after a block, in the rests between its batches: clocks fall within seconds."""
ESTIMATE_HALF_WIDTHS = {RAM_ESTIMATE: 0.30}
OTHER_ESTIMATE_HALF_WIDTH = 0.50
"""A processor's power from its rated power and load, and any model not listed above."""


def run_to_run(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """The spread of the blocks: everything that differs from one to the next, the sensor's noise included."""
    values_j = independent(evidence.blocks, evidence.values_j)
    n, of = len(values_j), "blocks" if len(values_j) == evidence.n else "starts of the server"
    if n < 2:
        reason = "one block has no spread"
        yield line(
            evidence, "run to run", BudgetQuantity("A", "t", "J"), BOTH, "spread of blocks", reason=reason
        )
        return
    source = f"spread of {n} {of}"
    widened = gum.widening(gum.lag1(values_j), n)
    if widened > 1:
        source += f", times {widened:.2f} because each follows the one before (lag 1)"
    standard = stdev(values_j) / math.sqrt(n) * widened
    spread = BudgetQuantity("A", "t", "J", standard, 1.0, float(n - 1))
    yield line(evidence, "run to run", spread, BOTH, source)


def idle_power(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """Net only: idle drifted from before the blocks to after them, and was somewhere between meanwhile."""
    if not evidence.net:
        return
    drifts = {name: _half_drift_w(evidence.idle.get(name)) for name in evidence.domains}
    unknown = [name for name, drift in drifts.items() if drift is None]
    source = "± half of the difference between the looks before and after"
    if unknown:
        reason = f"the record has no idle power of {', '.join(unknown)}"
        yield line(
            evidence, "idle power", BudgetQuantity("B", "rectangular", "W"), BOTH, source, reason=reason
        )
        return
    once = [name for name in evidence.domains if _looked_once(evidence.idle[name])]
    if once:
        source += f"; ±{ASSUMED_IDLE_DRIFT:.0%} for {', '.join(once)}, looked at only once"
    half_w = sum(drift for drift in drifts.values() if drift is not None)
    drift = within(half_w, -evidence.seconds_per_unit, "W")
    yield line(evidence, "idle power", drift, BOTH, source, assumed=bool(once))


def _looked_once(idle: Idle) -> bool:
    return idle.before is None or idle.after is None


def _half_drift_w(idle: Idle | None) -> float | None:
    """Deviation of a domain's idle power from the mean of its two looks, in watts."""
    if idle is None:
        return None
    if idle.before is not None and idle.after is not None:
        return abs(idle.after - idle.before) / 2
    return None if idle.power_w is None else ASSUMED_IDLE_DRIFT * abs(idle.power_w)


def rests(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """Joules of the rests between batches: as counted, or at a power seen beside them."""
    if not any(block.rest_s for block in evidence.blocks):
        return
    took = f"rests took {evidence.mean(lambda block: block.rest_s / block.duration_s):.1%} of the time"
    counted_j = [math.hypot(*(e.rests_u_j or 0.0 for e in _energies(evidence, b))) for b in evidence.blocks]
    if any(counted_j):
        each_j = [u_j / units(block) for u_j, block in zip(counted_j, evidence.blocks, strict=True)]
        standard = math.hypot(*each_j) / evidence.n
        source = f"the ticks around each rest; {took}"
        yield line(
            evidence, "rests, counted", BudgetQuantity("B", "normal", "J", standard, 1.0), BOTH, source
        )

    def assumed_j(block: Block) -> float:
        found = [e.rests_j or 0.0 for e in _energies(evidence, block) if e.rests_u_j is None]
        return math.fsum(found) / units(block)

    if (rests_j := evidence.mean(assumed_j)) > 0:
        power = within(RESTING_POWER_HALF_WIDTH, rests_j)
        source = f"±{RESTING_POWER_HALF_WIDTH:.0%} of the power beside them; {took}"
        yield line(evidence, "rests", power, BOTH, source, assumed=True)


def _energies(evidence: BudgetEvidence, block: Block) -> list[DomainEnergy]:
    """A block's readings of the scope's domains."""
    return [block.energy[name] for name in evidence.domains]


def source_gains(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """The gain that every energy source states: an error of the machine, a line a source.

    If one of them has no bound, the expanded uncertainty is absent.
    """
    for name, domains in _by_source(evidence).items():
        prior = evidence.gains.get(name)
        if prior is None:
            reason = f"no uncertainty is stated for {', '.join(domains)}"
            unknown = BudgetQuantity("B", "rectangular", "1")
            origin = "the meter's specification"
            yield line(evidence, f"gain of {name}", unknown, ABSOLUTE, origin, reason=reason)
            continue
        gain = within(prior.half_width, evidence.per_unit_j(domains))
        origin = f"±{prior.half_width * 100:.3g}%: {prior.origin}"
        yield line(evidence, f"gain of {name}", gain, ABSOLUTE, origin, assumed=True)


def _by_source(evidence: BudgetEvidence) -> dict[str, list[str]]:
    """The domains with a gain that the energy source states, by its name: no estimates, no cards of NVML."""
    found = gains.stated(evidence)
    for name in evidence.domains:
        if name not in evidence.gpus and name not in evidence.estimated:
            found.setdefault(evidence.blocks[0].energy[name].source, []).append(name)
    return found


def models(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """Domains that were not metered but modelled: a line each, as each model errs in its own way."""
    for name in evidence.estimated:
        half_width = ESTIMATE_HALF_WIDTHS.get(name, OTHER_ESTIMATE_HALF_WIDTH)
        model = "a constant by memory size" if name == RAM_ESTIMATE else "rated power and load"
        error = within(half_width, evidence.per_unit_j([name]))
        source = f"±{half_width:.0%}: CodeCarbon's model ({model}) states no error"
        yield line(evidence, f"model of {name}", error, ABSOLUTE, source, assumed=True)


def counted_units(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """Number of units made: exact where they were counted, a matter of definition where assumed."""
    if any(block.words_kind == "assumed" for block in evidence.blocks):
        reason = "tokens a word are part of the case: the figure is for that ratio, on every machine"
        ratio = BudgetQuantity("B", "exact", "1")
        source = "tokens over an assumed number of tokens a word"
        yield line(evidence, "units", ratio, NEITHER, source, assumed=True, reason=reason)
        return
    counted = BudgetQuantity("B", "exact", "1", 0.0, -evidence.value_j)
    yield line(evidence, "units", counted, BOTH, "counted")


INPUTS: tuple[Callable[[BudgetEvidence], Iterator[BudgetInput]], ...] = (
    run_to_run,
    gains.sensor_gain,
    gains.sensor_offset,
    cards.counter_lag,
    cards.edges,
    sensors.power_delay,
    sensors.part_time_sensor,
    cards.temperature,
    rests,
    idle_power,
    source_gains,
    models,
    nodes.clocks,
    counted_units,
)
"""In the order of the table."""
