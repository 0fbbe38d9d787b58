"""Figures with intervals, computed from raw blocks.

Only valid blocks that are not warm-up count. Each block gives one ratio (its joules over its units); the
figure is their mean with a t interval, which covers 95.8 % at five blocks where a bootstrap covers 85 %.
Inside: the metered domains between a block's edges. Outside: loading, warm-up, idle, counting words,
saving files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Literal

from bench.core.block import Block
from bench.core.domain import by_scope, unscoped
from bench.core.energy import (
    IDLE_UNKNOWN,
    DomainKind,
    combined_kind,
    complete_sum,
    energy_sum,
    missing_readings,
)
from bench.core.figures import Carbon, Estimate, Figures, ScopedFigure
from bench.core.quantities import J_PER_KWH
from bench.core.scope import MeteredScope
from bench.stats.budget.gum import stdev
from bench.stats.independent import independent

CONFIDENCE = 0.95
NO_PHASE_METER = "no GPU was metered, whose counter is fast enough to separate phases"


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and 95 % t interval of independent values. Raises ValueError for none at all."""
    from scipy.special import stdtrit

    n = len(values)
    mean = fmean(values)
    if n < 2:
        return Estimate(value=mean, low=None, high=None, n=n)
    half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * stdev(values) / math.sqrt(n)
    return Estimate(value=mean, low=mean - half, high=mean + half, n=n)


def counting(blocks: Sequence[Block]) -> list[Block]:
    """The blocks that statistics rest on: valid, no warm-up, with counted units."""
    return [block for block in blocks if block.valid and not block.warmup and block.units]


def derive(blocks: Sequence[Block], carbon: Carbon | None, *, per_token: bool = True) -> Figures:
    """All figures of a record from its blocks and its grid factor; `per_token` is that of its modality."""
    used = counting(blocks)
    if not used:
        return Figures(absent={"energy_per_unit_j": "no valid block with counted units"})
    domains = sorted({name for block in used for name in block.energy})
    figures = Figures()
    if not domains:
        figures.absent["energy_per_unit_j"] = "nothing was metered"
    if carbon is None or carbon.intensity_g_per_kwh is None:
        figures.absent["carbon_per_unit_g"] = "no grid factor is known"
    for scope, names in by_scope(domains).items():
        _add_scope(figures, scope, names, used, carbon)
    if not per_token:
        figures.energy_per_token_j = {}
    figures.absent |= {
        f"domain.{name}": "no scope includes this kind of domain" for name in unscoped(domains)
    }
    figures.headline_scope = next(iter(by_scope(domains)), None)
    figures.time_per_unit_s = over_blocks(used, [block.work_s / _units(block) for block in used])
    figures.units_per_second = over_blocks(used, [_units(block) / block.work_s for block in used])
    _add_phases(figures, used)
    return figures


def headline_gross(blocks: Sequence[Block]) -> Estimate | None:
    """Gross joules a unit of the headline's scope, as `derive` has them, in an eighth of its time.

    It is asked for three times after each block, over all blocks so far.
    """
    used = counting(blocks)
    scopes = by_scope(sorted({name for block in used for name in block.energy}))
    names = next(iter(scopes.values()), None)
    return None if names is None else scoped_figure(used, names, _units).gross


def _add_scope(
    figures: Figures, scope: MeteredScope, names: list[str], used: Sequence[Block], carbon: Carbon | None
) -> None:
    figures.energy_per_unit_j[scope] = scoped_figure(used, names, _units)
    figures.energy_per_item_j[scope] = scoped_figure(used, names, lambda block: float(block.items))
    figures.power_w[scope] = scoped_figure(used, names, lambda block: block.work_s)
    if all(block.tokens for block in used):
        figures.energy_per_token_j[scope] = scoped_figure(used, names, lambda block: float(block.tokens or 0))
    if carbon is not None and carbon.intensity_g_per_kwh is not None:
        grams_per_j = carbon.intensity_g_per_kwh / J_PER_KWH
        figures.carbon_per_unit_g[scope] = scoped_figure(used, names, _units, grams_per_j)


def scoped_figure(
    used: Sequence[Block], names: list[str], per: Callable[[Block], float], factor: float = 1.0
) -> ScopedFigure:
    """Summed energy of the named domains, times `factor`, over `per(block)`; null where a reading lacks."""
    kinds = {name: _kind(used, name) for name in names}
    gross_j, net_j = summed(used, names, "gross_j"), summed(used, names, "net_j")
    reason = None
    if gross_j is None:
        reason = missing_readings([block.energy for block in used], names)
    elif net_j is None:
        reason = IDLE_UNKNOWN

    def over(joules: list[float] | None) -> Estimate | None:
        if joules is None:
            return None
        return over_blocks(used, [j * factor / per(block) for j, block in zip(joules, used, strict=True)])

    return ScopedFigure(
        gross=over(gross_j), net=over(net_j), kind=combined_kind(kinds.values()), domains=kinds, reason=reason
    )


def over_blocks(used: Sequence[Block], values: Sequence[float]) -> Estimate:
    """Mean and interval of one value a block; over the means of starts where a server was started again."""
    return estimate(independent(used, values))


def summed(
    used: Sequence[Block], names: Sequence[str], which: Literal["gross_j", "net_j"]
) -> list[float] | None:
    """Each block's joules over the named domains, or `None` where a single one is not known."""
    sums = [getattr(energy_sum(block.energy, names), which) for block in used]
    return None if None in sums else sums


def _kind(used: Sequence[Block], name: str) -> DomainKind:
    """`measured` only where it was measured in every block."""
    kinds = {block.energy[name].kind for block in used if name in block.energy}
    return "measured" if kinds == {"measured"} else "estimated"


def _units(block: Block) -> float:
    assert block.units, "blocks without units are left out before"
    return block.units


def _add_phases(figures: Figures, used: Sequence[Block]) -> None:
    """Each phase's share of the blocks' time, and of the metered GPUs' energy where phases were metered."""
    total_s = sum(block.work_s for block in used)
    for name in sorted({name for block in used for name in block.phases}):
        phases = [(block, block.phases[name]) for block in used if name in block.phases]
        figures.phase_time_share[name] = sum(phase.seconds for _, phase in phases) / total_s
        joules = [energy.gross_j for _, phase in phases for energy in phase.energy.values()]
        metered = [block.energy.get(key) for block, phase in phases for key in phase.energy]
        part_j = complete_sum(joules)
        whole_j = complete_sum(energy.gross_j if energy else None for energy in metered)
        if part_j is not None and whole_j is not None:
            if whole_j > 0:
                figures.phase_energy_share[name] = part_j / whole_j
        elif not joules:
            figures.absent[f"phase_energy_share.{name}"] = NO_PHASE_METER
        else:
            reasons = (energy.reason for _, phase in phases for energy in phase.energy.values())
            figures.absent[f"phase_energy_share.{name}"] = next(filter(None, reasons), "no reading")
