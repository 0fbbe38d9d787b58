"""Spread of the headline over several starts of one server, which blocks of a single start do not show.

restart_figures(blocks)        # RestartFigures; None where there was one start
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, harmonic_mean, variance

from bench.core.block import Block
from bench.core.domain import by_scope
from bench.core.energy import energy_sum
from bench.core.figures import RestartFigures
from bench.stats.figures import counting, estimate


def restart_figures(blocks: Sequence[Block]) -> RestartFigures | None:
    """Joules per unit by start; `None` where nothing was metered, or fewer than two starts have figures."""
    starts = list(_by_start(counting(blocks)).values())
    if len(starts) < 2:
        return None
    means = [fmean(values) for values in starts]
    within = _pooled_variance(starts)
    between = variance(means) - (within or 0.0) / harmonic_mean([len(values) for values in starts])
    mean = fmean(means)
    return RestartFigures(
        starts=len(starts),
        energy_per_unit_j=estimate(means),
        between_share=math.sqrt(max(0.0, between)) / mean,
        within_share=None if within is None else math.sqrt(within) / mean,
    )


def _by_start(used: Sequence[Block]) -> dict[int, list[float]]:
    """Gross joules per unit of each block at the headline's scope, by the server's start."""
    scopes = by_scope(sorted({name for block in used for name in block.energy}))
    names = next(iter(scopes.values()), [])
    found: dict[int, list[float]] = {}
    for block in used:
        seen, joules = block.observed.served, energy_sum(block.energy, names).gross_j if names else None
        if seen is not None and seen.start is not None and joules is not None and block.units:
            found.setdefault(seen.start, []).append(joules / block.units)
    return found


def _pooled_variance(groups: Sequence[Sequence[float]]) -> float | None:
    """Variance inside groups; `None` where each has one value."""
    freedom = sum(len(values) - 1 for values in groups)
    if freedom == 0:
        return None
    return sum((len(values) - 1) * variance(values) for values in groups if len(values) > 1) / freedom
