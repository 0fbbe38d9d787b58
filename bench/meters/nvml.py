"""NVIDIA GPUs through NVML: which there are, what they draw, what state they are in.

One `Nvml` is one process' connection. Where there is no NVIDIA GPU it is still an `Nvml`, with no devices
and the reason, so that callers have one path. Milliwatts and millijoules become watts and joules here and
nowhere else. Nothing here changes a setting of a card.

    with Nvml() as nvml:
        for gpu in nvml.gpus:
            print(gpu.index, gpu.uuid, nvml.sample(gpu))
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVar

import pynvml

from bench.core.domain import Domain
from bench.errors import MeterError
from bench.meters.base import PLAUSIBLE_W, Reading
from bench.meters.binding import refuse_another_pynvml

refuse_another_pynvml(pynvml)

T = TypeVar("T")

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

THROTTLE_REASONS = {
    0x4: "power-cap",
    0x8: "hw-slowdown",
    0x20: "sw-thermal",
    0x40: "hw-thermal",
    0x80: "hw-power-brake",
}
"""Bits of the clock event reasons that mean the card runs slower than asked; idle and fixed clocks do not."""

POWER_AVERAGE, POWER_INSTANT, ENERGY = 185, 186, pynvml.NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION


def reason_of(error: pynvml.NVMLError) -> str:
    """An NVML error as words."""
    if error.value in REASONS:
        return REASONS[error.value]
    try:
        words = text_of(pynvml.nvmlErrorString, error.value)
    except pynvml.NVMLError:  # no library, so no words of its own
        words = type(error).__name__
    return f"NVML error {error.value} ({words})"


def text_of(call: Callable[..., str | bytes], *arguments: Any) -> str:
    """Text that the driver gives, with U+FFFD for bytes that are not UTF-8. Raises NVMLError.

    Drivers have given such names (555.85 under WSL2), and pynvml's own decoding, a decorator, raises on them.
    """
    raw = getattr(call, "__wrapped__", call)(*arguments)
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)


@dataclass(frozen=True)
class Gpu:
    """One card: its NVML index (not CUDA's), UUID and name."""

    index: int
    uuid: str
    name: str
    handle: Any = field(compare=False, repr=False)

    @property
    def domain(self) -> str:
        """`gpu:<uuid>`."""
        return Domain.gpu(self.uuid).text


@dataclass(frozen=True)
class GpuSample:
    """One field-values call: cumulative joules and two powers, each `None` where the card has none.

    A power that no card can draw is `None` too: drivers answer 2³² − 1 mW where they have no value. `reason`
    says why the energy is `None`.
    """

    t_ns: int
    energy_j: float | None
    power_instant_w: float | None
    power_average_w: float | None
    reason: str | None = None


class Nvml:
    """A connection to the driver for the life of a `with` block (or until `close`)."""

    def __init__(self) -> None:
        self.absent: str | None = None
        self.gpus: tuple[Gpu, ...] = ()
        self.lost: dict[str, str] = {}
        """Cards that answered no identity, by index, with the reason."""
        self._connected = False
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            self.absent = reason_of(error)
            return
        self._connected = True
        try:
            self.gpus = tuple(self._enumerate())
        except pynvml.NVMLError as error:
            self.absent = reason_of(error)
        if not self.gpus and self.absent is None:
            self.absent = next(iter(self.lost.values()), "the driver reports no GPU")

    def __enter__(self) -> Nvml:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; harmless where there was none."""
        if self._connected:
            with contextlib.suppress(pynvml.NVMLError):  # a driver that went away has ended it already
                pynvml.nvmlShutdown()
        self._connected, self.gpus = False, ()

    def _enumerate(self) -> list[Gpu]:
        found = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            try:
                handle = pynvml.nvmlDeviceGetHandleByIndex(index)
                uuid, name = (
                    text_of(pynvml.nvmlDeviceGetUUID, handle),
                    text_of(pynvml.nvmlDeviceGetName, handle),
                )
            except pynvml.NVMLError as error:
                self.lost[str(index)] = reason_of(error)
                continue
            found.append(Gpu(index, uuid, name, handle))
        return found

    def find(self, wanted: str) -> Gpu:
        """A card by NVML index or UUID (a unique beginning is enough). Raises MeterError."""
        if wanted.isdecimal():
            matches = [gpu for gpu in self.gpus if gpu.index == int(wanted)]
        else:
            matches = [gpu for gpu in self.gpus if wanted and gpu.uuid.lower().startswith(wanted.lower())]
        if len(matches) == 1:
            return matches[0]
        known = ", ".join(f"{gpu.index} ({gpu.uuid})" for gpu in self.gpus)
        what = "matches several GPUs" if matches else "is no GPU of this machine"
        if wanted in self.lost or not self.gpus:
            what = f"cannot be used: {self.lost.get(wanted, self.absent)}"
        remedy = f"Known: {known}." if known else "`python -m bench doctor` says what can be measured here."
        raise MeterError(f'"{wanted}" {what}.', remedy)

    def sample(self, gpu: Gpu) -> GpuSample:
        """Energy, instant and average power in one call to the driver."""
        t_ns = time.monotonic_ns()
        try:
            values = pynvml.nvmlDeviceGetFieldValues(gpu.handle, [ENERGY, POWER_INSTANT, POWER_AVERAGE])
        except pynvml.NVMLError:
            return self._sample_singly(gpu, t_ns, None, None)
        energy, instant, average = (_field(value) for value in values)
        if energy is None:
            return self._sample_singly(gpu, t_ns, instant, average)
        return GpuSample(t_ns, energy / 1e3, _power_w(instant), _power_w(average))

    def _sample_singly(self, gpu: Gpu, t_ns: int, instant: float | None, average: float | None) -> GpuSample:
        """For drivers that know the counter's own call but not its field, or no fields at all."""
        energy_j, reason = ask(lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu.handle) / 1e3)
        if average is None:
            average, _ = ask(lambda: float(pynvml.nvmlDeviceGetPowerUsage(gpu.handle)))
        return GpuSample(t_ns, energy_j, _power_w(instant), _power_w(average), reason)

    def read(self, gpu: Gpu) -> Reading:
        """The energy counter alone, for a window's edge."""
        sample = self.sample(gpu)
        return Reading(sample.t_ns, sample.energy_j, sample.reason)


def _power_w(milliwatts: float | None) -> float | None:
    """Watts, where the value is one that a card can draw."""
    power_w = None if milliwatts is None else milliwatts / 1e3
    return power_w if power_w is not None and 0 <= power_w <= PLAUSIBLE_W else None


def _field(value: Any) -> float | None:
    """One field value as a number, or `None` where the card answers with an error for it."""
    if value.nvmlReturn != pynvml.NVML_SUCCESS:
        return None
    member = {
        pynvml.NVML_VALUE_TYPE_DOUBLE: "dVal",
        pynvml.NVML_VALUE_TYPE_UNSIGNED_INT: "uiVal",
        pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG: "ulVal",
        pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG: "ullVal",
        pynvml.NVML_VALUE_TYPE_SIGNED_LONG_LONG: "sllVal",
    }.get(value.valueType)
    return None if member is None else float(getattr(value.value, member))


def ask(call: Callable[[], T]) -> tuple[T | None, str | None]:
    """A value, or `None` and the reason in words."""
    try:
        return call(), None
    except pynvml.NVMLError as error:
        return None, reason_of(error)
    except pynvml.NVMLLibraryMismatchError:  # its words for a versioned call the driver lacks; no NVMLError
        return None, REASONS[pynvml.NVML_ERROR_FUNCTION_NOT_FOUND]
