"""Joules of domains over one window, and the one way in which they are added up.

block.joules("host").gross_j      # None unless every domain of the scope has a reading
block.joules("host").reason       # which domain has none, and why
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from bench.core.model import SchemaModel

DomainKind = Literal["measured", "estimated"]


FigureKind = Literal["measured", "estimated", "mixed"]
"""`mixed`: a sum of measured and estimated domains, as listed in `domains`."""


class DomainEnergy(SchemaModel):
    """One domain's energy over one window. `net_j` is gross minus idle power times the window's length."""

    gross_j: float | None
    net_j: float | None = None
    source: str
    """`counter-padded` (free of its tick), `counter`, `power-integration-*`, `rapl`, `codecarbon`."""
    kind: DomainKind
    reason: str | None = None
    """Reason for a value of `null`."""
    plain_j: float | None = None
    """The counter's mere difference at the edges, beside `counter-padded` as its check; else `null`."""
    rests_j: float | None = None
    """Joules of the rests between batches; `gross_j` and `plain_j` are without them. `null`: no rests."""
    rests_u_j: Annotated[float, Field(ge=0)] | None = None
    """Standard uncertainty of `rests_j` where the counter showed them; `null`: taken at the power beside."""
    edge_u_j: Annotated[float, Field(ge=0)] | None = None
    """Standard uncertainty in joules that the window's two edges leave in `gross_j`; `null`: unknown."""
    edge_common_u_j: Annotated[float, Field(ge=0)] | None = None
    """The part of `edge_u_j` that all windows of a case share: that of the counter's delay."""
    node: str | None = None
    """Node of a server whose metering agent read it; `null`: this machine."""
    clock_u_j: Annotated[float, Field(ge=0)] | None = None
    """Standard uncertainty in joules by the offset between the node's clock and ours; `null`: one clock."""

    @property
    def with_rests_j(self) -> float | None:
        """Joules of the whole window, those of the rests inside it included."""
        return None if self.gross_j is None else self.gross_j + (self.rests_j or 0.0)


class EnergySum(NamedTuple):
    """Joules of several domains over one window; a value is `None` unless every domain has one."""

    gross_j: float | None
    net_j: float | None
    kind: FigureKind
    reason: str | None
    """Reason for a value of `None`."""


IDLE_UNKNOWN = "idle power is not known for every domain"


def energy_sum(energy: Mapping[str, DomainEnergy], domains: Collection[str]) -> EnergySum:
    """The joules of some domains together; `None` with the reason where one of them has no reading."""
    found = {name: energy.get(name) for name in domains}
    gross_j = complete_sum(each.gross_j if each else None for each in found.values())
    net_j = complete_sum(each.net_j if each else None for each in found.values())
    reason = None
    if not found:
        reason = "no domain was metered"
    elif gross_j is None:
        reason = missing_readings([energy], domains)
    elif net_j is None:
        reason = IDLE_UNKNOWN
    return EnergySum(gross_j, net_j, combined_kind(each.kind for each in found.values() if each), reason)


def gross_over(windows: Iterable[Mapping[str, DomainEnergy]], domains: Collection[str]) -> float | None:
    """Gross joules of some domains over several windows; `None` where one has no reading, or no window."""
    return complete_sum(energy_sum(window, domains).gross_j for window in windows)


def missing_readings(windows: Collection[Mapping[str, DomainEnergy]], domains: Iterable[str]) -> str:
    """Domains without a reading in one of the windows, with the reason."""
    lacking = {}
    for name in domains:
        found = [window.get(name) for window in windows]
        if any(each is None or each.gross_j is None for each in found):
            lacking[name] = next((each.reason for each in found if each and each.reason), "no reading")
    return "; ".join(f"{name}: {reason}" for name, reason in lacking.items())


def complete_sum(values: Iterable[float | None]) -> float | None:
    """The sum; `None` where a value is missing or there is none. A part is never taken for the whole."""
    listed = list(values)
    known = [float(value) for value in listed if value is not None]
    return sum(known) if known and len(known) == len(listed) else None


def combined_kind(kinds: Iterable[FigureKind]) -> FigureKind:
    """The kind of a sum: that of its parts where they agree, else `mixed`."""
    distinct = set(kinds)
    return distinct.pop() if len(distinct) == 1 else "mixed"
