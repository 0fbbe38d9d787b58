"""The machine of a record: cards, processor, driver, what was metered, and what was known of its sensors.

    record.machine.driver                 # "580.95.05"
    record.machine.gpus[0].power_limit_w  # 700.0

Identity is what stays from run to run; what changes by the minute is in the blocks and in the provenance.
Keys that code does not read are kept as they are, and a key that a file lacks is not written.
"""

from __future__ import annotations

from pydantic import Field

from bench.core.calibration import Calibration
from bench.core.clocks import ClockOffset, ClockSync
from bench.core.model import Number, OpenModel
from bench.core.source import GainPrior


class CpuFacts(OpenModel):
    """The processor by the name that the system gives it."""

    model: str | None = None
    logical_cores: int | None = None
    physical_cores: int | None = None


class GpuFacts(OpenModel):
    """One card: what makes it this card, and the limits that are set."""

    index: int | None = None
    uuid: str | None = None
    name: str | None = None
    memory_bytes: Number | None = None
    power_limit_w: Number | None = None
    power_limit_default_w: Number | None = None
    max_sm_clock_mhz: Number | None = None
    mig: bool | None = None
    persistence_mode: bool | None = None
    absent: dict[str, str] = Field(default_factory=dict)


class SourceUsed(OpenModel):
    """An energy source: what it read, and what its joules may be off by, where it states that."""

    domains: list[str] = Field(default_factory=list)
    gain: GainPrior | None = None


class ServingNode(OpenModel):
    """A node of a server that is spread over several, as its metering agent described it."""

    role: str | None = None
    """As it was named: `prefill`, `decode`, ..."""
    machine: str | None = None
    machine_id: str | None = None
    gpus: list[GpuFacts] = Field(default_factory=list)
    """The metered cards."""
    driver: str | None = None
    domains: list[str] = Field(default_factory=list)
    clock: ClockOffset | None = None
    sync: ClockSync | None = None
    absent: dict[str, str] = Field(default_factory=dict)


class Machine(OpenModel):
    """The device that the work ran on. `name` is for people; `id` stays the same from run to run."""

    name: str | None = None
    id: str | None = None
    cpu: CpuFacts | None = None
    memory_bytes: Number | None = None
    gpus: list[GpuFacts] = Field(default_factory=list)
    os: str | None = None
    container: bool | None = None
    lost_gpus: dict[str, str] = Field(default_factory=dict)
    """Cards that gave no identity, by index, with the reason."""
    driver: str | None = None
    cuda_driver: str | None = None
    absent: dict[str, str] = Field(default_factory=dict)
    calibration: dict[str, Calibration] = Field(default_factory=dict)
    """By UUID, as the run found them."""
    device: str | None = None
    """`cuda` or `cpu`: where the model was."""
    metered: list[str] = Field(default_factory=list)
    """UUIDs of the cards whose joules are in the figures."""
    energy_sources: dict[str, SourceUsed] = Field(default_factory=dict)
    """By the source's name."""
    nodes: dict[str, ServingNode] = Field(default_factory=dict)
    """Nodes of the server that was measured, by their agents; `gpus` are their cards then."""

    @property
    def roles(self) -> dict[str, str]:
        """Role of each node that has one, by the node's name."""
        return {name: node.role for name, node in self.nodes.items() if node.role}

    @property
    def metered_gpus(self) -> list[GpuFacts]:
        """The facts of the metered cards, by UUID."""
        chosen = [gpu for gpu in self.gpus if gpu.uuid in self.metered]
        return sorted(chosen, key=lambda gpu: str(gpu.uuid))
