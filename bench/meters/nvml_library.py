"""NVIDIA's driver library, call by call, in base units: the only module that imports `pynvml`.

    watts, reason = ask(lambda: power_limit_w(handle))       # a value, or None and the reason in words

Milliwatts and millijoules become watts and joules here and nowhere else. Nothing here changes a setting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import pynvml

from bench.meters.base import PLAUSIBLE_W
from bench.meters.binding import refuse_another_pynvml
from bench.meters.gpu import CardProcess

refuse_another_pynvml(pynvml)

T = TypeVar("T")

NVMLError: type[Exception] = pynvml.NVMLError

REASONS = {
    pynvml.NVML_ERROR_NOT_SUPPORTED: "this GPU or driver does not support it",
    pynvml.NVML_ERROR_NO_PERMISSION: "this user may not read it",
    pynvml.NVML_ERROR_GPU_IS_LOST: "the GPU is lost (fallen off the bus)",
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: "no NVIDIA driver library (libnvidia-ml.so.1) was found",
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: "the NVIDIA driver is not loaded",
    pynvml.NVML_ERROR_FUNCTION_NOT_FOUND: "this driver is too old to offer it",
    pynvml.NVML_ERROR_TIMEOUT: "the driver did not answer in time",
    pynvml.NVML_ERROR_UNINITIALIZED: "the connection to the driver was closed",
    pynvml.NVML_ERROR_NO_DATA: "the driver has no data for it yet",
    pynvml.NVML_ERROR_RESET_REQUIRED: "the GPU needs a reset",
    pynvml.NVML_ERROR_IN_USE: "the GPU is in use by the driver",
    pynvml.NVML_ERROR_UNKNOWN: "the driver reported an unknown error",
}

POWER_AVERAGE, POWER_INSTANT, ENERGY = 185, 186, pynvml.NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION
"""Numbers of field values."""
MEMBERS = {
    pynvml.NVML_VALUE_TYPE_DOUBLE: "dVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_INT: "uiVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG: "ulVal",
    pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG: "ullVal",
    pynvml.NVML_VALUE_TYPE_SIGNED_LONG_LONG: "sllVal",
}
"""Where a field value of each type is; looked up some hundred times a second."""


def reason_of(error: Exception) -> str:
    """An NVML error as words."""
    code = getattr(error, "value", None)
    if code in REASONS:
        return REASONS[code]
    try:
        words = text_of(pynvml.nvmlErrorString, code)
    except pynvml.NVMLError:  # no library, so no words of its own
        words = type(error).__name__
    return f"NVML error {code} ({words})"


def text_of(call: Callable[..., str | bytes], *arguments: Any) -> str:
    """Text that the driver gives, with U+FFFD for bytes that are not UTF-8. Raises NVMLError.

    Drivers have given such names (555.85 under WSL2), and pynvml's own decoding, a decorator, raises on them.
    """
    raw = getattr(call, "__wrapped__", call)(*arguments)
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)


def ask(call: Callable[[], T]) -> tuple[T | None, str | None]:
    """A value, or `None` and the reason in words."""
    try:
        return call(), None
    except pynvml.NVMLError as error:
        return None, reason_of(error)
    except pynvml.NVMLLibraryMismatchError:  # its words for a versioned call the driver lacks; no NVMLError
        return None, REASONS[pynvml.NVML_ERROR_FUNCTION_NOT_FOUND]


def connect() -> None:
    """Open this process' connection to the driver. Raises NVMLError."""
    pynvml.nvmlInit()


def disconnect() -> None:
    """Close it. Raises NVMLError."""
    pynvml.nvmlShutdown()


class ListedCard(NamedTuple):
    """A card by its NVML index; without a handle `reason` explains the missing identity."""

    number: int
    handle: Any
    uuid: str
    name: str
    reason: str | None = None


def cards() -> Iterator[ListedCard]:
    """Every card that the driver counts. Raises NVMLError where it does not count them."""
    for index in range(pynvml.nvmlDeviceGetCount()):
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            uuid, name = text_of(pynvml.nvmlDeviceGetUUID, handle), text_of(pynvml.nvmlDeviceGetName, handle)
        except pynvml.NVMLError as error:
            yield ListedCard(index, None, "", "", reason_of(error))
            continue
        yield ListedCard(index, handle, uuid, name)


class FieldValues(NamedTuple):
    """Cumulative joules and two powers by one call; `None` where the card has none."""

    energy_j: float | None
    power_instant_w: float | None
    power_average_w: float | None


def field_values(handle: Any) -> FieldValues:
    """Energy, instant and average power. Raises NVMLError if the driver lacks field values."""
    values = pynvml.nvmlDeviceGetFieldValues(handle, [ENERGY, POWER_INSTANT, POWER_AVERAGE])
    energy_mj, instant_mw, average_mw = (_field(value) for value in values)
    energy_j = None if energy_mj is None else energy_mj / 1e3
    return FieldValues(energy_j, _power_w(instant_mw), _power_w(average_mw))


def total_energy_j(handle: Any) -> float:
    """The energy counter by a call of its own, for drivers without its field. Raises NVMLError."""
    return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3)


def power_usage_w(handle: Any) -> float | None:
    """Power by a call of its own; `None` for a value that no card can draw. Raises NVMLError."""
    return _power_w(float(pynvml.nvmlDeviceGetPowerUsage(handle)))


def _power_w(milliwatts: float | None) -> float | None:
    """Watts, where the value is one that a card can draw."""
    power_w = None if milliwatts is None else milliwatts / 1e3
    return power_w if power_w is not None and 0 <= power_w <= PLAUSIBLE_W else None


def _field(value: Any) -> float | None:
    """One field value as a number, or `None` where the card answers with an error for it."""
    if value.nvmlReturn != pynvml.NVML_SUCCESS:
        return None
    member = MEMBERS.get(value.valueType)
    return None if member is None else float(getattr(value.value, member))


def driver_version() -> str:
    """`580.95.05`. Raises NVMLError."""
    return text_of(pynvml.nvmlSystemGetDriverVersion)


def cuda_version() -> str:
    """`13.0`, the newest that the driver runs. Raises NVMLError."""
    number = pynvml.nvmlSystemGetCudaDriverVersion_v2()
    return f"{number // 1000}.{number % 1000 // 10}"


def memory_total_bytes(handle: Any) -> int:
    """The card's memory. Raises NVMLError."""
    return int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)


def memory_free_bytes(handle: Any) -> int:
    """Free memory now. Raises NVMLError."""
    return int(pynvml.nvmlDeviceGetMemoryInfo(handle).free)


def power_limit_w(handle: Any) -> float:
    """The limit in force. Raises NVMLError."""
    return float(pynvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3)


def power_limit_default_w(handle: Any) -> float:
    """The limit that the card is sold with. Raises NVMLError."""
    return float(pynvml.nvmlDeviceGetPowerManagementDefaultLimit(handle) / 1e3)


def max_sm_clock_mhz(handle: Any) -> int:
    """The highest clock of the SMs. Raises NVMLError."""
    return int(pynvml.nvmlDeviceGetMaxClockInfo(handle, pynvml.NVML_CLOCK_SM))


def sm_clock_mhz(handle: Any) -> int:
    """The clock of the SMs now. Raises NVMLError."""
    return int(pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_SM))


def memory_clock_mhz(handle: Any) -> int:
    """The clock of the memory now. Raises NVMLError."""
    return int(pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_MEM))


def mig_is_on(handle: Any) -> bool:
    """Whether the card is split into MIG slices. Raises NVMLError."""
    return bool(pynvml.nvmlDeviceGetMigMode(handle)[0])


def persistence_is_on(handle: Any) -> bool:
    """Whether the driver stays loaded between programs. Raises NVMLError."""
    return bool(pynvml.nvmlDeviceGetPersistenceMode(handle))


def temperature_c(handle: Any) -> int:
    """The chip's temperature. Raises NVMLError."""
    return int(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))


def throttle_mask(handle: Any) -> int:
    """Bits of the reasons for which clocks are not at their highest. Raises NVMLError."""
    return int(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle))


def utilisation_percent(handle: Any) -> int:
    """Share of the last sampling period in which a kernel ran. Raises NVMLError."""
    return int(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)


def compute_processes(handle: Any) -> list[CardProcess]:
    """Processes that compute. In a container the ids may be another namespace's. Raises NVMLError."""
    return _processes(pynvml.nvmlDeviceGetComputeRunningProcesses(handle))


def graphics_processes(handle: Any) -> list[CardProcess]:
    """Processes that draw. Raises NVMLError."""
    return _processes(pynvml.nvmlDeviceGetGraphicsRunningProcesses(handle))


def _processes(listed: list[Any]) -> list[CardProcess]:
    return [CardProcess(int(process.pid), process.usedGpuMemory) for process in listed]


def sm_samples_percent(handle: Any, since_unix_s: float) -> list[tuple[int, int]]:
    """Process and its share of the SMs' time, sample by sample since then. Raises NVMLError."""
    try:
        samples = pynvml.nvmlDeviceGetProcessUtilization(handle, round(since_unix_s * 1e6))
    except pynvml.NVMLError_NotFound:  # no process has worked since
        return []
    return [(int(sample.pid), int(sample.smUtil)) for sample in samples]
