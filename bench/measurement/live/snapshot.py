"""One moment of a live view: every domain, who is on each card, and the sums by scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.core.domain import CPU_ESTIMATE, RAM_ESTIMATE, Domain, by_scope
from bench.core.energy import DomainKind, FigureKind, combined_kind, complete_sum
from bench.measurement.live.written_tokens import TokenSnapshot
from bench.meters.gpu import Gpu


@dataclass(frozen=True)
class GpuUserSnapshot:
    """A process on a card. `energy_j` is `None`, with a `reason`, if it was not alone on it."""

    pid: int
    name: str | None
    memory_bytes: int | None
    sm_percent: float | None
    energy_j: float | None
    reason: str | None


@dataclass(frozen=True)
class GpuSnapshot:
    """State of a card now, and its processes (`None` if they cannot be listed).

    `throttle` are the reasons for which it runs slower than asked now; `note` is a remark on its
    processes, or of a counter that covers more than the card.
    """

    index: int
    name: str
    temperature_c: float | None
    sm_clock_mhz: float | None
    memory_clock_mhz: float | None
    throttle: tuple[str, ...] | None
    utilisation_percent: float | None
    users: tuple[GpuUserSnapshot, ...] | None
    note: str | None


@dataclass(frozen=True)
class DomainSnapshot:
    """A domain's power now and its joules since the start, which belong to `seconds`; `lost_s` have none."""

    domain: str
    kind: DomainKind
    source: str
    power_w: float | None
    power_source: str | None
    energy_j: float | None
    seconds: float
    lost_s: float
    reason: str | None
    card: GpuSnapshot | None = None

    @property
    def mean_w(self) -> float | None:
        """Mean power since the start, where anything is counted."""
        return self.energy_j / self.seconds if self.energy_j is not None and self.seconds else None

    @property
    def label(self) -> str:
        """`GPU 0 H200`, `CPU package-0`, `memory (estimated)`."""
        return label(self.domain, self.kind, self.card)


DEVICE_LABELS = {"cpu": "CPU", "dram": "DRAM", CPU_ESTIMATE: "CPU", RAM_ESTIMATE: "memory"}


def label(domain: str, kind: DomainKind, card: GpuSnapshot | Gpu | None) -> str:
    """A domain as a person calls it."""
    if card is not None:
        return f"GPU {card.index} {card.name.removeprefix('NVIDIA ')}"
    parsed = Domain.parse(domain)
    name = DEVICE_LABELS.get(parsed.prefix, parsed.prefix)
    return f"{name} {parsed.name}".rstrip() + (" (estimated)" if kind == "estimated" else "")


@dataclass(frozen=True)
class ScopeTotal:
    """The sum over a scope's domains, `None` where a single one of them is not known.

    `power_w` is now, `mean_w` since the start.
    """

    power_w: float | None
    mean_w: float | None
    energy_j: float | None
    kind: FigureKind
    reason: str | None


@dataclass(frozen=True)
class Snapshot:
    """Everything at one moment. `absent` are domains that cannot be read here, with reasons."""

    elapsed_s: float
    domains: tuple[DomainSnapshot, ...]
    absent: dict[str, str]
    totals: dict[str, ScopeTotal]
    tokens: TokenSnapshot | None = None
    """Of a server beside; `None` where none is asked for."""


def totals(domains: Sequence[DomainSnapshot], *, whole_host: bool) -> dict[str, ScopeTotal]:
    """The sums at scope `gpu`, and at scope `host` where all of it is there."""
    by_name = {each.domain: each for each in domains}
    scopes = by_scope(list(by_name))
    return {
        scope: _total([by_name[name] for name in names])
        for scope, names in scopes.items()
        if scope != "host" or whole_host
    }


def _total(parts: Sequence[DomainSnapshot]) -> ScopeTotal:
    unknown = [part.label for part in parts if part.energy_j is None or part.lost_s]
    return ScopeTotal(
        power_w=complete_sum([part.power_w for part in parts]),
        mean_w=complete_sum([part.mean_w for part in parts]),
        energy_j=complete_sum([part.energy_j for part in parts]),
        kind=combined_kind(part.kind for part in parts),
        reason=f"not all is known of {', '.join(unknown)}" if unknown else None,
    )
