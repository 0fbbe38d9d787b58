"""Projection from joules of one token or image to a deployment: power, cards, energy and CO2e of a year.

    found = project(rate, weekly, ProjectionAssumptions(...))
    found["power"].result, found["CO2e"].result, found["share"].result

The deployment does nothing else: a number per week, evenly over the year, all at the joules of one case.
Each step shows its factor. Inside: what the energy's scope includes, and what host, idle share and PUE add.
Outside: training, making the machines, networks, and what users' own devices draw.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from bench.core.quantities import W_PER_MW, Cards, MegawattHours, Megawatts, Percent, Range, Tonnes
from bench.footprint.bundled_rows import Factor
from bench.footprint.chain import (
    G_PER_KG,
    HOURS_PER_YEAR,
    MACHINE_SCOPES,
    S_PER_HOUR,
    Chain,
    ChainStep,
    check,
    check_grid,
    check_pue,
)
from bench.footprint.rates import EnergyRate

S_PER_WEEK = 7 * 24 * S_PER_HOUR
MW_PER_GW = 1e3


@dataclass(frozen=True)
class ProjectionAssumptions:
    """Factors between one case and a deployment."""

    host: Factor
    """Energy of the server over that of its cards; for energy of scope gpu."""
    idle: Factor
    """Share of the energy drawn while nothing is asked."""
    utilisation: Factor
    """Share of the time that a card works."""
    pue: Factor
    grid: Factor
    capacity: Factor
    """GW of data centres that the power is set beside."""
    card_power: Factor | None = None
    """W of one card at work; without it, cards are not counted."""

    def check(self) -> None:
        """Refuse what cannot be."""
        check(self.host, "1", 1.0, 10.0)
        check(self.idle, "1", 0.0, 0.99)
        check(self.utilisation, "1", 0.01, 1.0)
        check(self.capacity, "GW", 1e-6, 1e4)
        check_pue(self.pue)
        check_grid(self.grid)
        if self.card_power is not None:
            check(self.card_power, "W", 1.0, 1e4)


class Projection(NamedTuple):
    """A deployment that works at the joules of one case; its chains are named as in `project`."""

    rate: EnergyRate
    chains: dict[str, Chain[Any]]

    def whole(self) -> Chain[Any]:
        """The steps of all chains, each once."""
        steps = dict.fromkeys(step for chain in self.chains.values() for step in chain.steps)
        last = self.chains["power"]
        return Chain(last.result, last.scope, tuple(steps))


def factors_of(deployments: Iterable[Projection]) -> list[Factor]:
    """Every factor of some deployments, once."""
    steps = (
        step for deployment in deployments for chain in deployment.chains.values() for step in chain.steps
    )
    return list({factor.id: factor for step in steps for factor in step.factors}.values())


def project(rate: EnergyRate, weekly: Factor, given: ProjectionAssumptions) -> dict[str, Chain[Any]]:
    """Power, energy and CO2e of a year, share of a capacity, cards where a card's power is known; by name."""
    given.check()
    check(weekly, f"{rate.made}s/week", 1e-6, 1e21)
    each = ChainStep(f"energy of one {rate.made}", "as given", (), rate.joules, rate.scope)
    busy = Megawatts(rate.joules.range * weekly.range / (S_PER_WEEK * W_PER_MW))
    start = Chain(rate.joules, rate.scope, (each,))
    working = start.then("power of the work", f"J × {rate.made}s a week / 604,800 s", busy, (weekly,))
    power = _drawn(working, given)
    energy = MegawattHours(power.result.range * HOURS_PER_YEAR)
    year = power.then("energy of a year", "MW × 8760 h", energy)
    grams = Tonnes(energy.range * given.grid.range / G_PER_KG)
    share = Percent(power.result.range / (given.capacity.range * MW_PER_GW) * 100)
    found: dict[str, Chain[Any]] = {
        "power": power,
        "energy": year,
        "CO2e": year.then("CO2e of a year", "MWh × g/kWh / 1000", grams, (given.grid,)),
        "share": power.then("of the capacity", "MW / (GW × 1000) × 100", share, (given.capacity,)),
    }
    if given.card_power is not None and rate.scope == "gpu":
        cards = Cards(busy.range * W_PER_MW / (given.card_power.range * given.utilisation.range))
        formula = "W / (W a card × utilisation)"
        found["cards"] = working.then("cards", formula, cards, (given.card_power, given.utilisation))
    return found


def _drawn(working: Chain[Megawatts], given: ProjectionAssumptions) -> Chain[Megawatts]:
    """Power from the grid while the work is done: with host, idle machines and overhead."""
    chain = working
    if chain.scope == "gpu":
        with_host = Megawatts(chain.result.range * given.host.range)
        chain = chain.then("with the servers around the cards", "× host", with_host, (given.host,), "host")
    if chain.scope in MACHINE_SCOPES:
        idle = given.idle.range
        busy = Range(1 - idle.value, 1 - idle.high, 1 - idle.low)
        with_idle = Megawatts(chain.result.range / busy)
        chain = chain.then("with idle machines", "/ (1 − idle)", with_idle, (given.idle,))
        overhead = Megawatts(chain.result.range * given.pue.range)
        chain = chain.then("with the data centre's overhead", "× PUE", overhead, (given.pue,), "facility")
    return chain
