"""What state a card is in: identity, limits, clocks, temperature, throttling, who else uses it.

All of it is asked outside measured windows; a process list alone costs milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

import pynvml

from bench.core.machine import GpuFacts
from bench.core.provenance import GpuState
from bench.meters.nvml import Gpu, ask, reason_of, text_of

T = TypeVar("T")

MODULE_COUNTER = re.compile(r"\bG[HB]\d{3}\b|\bGrace\b")
"""Grace Hopper and its successors by name: one counter for GPU, CPU and memory of the module."""


def identity(gpu: Gpu) -> GpuFacts:
    """What stays the same from run to run and makes this card this card."""
    handle, absent = gpu.handle, dict[str, str]()

    def read(key: str, call: Callable[[], T]) -> T | None:
        value, reason = ask(call)
        if reason is not None:
            absent[key] = reason
        return value

    facts = GpuFacts(
        index=gpu.index,
        uuid=gpu.uuid,
        name=gpu.name,
        memory_bytes=read("memory_bytes", lambda: int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)),
        power_limit_w=read(
            "power_limit_w", lambda: float(pynvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3)
        ),
        power_limit_default_w=read(
            "power_limit_default_w",
            lambda: float(pynvml.nvmlDeviceGetPowerManagementDefaultLimit(handle) / 1e3),
        ),
        max_sm_clock_mhz=read(
            "max_sm_clock_mhz", lambda: int(pynvml.nvmlDeviceGetMaxClockInfo(handle, pynvml.NVML_CLOCK_SM))
        ),
        mig=read("mig", lambda: bool(pynvml.nvmlDeviceGetMigMode(handle)[0])),
        persistence_mode=read("persistence_mode", lambda: bool(pynvml.nvmlDeviceGetPersistenceMode(handle))),
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
    version, no_version = ask(lambda: text_of(pynvml.nvmlSystemGetDriverVersion))
    cuda, no_cuda = ask(pynvml.nvmlSystemGetCudaDriverVersion_v2)
    cuda_text = None if cuda is None else f"{cuda // 1000}.{cuda % 1000 // 10}"
    reasons = {"driver": no_version, "cuda_driver": no_cuda}
    absent = {key: reason for key, reason in reasons.items() if reason is not None}
    return DriverVersions(version, cuda_text, absent)


def counts_more(gpu: Gpu) -> Literal["mig", "module"] | None:
    """Whether the card's counter covers more than the work can have used: other slices, or a whole module."""
    if ask(lambda: bool(pynvml.nvmlDeviceGetMigMode(gpu.handle)[0]))[0]:
        return "mig"
    return "module" if MODULE_COUNTER.search(gpu.name) else None


def memory_free_bytes(gpu: Gpu) -> int | None:
    """Free memory of the card now, or `None` where it cannot be read."""
    free, _ = ask(lambda: int(pynvml.nvmlDeviceGetMemoryInfo(gpu.handle).free))
    return free


def snapshot(gpu: Gpu) -> GpuState:
    """Temperature, clocks, throttle mask and utilisation now; `None` where a card has no such reading."""
    handle = gpu.handle
    utilisation, _ = ask(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle))
    return GpuState(
        temperature_c=ask(lambda: pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))[0],
        sm_clock_mhz=ask(lambda: pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_SM))[0],
        memory_clock_mhz=ask(lambda: pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_MEM))[0],
        throttle_mask=ask(lambda: int(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)))[0],
        utilisation_percent=None if utilisation is None else int(utilisation.gpu),
    )


def compute_processes(gpu: Gpu) -> tuple[set[int] | None, str | None]:
    """Ids of the processes that compute on the card; or `None` and the reason.

    Processes that only draw (a desktop) are left out. In a container the ids may be another namespace's.
    """
    listed, reason = ask(lambda: pynvml.nvmlDeviceGetComputeRunningProcesses(gpu.handle))
    return (None if listed is None else {int(process.pid) for process in listed}), reason


class User(NamedTuple):
    """A process on a card; its memory is `None` where NVML does not tell it."""

    pid: int
    memory_bytes: int | None


def users(gpu: Gpu) -> tuple[tuple[User, ...] | None, str | None]:
    """Every process on the card, those that only draw among them; or `None` and the reason."""
    found: dict[int, User] = {}
    lists = (pynvml.nvmlDeviceGetComputeRunningProcesses, pynvml.nvmlDeviceGetGraphicsRunningProcesses)
    for listing in lists:
        listed, reason = ask(lambda listing=listing: listing(gpu.handle))  # type: ignore[misc]
        if listed is None:
            return None, reason
        for process in listed:
            found.setdefault(int(process.pid), User(int(process.pid), process.usedGpuMemory))
    return tuple(found.values()), None


def sm_shares(gpu: Gpu, since_unix_s: float) -> tuple[dict[int, float] | None, str | None]:
    """Each process' share of the SMs' time in percent, a mean since then; or `None` and the reason."""
    try:
        samples = pynvml.nvmlDeviceGetProcessUtilization(gpu.handle, round(since_unix_s * 1e6))
    except pynvml.NVMLError_NotFound:  # nobody has worked since
        return {}, None
    except pynvml.NVMLError as error:
        return None, reason_of(error)
    shares: dict[int, list[int]] = {}
    for sample in samples:
        shares.setdefault(int(sample.pid), []).append(int(sample.smUtil))
    return {pid: sum(found) / len(found) for pid, found in shares.items()}, None
