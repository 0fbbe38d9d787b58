"""Conversion of joules to grams, litres and money, one step at a time, each step with its factor.

    energy = metered(Joules.of(7200.0, 7000.0, 7400.0), "host")     # 2 Wh, scope host
    there = facility(energy, pue)                                   # scope facility; refused a second time
    grams = carbon(there, grid)
    whole = lifecycle(grams, embodied(Seconds.of(20.0), device))    # scope lifecycle
    for step in whole.steps:
        print(step.name, step.result.value, step.result.unit, [factor.source for factor in step.factors])

A chain is a result, the scope it is a figure of, and the steps that led there. Steps are pure functions that
give a new chain. Ranges go in and ranges come out. A factor of another unit, or beyond what its kind can be,
is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from bench.core.quantities import (
    WH_PER_KWH,
    Grams,
    Joules,
    Litres,
    Money,
    Quantity,
    Seconds,
    UnitError,
    WattHours,
)
from bench.errors import UsageError
from bench.footprint.bundled_rows import Factor

MACHINE_SCOPES = ("host", "wall")
"""Scopes of a whole machine, to which a data centre's overhead is added; cards alone are not one."""

OPERATION_SCOPES = (*MACHINE_SCOPES, "facility", "unknown")
"""Scopes of grams that a life cycle can begin from. `unknown` is an operation of which the source does not
state what it covers, as that of ChatGPT in Tomlinson et al. 2024."""

HOURS_PER_YEAR = 8760.0
S_PER_HOUR = 3600.0
G_PER_KG = 1e3
G_PER_T = 1e6

Result = TypeVar("Result", bound=Quantity)
Next = TypeVar("Next", bound=Quantity)


@dataclass(frozen=True)
class ChainStep:
    """One step: what it is, how it is computed, with which factors, and what came of it."""

    name: str
    formula: str
    factors: tuple[Factor, ...]
    result: Quantity
    scope: str


@dataclass(frozen=True)
class Chain(Generic[Result]):
    """A result, the scope it is a figure of, and the steps that led to it."""

    result: Result
    scope: str
    steps: tuple[ChainStep, ...]

    def then(
        self,
        name: str,
        formula: str,
        result: Next,
        factors: tuple[Factor, ...] = (),
        scope: str | None = None,
    ) -> Chain[Next]:
        """This chain and one step more."""
        where = scope or self.scope
        return Chain(result, where, (*self.steps, ChainStep(name, formula, factors, result, where)))


class Device(NamedTuple):
    """Emissions of making a device, and the use over which they are spread."""

    embodied: Factor
    """kg CO2e."""
    lifetime: Factor
    """yr."""
    utilisation: Factor
    """Share of the lifetime in which the device works; the rest is charged to that work."""


class Training(NamedTuple):
    """Emissions of training, and the queries over which they are written off."""

    total: Factor
    """t CO2e."""
    per_day: Factor
    """queries/day."""
    days: Factor
    """days."""


def metered(energy: Joules, scope: str) -> Chain[WattHours]:
    """The start: joules of a machine, at the scope that they were metered or published at."""
    start = Chain(energy, scope, (ChainStep("energy", "as metered", (), energy, scope),))
    return start.then("energy in watt-hours", "J / 3600", energy.wh())


def facility(energy: Chain[WattHours], pue: Factor) -> Chain[WattHours]:
    """The machine's energy with the data centre's overhead. Once only: refused where it is in already."""
    if energy.scope not in MACHINE_SCOPES:
        why = (
            "leaves the host out, which the overhead is paid for, too"
            if energy.scope == "gpu"
            else "includes the data centre's overhead already, or may include it"
        )
        raise UsageError(
            f"Energy of scope `{energy.scope}` {why}.",
            f"PUE is applied once, to energy of scope {' or '.join(MACHINE_SCOPES)}.",
        )
    check_pue(pue)
    return energy.then("energy of the facility", "Wh × PUE", energy.result * pue.range, (pue,), "facility")


def carbon(energy: Chain[WattHours], grid: Factor) -> Chain[Grams]:
    """Location-based CO2e of electricity."""
    check_grid(grid)
    grams = Grams(energy.result.range / WH_PER_KWH * grid.range)
    return energy.then("CO2e of the electricity", "Wh / 1000 × g/kWh", grams, (grid,))


def embodied(time: Seconds, device: Device) -> Chain[Grams]:
    """The share of making the device that is allocated to `time` of its work."""
    made, lifetime, utilisation = device
    check(made, "kg CO2e", 0.0, 1e6)
    check(lifetime, "yr", 0.1, 50.0)
    check(utilisation, "1", 0.001, 1.0)
    hours = lifetime.range * HOURS_PER_YEAR * utilisation.range
    grams = Grams(made.range * G_PER_KG / hours * (time.range / S_PER_HOUR))
    formula = "kg × 1000 / (years × 8760 × utilisation) × s / 3600"
    start = Chain(time, "embodied", (ChainStep("time of the device", "as metered", (), time, "embodied"),))
    return start.then("CO2e of making the device", formula, grams, device)


def training(spread: Training) -> Chain[Grams]:
    """The share of training that falls to one query."""
    total, per_day, days = spread
    check(total, "t CO2e", 0.0, 1e9)
    check(per_day, "queries/day", 1.0, 1e15)
    check(days, "days", 1.0, 36500.0)
    grams = Grams(total.range * G_PER_T / (per_day.range * days.range))
    step = ChainStep("CO2e of training", "t × 1e6 / (queries a day × days)", spread, grams, "training")
    return Chain(grams, "training", (step,))


def lifecycle(operation: Chain[Grams], *parts: Chain[Grams]) -> Chain[Grams]:
    """Operation of a whole machine with its embodied and training parts, each once."""
    if operation.scope == "gpu":
        raise UsageError("A life cycle of scope `gpu` would leave the host out.", "Begin from scope host.")
    if operation.scope == "lifecycle":
        raise UsageError("A life cycle is whole already: nothing can be added to it.")
    if operation.scope not in OPERATION_SCOPES:
        raise UsageError(
            f"`{operation.scope}` is not a scope of a machine's operation.",
            f"A life cycle begins from scope {', '.join(OPERATION_SCOPES)}.",
        )
    scopes = [part.scope for part in (operation, *parts)]
    for scope in scopes[1:]:
        if scope not in ("embodied", "training") or scopes.count(scope) > 1:
            raise UsageError(f"`{scope}` cannot be added to `{operation.scope}`: it may be in already.")
    total, steps = operation.result, operation.steps
    for part in parts:
        total, steps = total + part.result, steps + part.steps
    formula = " + ".join(["operation", *scopes[1:]])
    return Chain(total, "lifecycle", steps).then("CO2e of the life cycle", formula, total)


def water(energy: Chain[WattHours], pue: Factor, on_site: Factor, off_site: Factor) -> Chain[Litres]:
    """Water of the site, per kWh of the machines, and of power stations, per kWh of the facility."""
    check(on_site, "L/kWh", 0.0, 50.0)
    check(off_site, "L/kWh", 0.0, 500.0)
    supplied = facility(energy, pue)
    here = Litres(energy.result.range / WH_PER_KWH * on_site.range)
    there = Litres(supplied.result.range / WH_PER_KWH * off_site.range)
    first = supplied.then("water on the site", "Wh of the machine / 1000 × L/kWh", here, (on_site,))
    second = first.then("water at power stations", "Wh of the facility / 1000 × L/kWh", there, (off_site,))
    return second.then("water", "on-site + off-site", here + there)


def money(energy: Chain[WattHours], price: Factor) -> Chain[Money]:
    """Cost of the electricity."""
    check(price, "USD/kWh", 0.0, 100.0)
    cost = Money(energy.result.range / WH_PER_KWH * price.range)
    return energy.then("price of the electricity", "Wh / 1000 × USD/kWh", cost, (price,))


def sci(energy: Chain[WattHours], grid: Factor, made: Chain[Grams], units: float, unit: str) -> Chain[Grams]:
    """Software Carbon Intensity of ISO/IEC 21031:2024: (E × I + M) per R, with R = `units` of `unit`.

    I is location-based. Training is outside, offsets are too; M is what `embodied` gives. The standard
    wants E to count every device that is reserved, idle or not: energy of scope `gpu` leaves the host out.
    The score is of scope `sci`, since making is in it: nothing can be added.
    """
    if made.scope != "embodied":
        raise UsageError(f"M of SCI is embodied CO2e, not `{made.scope}`.")
    if not units > 0:
        raise UsageError(f"{units:g} {unit}s is nothing that grams can be spread over.")
    operation = carbon(energy, grid)
    total = Chain(operation.result, operation.scope, operation.steps + made.steps)
    grams = (operation.result + made.result) / units
    return total.then(f"SCI per {unit}", f"(E × I + M) / {units:g} {unit}", grams, scope="sci")


def check_grid(factor: Factor) -> None:
    """Refuse what cannot be the carbon intensity of electricity, or is that of certificates."""
    check(factor, "g CO2e/kWh", 0.0, 2000.0)
    if factor.basis == "market":
        raise UsageError(
            f"{factor.id} is market-based, and every figure here is location-based.",
            "State the factor of the place's own grid.",
        )


def check_pue(factor: Factor) -> None:
    """Refuse what cannot be a power usage effectiveness: the facility's energy over that of its machines."""
    check(factor, "1", 1.0, 3.0)


def check(factor: Factor, unit: str, least: float, most: float) -> None:
    """Refuse a factor of another unit, or one that cannot be."""
    if factor.unit != unit:
        raise UnitError(f"{factor.id} is in {factor.unit}, and {unit} belongs here.")
    found = factor.range
    if not least <= found.low <= found.high <= most:
        shown = f"{found.value:g}" if found.is_point else f"{found.value:g} ({found.low:g} to {found.high:g})"
        of = "" if unit == "1" else f" {unit}"
        raise UsageError(
            f"{factor.id} of {shown}{of} cannot be.", f"It must be between {least:g} and {most:g}{of}."
        )
