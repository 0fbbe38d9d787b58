"""Cost of electricity for tokens, pages and images, beside the list prices of services.

    electricity(rate, price).result          # USD per million tokens, or per page or image
    list_prices()                            # every list price, per million tokens and per page

Electricity is one part of a price: cards, buildings, people and profit are the rest, and a service may charge
less than it costs.
"""

from __future__ import annotations

from typing import NamedTuple

from bench.core.quantities import Joules, Money
from bench.footprint.bundled_rows import Factor, Price, System
from bench.footprint.chain import MACHINE_SCOPES, Chain, facility, metered, money
from bench.footprint.rates import EnergyRate, of_published
from bench.footprint.reference import human_quantities, systems

TOKENS = 1e6
"""Number of tokens that a price is for."""


class Listed(NamedTuple):
    """A list price, and what a page costs by it."""

    system: System
    price: Price
    page: Money
    """Of 333 tokens (325 to 400) of this kind."""


class PricedRate(NamedTuple):
    """Joules of one case, and what their electricity costs."""

    rate: EnergyRate
    cost: Chain[Money]


def per(rate: EnergyRate) -> tuple[Joules, str]:
    """The joules that a price is set beside, and of what: tokens are counted by the million."""
    return (rate.joules * TOKENS, "million tokens") if rate.made == "token" else (rate.joules, rate.made)


def electricity(rate: EnergyRate, price: Factor, pue: Factor | None = None) -> Chain[Money]:
    """USD of the electricity of a million tokens, a page or an image."""
    energy = metered(per(rate)[0], rate.scope)
    if pue is not None and rate.scope in MACHINE_SCOPES:
        energy = facility(energy, pue)
    return money(energy, price)


def list_prices() -> list[Listed]:
    """Every list price that is held."""
    tokens = human_quantities()["page.tokens"].range
    return [
        Listed(system, price, Money(tokens * (price.value / TOKENS)))
        for system in systems()
        for price in system.prices
    ]


def relatives() -> list[EnergyRate]:
    """Published joules a token of systems with a list price, or of what they name as a relative."""
    found = []
    for system in systems():
        if system.prices:
            found += [of_published(name) for name in system.figures if name.startswith("mlenergy3.chat.")]
    return found
