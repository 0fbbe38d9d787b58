"""Column of a record in a table of machines side by side."""

from __future__ import annotations

from dataclasses import dataclass

from bench.compare.identity import card, facts
from bench.core.measurement import Measurement


@dataclass(frozen=True, order=True)
class MachineColumn:
    """A column: one machine in one state, seen at one scope by one kind of figure."""

    machine: str
    card: str
    driver: str
    limits: str
    scope: str
    kind: str

    @property
    def like(self) -> tuple[str, str]:
        """Fields that figures must share to be ranked together."""
        return self.scope, self.kind


def place(record: Measurement) -> MachineColumn:
    """The column of a record."""
    by_name = dict(facts(record))
    limits = by_name.get("machine.power_limit_w")
    watts = [f"{limit:g} W" for limit in limits or [] if isinstance(limit, int | float)]
    return MachineColumn(
        machine=str(record.machine.name),
        card=card(record),
        driver=f"driver {by_name.get('machine.driver') or 'not known'}",
        limits=" + ".join(watts) or "no limit known",
        scope=str(by_name["scope"]),
        kind=str(by_name["kind"]),
    )
