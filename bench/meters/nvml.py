"""NVIDIA GPUs through NVML: which there are, what they draw, what state they are in.

One `Nvml` is one process' connection. Without an NVIDIA GPU it is still an `Nvml`, with no devices
and the reason, so that callers have one path. Each call to the driver is in `nvml_library`.

    with Nvml() as nvml:
        for gpu in nvml.gpus:
            print(gpu.index, gpu.uuid, nvml.sample(gpu))
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from bench.core.domain import Domain
from bench.errors import MeterError
from bench.meters import nvml_library as library
from bench.meters.base import Reading
from bench.meters.nvml_library import NVMLError, ask, reason_of

THROTTLE_REASONS = {
    0x4: "power-cap",
    0x8: "hw-slowdown",
    0x20: "sw-thermal",
    0x40: "hw-thermal",
    0x80: "hw-power-brake",
}
"""Bits of the clock event reasons that mean the card runs slower than asked; idle and fixed clocks do not."""


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
    is the reason for an energy of `None`.
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
            library.connect()
        except NVMLError as error:
            self.absent = reason_of(error)
            return
        self._connected = True
        try:
            self.gpus = tuple(self._enumerate())
        except NVMLError as error:
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
            with contextlib.suppress(NVMLError):  # a driver that went away has ended it already
                library.disconnect()
        self._connected, self.gpus = False, ()

    def _enumerate(self) -> list[Gpu]:
        found = []
        for card in library.cards():
            if card.reason is not None:
                self.lost[str(card.number)] = card.reason
            else:
                found.append(Gpu(card.number, card.uuid, card.name, card.handle))
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
        remedy = f"Known: {known}." if known else "`python -m bench doctor` lists what can be measured here."
        raise MeterError(f'"{wanted}" {what}.', remedy)

    def sample(self, gpu: Gpu) -> GpuSample:
        """Energy, instant and average power in one call to the driver."""
        t_ns = time.monotonic_ns()
        try:
            values = library.field_values(gpu.handle)
        except NVMLError:
            return self._sample_singly(gpu, t_ns, None, None)
        if values.energy_j is None:
            return self._sample_singly(gpu, t_ns, values.power_instant_w, values.power_average_w)
        return GpuSample(t_ns, *values)

    def _sample_singly(
        self, gpu: Gpu, t_ns: int, instant_w: float | None, average_w: float | None
    ) -> GpuSample:
        """For drivers with the counter's own call but without its field, or without fields."""
        energy_j, reason = ask(lambda: library.total_energy_j(gpu.handle))
        if average_w is None:
            average_w, _ = ask(lambda: library.power_usage_w(gpu.handle))
        return GpuSample(t_ns, energy_j, instant_w, average_w, reason)

    def read(self, gpu: Gpu) -> Reading:
        """The energy counter alone, for a window's edge."""
        sample = self.sample(gpu)
        return Reading(sample.t_ns, sample.energy_j, sample.reason)
