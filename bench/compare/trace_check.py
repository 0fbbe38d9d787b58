"""Check of a record's joules against the samples beside it, independent of the estimator.

A counter only rises, so between two moments it counted at least what is between the first sample after the
one and the last before the other, and at most what is between the samples around both. What is freed of the
counter's tick is compared with readings that late. So the check needs no knowledge of how a version of this
package estimates, and a block that was edited by more than the bounds are apart is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bench.core.arrays import Floats
from bench.core.block import Block
from bench.core.energy import DomainEnergy
from bench.core.record import Record
from bench.stats.figures import counting
from bench.store.traces import Samples, Stamps, Trace

EDGE_S = 0.05
"""Largest time between a reading at a window's edge and its stamp."""
LATE_S, LATE_TICKS = 0.25, 2
"""Delay at which a counter may show joules: some time to publish, and some of its own ticks."""
MARGIN = 0.005
"""For arithmetic and noise, as a share of the joules; a counter-padded estimate errs by a tenth of it."""


class Bounds(NamedTuple):
    """The least and the most joules that a trace allows a window."""

    low_j: float
    high_j: float


def problems(record: Record, trace: Trace) -> Iterator[str]:
    """Contradictions between a record and its trace, for blocks that enter a figure."""
    for number, block in enumerate(record.blocks):
        for domain, energy in block.energy.items() if counting([block]) else ():
            if energy.gross_j is None or energy.source == "codecarbon":
                continue
            if energy.source.startswith("counter") and domain in trace and _falls(block, trace[domain]):
                yield f"the counter of {domain} falls in block {number} of its trace"
                continue
            limits = bounds(block, energy, trace[domain]) if domain in trace else None
            joules = energy.with_rests_j or 0.0
            if limits is None:
                yield f"its trace does not cover {domain} in block {number}"
            elif not limits.low_j <= joules <= limits.high_j:
                yield (
                    f"block {number} has {joules:.6g} J of {domain}, "
                    f"and its trace {limits.low_j:.6g} to {limits.high_j:.6g}"
                )


def _falls(block: Block, samples: Samples) -> bool:
    """Whether a counter loses joules inside a window: a block in which it did so does not count."""
    t_ns, energy_j = samples.column("energy_j")
    inside = (t_ns >= block.start_ns) & (t_ns <= block.end_ns)
    return bool(np.any(np.diff(energy_j[inside]) < 0))


def bounds(block: Block, energy: DomainEnergy, samples: Samples) -> Bounds | None:
    """Bounds by a domain's samples on a block's window; `None` if they do not cover it."""
    if energy.source.startswith("power-integration-"):
        power = f"power_{energy.source.rsplit('-', 1)[1]}_w"
        limits = _integrated(*samples.column(power), block.start_ns, block.end_ns)
    else:
        t_ns, energy_j = samples.column("energy_j")
        late_s = LATE_S + LATE_TICKS * _tick_s(t_ns, energy_j) if energy.source == "counter-padded" else 0.0
        limits = _counted(t_ns, energy_j, block.start_ns, block.end_ns, late_s)
    if limits is None:
        return None
    return Bounds(limits.low_j - MARGIN * abs(limits.low_j), limits.high_j * (1 + MARGIN))


def _counted(t_ns: Stamps, energy_j: Floats, start_ns: int, end_ns: int, late_s: float) -> Bounds | None:
    edge_ns, late_ns = round(EDGE_S * 1e9), round((EDGE_S + late_s) * 1e9)
    before_start = np.searchsorted(t_ns, start_ns - edge_ns, side="right") - 1
    after_start = np.searchsorted(t_ns, start_ns + late_ns)
    before_end = np.searchsorted(t_ns, end_ns - edge_ns, side="right") - 1
    after_end = np.searchsorted(t_ns, end_ns + late_ns)
    if before_start < 0 or after_end >= len(t_ns):
        return None
    low_j = energy_j[before_end] - energy_j[after_start]
    return Bounds(float(low_j), float(energy_j[after_end] - energy_j[before_start]))


def _integrated(t_ns: Stamps, watts: Floats, start_ns: int, end_ns: int) -> Bounds | None:
    """Each sample held until the next, the first one back to the start."""
    inside = (t_ns >= start_ns) & (t_ns <= end_ns)
    if not np.any(inside):
        return None
    edges = np.concatenate([[start_ns], t_ns[inside][1:], [end_ns]])
    joules = float(np.sum(watts[inside] * np.diff(edges)) / 1e9)
    return Bounds(joules, joules)


def _tick_s(t_ns: Stamps, energy_j: Floats) -> float:
    """Usual time between moves of the counter; 0 if it did not move."""
    moved = np.diff(t_ns[1:][np.diff(energy_j) > 0])
    return float(np.median(moved)) / 1e9 if len(moved) else 0.0
