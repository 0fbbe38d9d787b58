"""From raw blocks to figures with intervals.

Only valid blocks that are not warm-up count. Each block gives one ratio (its joules over its units); the
figure is their mean with a t interval, which covers 95.8 % at five blocks where a bootstrap covers 85 %.
Inside: the metered domains between a block's edges. Outside: loading, warm-up, idle, counting words,
saving files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean, stdev

from bench.records.schema import Block, Carbon, DomainKind, Estimate, FigureKind, Figures, ScopedFigure

CONFIDENCE = 0.95
J_PER_KWH = 3.6e6


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and 95 % t interval of independent values. Raises ValueError for none at all."""
    from scipy.special import stdtrit

    n = len(values)
    mean = fmean(values)
    if n < 2:
        return Estimate(value=mean, low=None, high=None, n=n)
    half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * stdev(values) / math.sqrt(n)
    return Estimate(value=mean, low=mean - half, high=mean + half, n=n)


def scope_domains(domains: Sequence[str]) -> dict[str, list[str]]:
    """Which of the domains belong to scope `gpu`, and which to `host` (gpu + cpu + memory)."""
    gpu = [name for name in domains if name.startswith("gpu:")]
    scopes = {"gpu": gpu} if gpu else {}
    if len(gpu) < len(domains):
        scopes["host"] = list(domains)
    return scopes


def derive(blocks: Sequence[Block], carbon: Carbon | None) -> Figures:
    """All figures of a record from its blocks and its grid factor."""
    used = [block for block in blocks if block.valid and not block.warmup and block.units]
    if not used:
        return Figures(absent={"energy_per_unit_j": "no valid block with counted units"})
    domains = sorted({name for block in used for name in block.energy})
    figures = Figures()
    if not domains:
        figures.absent["energy_per_unit_j"] = "nothing was metered"
    if carbon is None or carbon.intensity_g_per_kwh is None:
        figures.absent["carbon_per_unit_g"] = "no grid factor is known"
    for scope, names in scope_domains(domains).items():
        _add_scope(figures, scope, names, used, carbon)
    figures.headline_scope = "gpu" if "gpu" in figures.energy_per_unit_j else None
    if figures.headline_scope is None and "host" in figures.energy_per_unit_j:
        figures.headline_scope = "host"
    figures.time_per_unit_s = estimate([block.duration_s / _units(block) for block in used])
    figures.units_per_second = estimate([_units(block) / block.duration_s for block in used])
    _add_phases(figures, used)
    return figures


def _add_scope(
    figures: Figures, scope: str, names: list[str], used: Sequence[Block], carbon: Carbon | None
) -> None:
    figures.energy_per_unit_j[scope] = _figure(used, names, _units)
    figures.energy_per_item_j[scope] = _figure(used, names, lambda block: float(block.items))
    figures.power_w[scope] = _figure(used, names, lambda block: block.duration_s)
    if all(block.tokens for block in used):
        figures.energy_per_token_j[scope] = _figure(used, names, lambda block: float(block.tokens or 0))
    if carbon is not None and carbon.intensity_g_per_kwh is not None:
        grams_per_j = carbon.intensity_g_per_kwh / J_PER_KWH
        figures.carbon_per_unit_g[scope] = _figure(used, names, lambda block: _units(block) / grams_per_j)


def _figure(used: Sequence[Block], names: list[str], per: Callable[[Block], float]) -> ScopedFigure:
    """Summed energy of the named domains over `per(block)`, block by block; null where a reading lacks."""
    kinds = {name: _kind(used, name) for name in names}
    kind: FigureKind = "mixed"
    if len(set(kinds.values())) == 1:
        kind = next(iter(kinds.values()))
    if missing := _missing(used, names):
        return ScopedFigure(gross=None, net=None, kind=kind, domains=kinds, reason=missing)
    gross = estimate([sum(_gross(block, name) for name in names) / per(block) for block in used])
    net_values = [[block.energy[name].net_j for name in names] for block in used]
    net: Estimate | None = None
    reason: str | None = "idle power is not known for every domain"
    if all(value is not None for row in net_values for value in row):
        sums = (sum(value for value in row if value is not None) for row in net_values)
        net, reason = estimate([total / per(block) for total, block in zip(sums, used, strict=True)]), None
    return ScopedFigure(gross=gross, net=net, kind=kind, domains=kinds, reason=reason)


def _kind(used: Sequence[Block], name: str) -> DomainKind:
    """`measured` only where it was measured in every block."""
    kinds = {block.energy[name].kind for block in used if name in block.energy}
    return "measured" if kinds == {"measured"} else "estimated"


def _missing(used: Sequence[Block], names: Sequence[str]) -> str | None:
    """Which domains lack a reading in one of the blocks and why, or `None` where all are there."""
    readings = {name: [block.energy.get(name) for block in used] for name in names}
    lacking = {
        name: next((energy.reason for energy in found if energy and energy.reason), "no reading")
        for name, found in readings.items()
        if any(energy is None or energy.gross_j is None for energy in found)
    }
    return "; ".join(f"{name}: {reason}" for name, reason in lacking.items()) or None


def _gross(block: Block, name: str) -> float:
    value = block.energy[name].gross_j
    assert value is not None, "checked by the caller"
    return value


def _units(block: Block) -> float:
    assert block.units, "blocks without units are left out before"
    return block.units


def _add_phases(figures: Figures, used: Sequence[Block]) -> None:
    """Each phase's share of the blocks' time, and of the metered GPUs' energy where phases were metered."""
    total_s = sum(block.duration_s for block in used)
    for name in sorted({name for block in used for name in block.phases}):
        phases = [(block, block.phases[name]) for block in used if name in block.phases]
        figures.phase_time_share[name] = sum(phase.seconds for _, phase in phases) / total_s
        joules = [energy.gross_j for _, phase in phases for energy in phase.energy.values()]
        metered = [block.energy.get(key) for block, phase in phases for key in phase.energy]
        whole = [energy.gross_j if energy else None for energy in metered]
        if joules and all(value is not None for value in (*joules, *whole)):
            total = sum(value for value in whole if value is not None)
            if total > 0:
                figures.phase_energy_share[name] = sum(v for v in joules if v is not None) / total
