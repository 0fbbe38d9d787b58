"""Metrics of the roles of a server over nodes: joules per unit of `prefill`, `decode`, ...

    [metric.name for metric in role_metrics(a, b)]      # ["role decode", "role prefill"]

A role's joules may fall because its work moved to another role, so neither less nor more of them is better:
the verdict is that of the sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from bench.compare.metrics import HEADLINE, Metric, headline_domains
from bench.core.measurement import Measurement
from bench.stats.figures import counting


def role_metrics(*records: Measurement) -> Iterator[Metric]:
    """A metric for each role that a node of one of the records has."""
    for role in sorted({role for record in records for role in record.machine.roles.values()}):
        yield replace(
            HEADLINE,
            name=f"role {role}",
            template=f"J/{{unit}}, {_literal(role)}",
            better=None,
            about=f"gross joules per unit of the nodes of role {role}",
            lacking="a node of this role has no reading, or none has the role",
            domains=partial(_domains, role),
        )


def _domains(role: str, record: Measurement) -> list[str]:
    """Those of the headline's domains that a node of the role has."""
    energies = [block.energy for block in counting(record.blocks)]
    node_of = {name: energy.node for block in energies for name, energy in block.items()}
    roles = record.machine.roles
    return [name for name in headline_domains(record) if roles.get(str(node_of.get(name))) == role]


def _literal(role: str) -> str:
    """A role without meaning to `str.format`: a file may have any text there."""
    return role.replace("{", "{{").replace("}", "}}")
