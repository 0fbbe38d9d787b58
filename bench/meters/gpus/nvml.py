"""NVIDIA's cards through NVML. Each call to the driver is in `bench.meters.nvml_library`."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bench.core.machine import GpuFacts
from bench.core.observed import WiderCounter
from bench.core.provenance import GpuState
from bench.meters import nvml_library as library
from bench.meters.gpu import CardProcess, CardRefusal, DriverVersions, Gpu, GpuDriverFacts, GpuSample
from bench.meters.nvml_library import NVMLError, ask, reason_of

T = TypeVar("T")

FACTS = GpuDriverFacts(
    source="nvml",
    vendor="NVIDIA",
    library="NVML",
    gain=None,  # eleven cards' errors are published: `bench.stats.budget.gains`
    visible_by="CUDA_VISIBLE_DEVICES",
    # NVML counts by bus, CUDA the fastest first by default: `cuda:0` has to be NVML's first card.
    order={"CUDA_DEVICE_ORDER": "PCI_BUS_ID"},
    codecarbon_program="nvidia-smi",
    torch_device="cuda",
    uncounted={"MIG-": "MIG slice"},
    pci_vendor="0x10de",
    commands={
        "driver": "nvidia-smi",
        "driver in a container": "docker run --gpus all ...",
        "lost card": "sudo dmesg | grep -i -e xid -e nvrm",
        "energy counter": "nvidia-smi -q -d POWER",
        "temperature": "nvidia-smi -i {number} -q -d TEMPERATURE",
        "throttling": "nvidia-smi -i {number} -q -d PERFORMANCE",
        "power limit": "sudo nvidia-smi -i {number} -pl {watts:.0f}",
        "persistence mode": "sudo nvidia-smi -i {number} -pm 1",
        "MIG": "sudo nvidia-smi -i {number} -mig 0",
        "other programs": "nvidia-smi --query-compute-apps=pid,name,used_memory --format=csv",
        "nvidia-smi": "sudo apt-get install nvidia-utils-{branch}",
    },
)
MODULE_COUNTER = re.compile(r"\bG[HB]\d{3}\b|\bGrace\b")
"""Grace Hopper and its successors by name: one counter for GPU, CPU and memory of the module."""


@dataclass(frozen=True)
class NvmlGpu(Gpu):
    """One NVIDIA card, with NVML's handle of it."""

    handle: Any = field(default=None, compare=False, repr=False)

    facts = FACTS

    def sample(self) -> GpuSample:
        """Energy, instant and average power in one call to the driver.

        A power that no card can draw is `None`: drivers answer 2³² − 1 mW where they have no value.
        """
        t_ns = time.monotonic_ns()
        try:
            values = library.field_values(self.handle)
        except NVMLError:
            return self._sample_singly(t_ns, None, None)
        if values.energy_j is None:
            return self._sample_singly(t_ns, values.power_instant_w, values.power_average_w)
        return GpuSample(t_ns, *values)

    def _sample_singly(self, t_ns: int, instant_w: float | None, average_w: float | None) -> GpuSample:
        """For drivers with the counter's own call but without its field, or without fields."""
        energy_j, reason = ask(lambda: library.total_energy_j(self.handle))
        if average_w is None:
            average_w, _ = ask(lambda: library.power_usage_w(self.handle))
        return GpuSample(t_ns, energy_j, instant_w, average_w, reason)

    def versions(self) -> DriverVersions:
        """Driver and CUDA versions as NVML reports them."""
        return versions()

    def identity(self) -> GpuFacts:
        """Index, UUID, name, memory, limits and modes."""
        absent: dict[str, str] = {}

        def read(key: str, call: Callable[[Any], T]) -> T | None:
            value, reason = ask(lambda: call(self.handle))
            if reason is not None:
                absent[key] = reason
            return value

        facts = GpuFacts(
            index=self.index,
            uuid=self.uuid,
            name=self.name,
            memory_bytes=read("memory_bytes", library.memory_total_bytes),
            power_limit_w=read("power_limit_w", library.power_limit_w),
            power_limit_default_w=read("power_limit_default_w", library.power_limit_default_w),
            max_sm_clock_mhz=read("max_sm_clock_mhz", library.max_sm_clock_mhz),
            mig=read("mig", library.mig_is_on),
            persistence_mode=read("persistence_mode", library.persistence_is_on),
        )
        if absent:
            facts.absent = absent
        return facts

    def snapshot(self) -> GpuState:
        """State now; NVML's mask of throttle reasons has the bits that records have."""
        return GpuState(
            temperature_c=self._now(library.temperature_c),
            sm_clock_mhz=self._now(library.sm_clock_mhz),
            memory_clock_mhz=self._now(library.memory_clock_mhz),
            throttle_mask=self._now(library.throttle_mask),
            utilisation_percent=self._now(library.utilisation_percent),
        )

    def _now(self, call: Callable[[Any], T]) -> T | None:
        return ask(lambda: call(self.handle))[0]

    def counts_more(self) -> WiderCounter | None:
        """`mig` where the card is split, `module` by the card's name."""
        if self._now(library.mig_is_on):
            return "mig"
        return "module" if MODULE_COUNTER.search(self.name) else None

    def refusal(self) -> CardRefusal | None:
        """A card that is split into slices."""
        if not self._now(library.mig_is_on):
            return None
        reason = f"{self.name} ({self.uuid}) is split into MIG slices, which have no counters."
        return CardRefusal(reason, "Name another card with --gpus, or measure where MIG is off.")

    def memory_free_bytes(self) -> int | None:
        """Free memory now."""
        return self._now(library.memory_free_bytes)

    def compute_processes(self) -> tuple[set[int] | None, str | None]:
        """Ids of the processes with a compute context."""
        listed, reason = ask(lambda: library.compute_processes(self.handle))
        return (None if listed is None else {process.pid for process in listed}), reason

    def users(self) -> tuple[tuple[CardProcess, ...] | None, str | None]:
        """Processes with a compute or a graphics context."""
        found: dict[int, CardProcess] = {}
        for listing in (library.compute_processes, library.graphics_processes):
            listed, reason = ask(lambda listing=listing: listing(self.handle))  # type: ignore[misc]
            if listed is None:
                return None, reason
            for process in listed:
                found.setdefault(process.pid, process)
        return tuple(found.values()), None

    def busy_shares(self, since_unix_s: float) -> tuple[dict[int, float] | None, str | None]:
        """Each process' share of the SMs' time."""
        samples, reason = ask(lambda: library.sm_samples_percent(self.handle, since_unix_s))
        if samples is None:
            return None, reason
        shares: dict[int, list[int]] = {}
        for pid, percent in samples:
            shares.setdefault(pid, []).append(percent)
        return {pid: sum(found) / len(found) for pid, found in shares.items()}, None


def versions() -> DriverVersions:
    """Driver and CUDA versions as NVML reports them."""
    (version, no_version), (cuda, no_cuda) = ask(library.driver_version), ask(library.cuda_version)
    reasons = {"driver": no_version, "cuda_driver": no_cuda}
    return DriverVersions(version, cuda, {key: reason for key, reason in reasons.items() if reason})


class Nvml:
    """A connection to NVML."""

    facts = FACTS

    def __init__(self, first_index: int = 0) -> None:
        self.absent: str | None = None
        self.gpus: tuple[Gpu, ...] = ()
        self.lost: dict[str, str] = {}
        self._connected = False
        try:
            library.connect()
        except NVMLError as error:
            self.absent = reason_of(error)
            return
        self._connected = True
        try:
            self.gpus = tuple(self._enumerate(first_index))
        except NVMLError as error:
            self.absent = reason_of(error)
        if not self.gpus and self.absent is None:
            self.absent = next(iter(self.lost.values()), "the driver reports no GPU")

    def _enumerate(self, first_index: int) -> list[NvmlGpu]:
        found = []
        for card in library.cards():
            if card.reason is not None:
                self.lost[str(first_index + card.number)] = card.reason
            else:
                found.append(NvmlGpu(card.number, card.uuid, card.name, first_index, card.handle))
        return found

    def versions(self) -> DriverVersions:
        """Driver and CUDA versions."""
        return versions()

    def close(self) -> None:
        """End the connection; harmless where there was none."""
        if self._connected:
            with contextlib.suppress(NVMLError):  # a driver that went away has ended it already
                library.disconnect()
        self._connected, self.gpus = False, ()


def open_driver(first_index: int) -> Nvml:
    """Connect to NVIDIA's driver."""
    return Nvml(first_index)
