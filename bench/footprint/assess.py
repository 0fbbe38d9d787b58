"""Everything that follows from one record's joules, under assumptions that are all stated.

    chains = assess(row, Assumptions(grid=choose(None), device=device("h100", 3.0, 0.5)))
    chains["SCI"].result

What is not assumed is not computed: device, lifetime, utilisation, site and price have no default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from bench.core.domain import gpus
from bench.core.quantities import Range, Seconds
from bench.errors import UsageError
from bench.footprint.bundled_rows import Factor
from bench.footprint.chain import (
    MACHINE_SCOPES,
    Chain,
    Device,
    carbon,
    embodied,
    lifecycle,
    money,
    sci,
    water,
)
from bench.footprint.grid import stated
from bench.footprint.measured import MeasuredRow
from bench.footprint.reference import factors


class Site(NamedTuple):
    """Litres per kWh of the machines on the site, and of the facility at power stations."""

    on_site: Factor
    off_site: Factor


@dataclass(frozen=True)
class Assumptions:
    """Factors between joules and the other figures; `None` leaves out what would follow from it."""

    grid: Factor
    pue: Factor | None = None
    device: Device | None = None
    site: Site | None = None
    price: Factor | None = None

    def __post_init__(self) -> None:
        """Refuse water without an overhead: power stations' water is that of the whole facility."""
        if self.site is not None and self.pue is None:
            raise UsageError(
                "Water at power stations is that of the facility, whose overhead is not stated.",
                "Add --pue NUMBER to --water, such as 1.2.",
            )


def devices() -> list[str]:
    """Names of devices whose making is known."""
    return [
        name.removeprefix("embodied.")
        for name, factor in factors().items()
        if name.startswith("embodied.") and factor.unit == "kg CO2e" and factor.scope == "device"
    ]


def sites() -> list[str]:
    """Names of sites whose water is known on both ends."""
    names = (name.split(".") for name in factors() if name.startswith("water.") and name.endswith(".on-site"))
    return [name[1] for name in names if f"water.{name[1]}.off-site" in factors()]


def device(name: str, lifetime_yr: float, utilisation: float) -> Device:
    """A device of known embodied carbon, with the lifetime and utilisation given. Raises UsageError."""
    if name not in devices():
        raise _no("device with known embodied CO2e", name, devices())
    made = factors()[f"embodied.{name}"]
    return Device(
        made,
        stated("--lifetime", lifetime_yr, "yr", "device"),
        stated("--utilisation", utilisation, "1", "device"),
    )


def site(name: str) -> Site:
    """A site whose water is known. Raises UsageError."""
    if name not in sites():
        raise _no("site with known water", name, sites())
    return Site(factors()[f"water.{name}.on-site"], factors()[f"water.{name}.off-site"])


def _no(kind: str, name: str, known: list[str]) -> UsageError:
    """All that are known: the nearest name may be another card or site, not a mistyped one."""
    return UsageError(f'Unknown {kind} "{name}".', f"Known: {', '.join(known)}.")


class AssessedRow(NamedTuple):
    """Derived figures of one row, and those that are absent."""

    row: MeasuredRow
    chains: dict[str, Chain[Any]]
    absent: dict[str, str]


def assessed(row: MeasuredRow, given: Assumptions) -> AssessedRow:
    """Everything that a row gives, and the reasons for what it cannot give."""
    return AssessedRow(row, assess(row, given), not_computed(row, given))


def assess(row: MeasuredRow, given: Assumptions) -> dict[str, Chain[Any]]:
    """Per unit of output: CO2e of the electricity, and what else the assumptions allow, by name."""
    energy = row.energy(given.pue)
    operation = carbon(energy, given.grid)
    chains: dict[str, Chain[Any]] = {"electricity": operation}
    if given.device is not None and (time := _device_time(row)) is not None:
        made = embodied(time / (given.device.embodied.cards or 1), given.device)
        chains["SCI"] = sci(energy, given.grid, made, 1.0, row.unit)
        if row.scope in MACHINE_SCOPES:
            chains["life cycle"] = lifecycle(operation, made)
    if given.site is not None and given.pue is not None and row.scope in MACHINE_SCOPES:
        chains["water"] = water(row.energy(), given.pue, given.site.on_site, given.site.off_site)
    if given.price is not None:
        chains["money"] = money(energy, given.price)
    return chains


def not_computed(row: MeasuredRow, given: Assumptions) -> dict[str, str]:
    """Requested figures that this row's joules cannot give, by name, each with the reason."""
    absent = {}
    if row.scope not in MACHINE_SCOPES:
        reason = f"needs scope {' or '.join(MACHINE_SCOPES)}; scope {row.scope} leaves the host out"
        wanted = {"facility": given.pue, "water": given.site, "life cycle": given.device}
        absent = {name: reason for name, assumption in wanted.items() if assumption is not None}
    if given.device is not None and _device_time(row) is None:
        absent |= dict.fromkeys(("SCI", "life cycle"), "the record has no time per unit")
    return absent


def _device_time(row: MeasuredRow) -> Seconds | None:
    """Seconds of cards that one unit takes. Raises UsageError where none was metered at work."""
    figures, machine = row.record.figures, row.record.machine
    cards = len(gpus(figures.energy_per_unit_j[row.scope].domains))
    if not cards or machine.device == "cpu":
        raise UsageError(
            f"{row.record.label} ran without a metered card: no card's making can be charged to it.",
            "Leave out --device.",
        )
    if (time := figures.time_per_unit_s) is None:
        return None
    return Seconds(Range.of(time.value, time.low, time.high) * cards)
