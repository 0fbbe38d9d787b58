"""State of a card: identity, limits, clocks, temperature, throttling, other processes.

All of it is asked outside measured windows; a process list alone costs milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar

from bench.core.machine import GpuFacts
from bench.core.provenance import GpuState
from bench.meters import nvml_library as library
from bench.meters.nvml import Gpu
from bench.meters.nvml_library import CardProcess, ask

T = TypeVar("T")

MODULE_COUNTER = re.compile(r"\bG[HB]\d{3}\b|\bGrace\b")
"""Grace Hopper and its successors by name: one counter for GPU, CPU and memory of the module."""


def identity(gpu: Gpu) -> GpuFacts:
    """Identity of a card, the same from run to run."""
    absent: dict[str, str] = {}

    def read(key: str, call: Callable[[Any], T]) -> T | None:
        value, reason = ask(lambda: call(gpu.handle))
        if reason is not None:
            absent[key] = reason
        return value

    facts = GpuFacts(
        index=gpu.index,
        uuid=gpu.uuid,
        name=gpu.name,
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


class DriverVersions(NamedTuple):
    """Driver and CUDA versions; `None` with the reason in `absent`."""

    driver: str | None
    cuda_driver: str | None
    absent: dict[str, str]


def driver() -> DriverVersions:
    """Driver and CUDA versions as NVML reports them."""
    (version, no_version), (cuda, no_cuda) = ask(library.driver_version), ask(library.cuda_version)
    reasons = {"driver": no_version, "cuda_driver": no_cuda}
    return DriverVersions(version, cuda, {key: reason for key, reason in reasons.items() if reason})


def counts_more(gpu: Gpu) -> Literal["mig", "module"] | None:
    """Whether the card's counter covers more than the work can have used: other slices, or a whole module."""
    if ask(lambda: library.mig_is_on(gpu.handle))[0]:
        return "mig"
    return "module" if MODULE_COUNTER.search(gpu.name) else None


def memory_free_bytes(gpu: Gpu) -> int | None:
    """Free memory of the card now, or `None` where it cannot be read."""
    return _now(gpu, library.memory_free_bytes)


def snapshot(gpu: Gpu) -> GpuState:
    """Temperature, clocks, throttle mask and utilisation now; `None` where a card has no such reading."""
    return GpuState(
        temperature_c=_now(gpu, library.temperature_c),
        sm_clock_mhz=_now(gpu, library.sm_clock_mhz),
        memory_clock_mhz=_now(gpu, library.memory_clock_mhz),
        throttle_mask=_now(gpu, library.throttle_mask),
        utilisation_percent=_now(gpu, library.utilisation_percent),
    )


def _now(gpu: Gpu, call: Callable[[Any], T]) -> T | None:
    return ask(lambda: call(gpu.handle))[0]


def compute_processes(gpu: Gpu) -> tuple[set[int] | None, str | None]:
    """Ids of the processes that compute on the card; or `None` and the reason.

    Processes that only draw (a desktop) are left out. In a container the ids may be another namespace's.
    """
    listed, reason = ask(lambda: library.compute_processes(gpu.handle))
    return (None if listed is None else {process.pid for process in listed}), reason


def users(gpu: Gpu) -> tuple[tuple[CardProcess, ...] | None, str | None]:
    """Every process on the card, those that only draw among them; or `None` and the reason."""
    found: dict[int, CardProcess] = {}
    for listing in (library.compute_processes, library.graphics_processes):
        listed, reason = ask(lambda listing=listing: listing(gpu.handle))  # type: ignore[misc]
        if listed is None:
            return None, reason
        for process in listed:
            found.setdefault(process.pid, process)
    return tuple(found.values()), None


def sm_shares(gpu: Gpu, since_unix_s: float) -> tuple[dict[int, float] | None, str | None]:
    """Each process' share of the SMs' time in percent, a mean since then; or `None` and the reason."""
    samples, reason = ask(lambda: library.sm_samples_percent(gpu.handle, since_unix_s))
    if samples is None:
        return None, reason
    shares: dict[int, list[int]] = {}
    for pid, percent in samples:
        shares.setdefault(pid, []).append(percent)
    return {pid: sum(found) / len(found) for pid, found in shares.items()}, None
