"""A card as all rooms use it, and the facts of its vendor's driver that are read before a card.

    for gpu in drivers.gpus:
        print(gpu.index, gpu.uuid, gpu.sample().energy_j, gpu.snapshot().temperature_c)

A vendor's own class overrides `sample`, and of the rest what its driver offers; what it leaves is absent with
a reason. No method raises for a reading that fails. All but `sample` and `read` are asked outside measured
windows: a process list alone costs milliseconds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from bench.core.domain import Domain
from bench.core.machine import GpuFacts
from bench.core.observed import WiderCounter
from bench.core.provenance import GpuState
from bench.core.source import GainPrior
from bench.meters.base import Reading

NOT_OFFERED = "its driver does not offer it"


@dataclass(frozen=True)
class GpuDriverFacts:
    """A vendor's driver: how it is called, and what other programs know of its cards.

    `source` names it in records, `library` in sentences. `visible_by` is the variable that lists by UUID the
    cards the work may see; without one, or a name in torch, they are metered only. `order` is set
    for the work, unless it is set already, so that its numbers are those of the driver. `gain` is what the
    joules of its cards may be off by, offset included; `None`, where nothing is stated: `bench.stats.budget`
    has what was published of some sources. `commands` are a person's remedies by the doctor's finding, with
    `{number}` for the card's number, `{watts}` for its default power limit and `{branch}` for the first part
    of the driver's version.
    """

    source: str
    vendor: str
    library: str
    gain: GainPrior | None
    visible_by: str | None = None
    order: Mapping[str, str] = field(default_factory=dict)
    codecarbon_program: str | None = None
    """Program that CodeCarbon starts before it reads these cards, by their numbers; `None` if it does not."""
    torch_device: str | None = None
    """Torch's word for these cards (`cuda`, also of ROCm; `xpu`); without one no engine works on them."""
    uncounted: Mapping[str, str] = field(default_factory=dict)
    """Beginnings of names, in capitals, of what has no energy counter of its own, with what it is."""
    pci_vendor: str | None = None
    commands: Mapping[str, str] = field(default_factory=dict)

    @property
    def takes_work(self) -> bool:
        """Whether a case can be placed on its cards: others are metered only."""
        return self.visible_by is not None and self.torch_device is not None

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that decide which of its cards the work sees, in which order."""
        return tuple(filter(None, (self.visible_by, *self.order)))


@dataclass(frozen=True)
class GpuSample:
    """One look at a card: cumulative joules and two powers, each `None` where the card has none.

    `reason` is that of an energy of `None`.
    """

    t_ns: int
    energy_j: float | None
    power_instant_w: float | None
    power_average_w: float | None
    reason: str | None = None


class CardProcess(NamedTuple):
    """A process on a card; its memory is `None` where the driver does not give it."""

    pid: int
    memory_bytes: int | None


class CardRefusal(NamedTuple):
    """Fault of a card that keeps work from it, and the way out."""

    reason: str
    remedy: str


class DriverVersions(NamedTuple):
    """Versions of a driver, and of CUDA where it has that; `None` with the reason in `absent`."""

    driver: str | None
    cuda_driver: str | None
    absent: dict[str, str]


@dataclass(frozen=True)
class Gpu:
    """One card: its driver's number (not CUDA's), UUID and name.

    `first_index` is the index on this machine of the driver's first card: see `bench.meters.gpus`.
    """

    number: int
    uuid: str
    name: str
    first_index: int = 0

    facts: ClassVar[GpuDriverFacts]

    @property
    def index(self) -> int:
        """Its number among all cards of this machine."""
        return self.first_index + self.number

    @property
    def domain(self) -> str:
        """`gpu:<uuid>`."""
        return Domain.gpu(self.uuid).text

    def sample(self) -> GpuSample:
        """Energy, instant and average power, by as few calls as the driver allows."""
        return GpuSample(time.monotonic_ns(), None, None, None, NOT_OFFERED)

    def read(self) -> Reading:
        """The energy counter alone, for a window's edge."""
        sample = self.sample()
        return Reading(sample.t_ns, sample.energy_j, sample.reason)

    def versions(self) -> DriverVersions:
        """Versions of its driver."""
        return DriverVersions(None, None, {"driver": NOT_OFFERED})

    def identity(self) -> GpuFacts:
        """Facts that stay the same from run to run."""
        return GpuFacts(index=self.index, uuid=self.uuid, name=self.name)

    def snapshot(self) -> GpuState:
        """Temperature, clocks, throttle mask and utilisation now; `None` where a card has no such reading."""
        return GpuState()

    def counts_more(self) -> WiderCounter | None:
        """Whether its counter covers more than the work can have used: other slices, or a whole module."""
        return None

    def refusal(self) -> CardRefusal | None:
        """Reason why no case may run on it, where its joules would not be those of the work."""
        return None

    def memory_free_bytes(self) -> int | None:
        """Free memory now, or `None` where it cannot be read."""
        return None

    def compute_processes(self) -> tuple[set[int] | None, str | None]:
        """Ids of the processes that compute on it; or `None` and the reason.

        Processes that only draw (a desktop) are left out. In a container the ids may be another namespace's.
        """
        return None, NOT_OFFERED

    def users(self) -> tuple[tuple[CardProcess, ...] | None, str | None]:
        """Every process on it, those that only draw among them; or `None` and the reason."""
        return None, NOT_OFFERED

    def busy_shares(self, since_unix_s: float) -> tuple[dict[int, float] | None, str | None]:
        """Each process' share of its time in percent, a mean since then; or `None` and the reason."""
        del since_unix_s
        return None, NOT_OFFERED
