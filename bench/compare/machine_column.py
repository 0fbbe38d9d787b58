"""Column of a record in a table of machines side by side, and the model of its cards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

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
    cards: str = field(default="", compare=False)
    """`GPU 0`, where other cards of the machine were measured too; their identity is `card`."""

    @property
    def named(self) -> str:
        """Machine and cards, as it is headed: `Box, GPU 0`."""
        return ", ".join(filter(None, (self.machine, self.cards)))

    @property
    def like(self) -> tuple[str, str]:
        """Fields that figures must share to be ranked together."""
        return self.scope, self.kind


def column_of(record: Measurement) -> MachineColumn:
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


@dataclass(frozen=True, order=True)
class CardModel:
    """Names of the metered cards of a machine, and their power limits."""

    name: str
    limits: str


def card_model(record: Measurement) -> CardModel:
    """The model of a record's metered cards; without any, the processor's, or the machine's name."""
    machine = record.machine
    names = Counter(str(gpu.name) for gpu in machine.metered_gpus if gpu.name)
    watts = {gpu.power_limit_w for gpu in machine.metered_gpus if gpu.power_limit_w is not None}
    cpu = machine.cpu.model if machine.cpu else None
    named = " + ".join(name if n == 1 else f"{n} × {name}" for name, n in sorted(names.items()))
    each = " + ".join(f"{limit:g} W" for limit in sorted(watts))
    return CardModel(named or str(cpu or machine.name), each or "no limit known")
