"""Meters that start at once: the real instruments with a quiet CodeCarbon and no waiting."""

from __future__ import annotations

from collections.abc import Iterator

import pynvml
import pytest

from bench.core.block import CodeCarbonTask
from bench.measurement import instruments
from bench.measurement.api import metering
from bench.meters import edges
from tests.standin import Family, StandIn
from tests.support.metering import MS, QuietCodeCarbon

CPU_J, RAM_J = 12.0, 3.0
TASK_S = 1e-9
"""No window is short beside this."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CodeCarbon that answers the same joules for every window, idle too, and short pads."""
    reading = CodeCarbonTask(
        duration_s=TASK_S,
        gpu_j=None,
        cpu_j=CPU_J,
        ram_j=RAM_J,
        carbon_g=0.5,
        absent={"gpu_j": "it is not asked"},
    )
    monkeypatch.setattr(instruments, "CodeCarbon", lambda country, indices, program: QuietCodeCarbon(reading))
    monkeypatch.setattr(metering, "SETTLE_S", 0.0)
    monkeypatch.setattr(edges, "ROOM_S", 0.45)


@pytest.fixture
def without_gpu(standin: StandIn, quick: None) -> Iterator[None]:
    """A machine without a driver."""
    standin.fail(Family.INIT, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
    standin.attach()
    yield
    standin.detach()


@pytest.fixture
def with_gpus(standin: StandIn, quick: None) -> Iterator[StandIn]:
    """Two cards at 100 W each."""
    for gpu in (0, 1):
        standin.load(gpu, 0, 100.0)
        standin.gpu(gpu).tick_ns = 10 * MS
    standin.attach()
    yield standin
    standin.detach()
