"""Two cards of another vendor that stand in the folder of drivers for a test: a driver is one file.

Every process reads the same counters, because they count whole ticks of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import time

from bench.core.provenance import GpuState
from bench.core.source import GainPrior
from bench.meters.gpu import DriverVersions, Gpu, GpuDriverFacts, GpuSample

POWER_W = (150.0, 60.0)
TICK_NS = 20_000_000
FACTS = GpuDriverFacts(
    source="toy-gpu",
    vendor="Toy",
    library="a clock",
    gain=GainPrior(half_width=0.03, origin="its data sheet"),
    uncounted={"SLICE-": "toy slice"},
    commands={"temperature": "toy-smi --card {number}"},
)


class ToyGpu(Gpu):
    """Draws the same power all the time; warm, and held back by its power cap."""

    facts = FACTS

    def sample(self) -> GpuSample:
        """Joules as of the last tick, and the power."""
        t_ns, power_w = time.monotonic_ns(), POWER_W[self.number]
        return GpuSample(t_ns, t_ns // TICK_NS * TICK_NS / 1e9 * power_w, power_w, None)

    def snapshot(self) -> GpuState:
        """Warmer than a card should be that does nothing."""
        return GpuState(temperature_c=65.0, throttle_mask=0x4)


class Toys:
    """The cards; a third one does not answer."""

    facts = FACTS
    absent = None

    def __init__(self, first_index: int) -> None:
        self.gpus: tuple[Gpu, ...] = tuple(
            ToyGpu(number, f"TOY-{number}", f"Toy {number}", first_index) for number in range(len(POWER_W))
        )
        self.lost = {str(first_index + len(POWER_W)): "it does not answer"}

    def versions(self) -> DriverVersions:
        """There is but one."""
        return DriverVersions("1.0", None, {})

    def close(self) -> None:
        """There is no connection."""


def open_driver(first_index: int) -> Toys:
    """The cards."""
    return Toys(first_index)
