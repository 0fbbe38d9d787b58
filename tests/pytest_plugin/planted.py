"""A meter whose windows give joules that a test has planted, so that whole sessions take milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Literal

from bench.core.block import Block
from bench.core.energy_result import MIN_WINDOWS, EnergyResult
from bench.core.machine import GpuFacts, Machine
from bench.core.provenance import Provenance
from bench.errors import MeterError
from bench.pytest_plugin import measuring, storage
from bench.stats.figures import derive
from tests.support.factory import GPU, block

SPREAD = (0.99, 1.0, 1.01, 0.995, 1.005)
"""Of rounds about their truth, in turn."""


class Truth:
    """What the next tests' rounds take, and the machine that they run on."""

    def __init__(self) -> None:
        self.round_j = 300.0
        self.driver = "580.95"
        self.broken = False
        self.closed = 0
        """Meters that were let go of."""

    def machine(self) -> Machine:
        uuid = GPU.removeprefix("gpu:")
        return Machine(
            name="NVIDIA Sample 1a2b3c4d",
            id="1a2b3c4d",
            driver=self.driver,
            gpus=[GpuFacts(uuid=uuid, name="NVIDIA Sample", power_limit_w=350.0)],
            metered=[uuid],
        )


class PlantedWindow:
    """A window that takes no time; `log` tells when it was open."""

    def __init__(self, meter: PlantedMeter, number: int) -> None:
        self._meter, self._number = meter, number
        self.units: float | None = None
        self.failure: str | None = None

    def __enter__(self) -> PlantedWindow:
        if self._meter.truth.broken:
            raise MeterError("The recorder process has ended.", "Make a new bench.Meter.")
        self._meter.log.append("open")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._meter.log.append("close")
        self.failure = type(error).__name__ if error else None

    def block(self) -> Block:
        joules = self._meter.truth.round_j * SPREAD[self._number % len(SPREAD)]
        return block(joules, units=self.units, valid=self.failure is None)


class PlantedMeter:
    """As much of `bench.Meter` as the plugin uses."""

    truth = Truth()
    log: list[str] = []  # noqa: RUF012 - shared by all meters of a test, and fresh for each

    def __init__(self, unit: str, *, name: str, **options: Any) -> None:
        self.unit, self.name, self.options = unit, name, options
        self.windows: list[PlantedWindow] = []

    def __enter__(self) -> PlantedMeter:
        return self

    def __exit__(self, *_: object) -> None:
        type(self).truth.closed += 1

    def window(self) -> PlantedWindow:
        self.windows.append(PlantedWindow(self, len(self.windows)))
        return self.windows[-1]

    def result(self) -> EnergyResult:
        blocks = [window.block() for window in self.windows]
        enough = len(blocks) >= MIN_WINDOWS
        status: Literal["ok", "invalid"] = "ok" if enough else "invalid"
        return EnergyResult(
            status=status,
            reasons=[] if enough else [f"{len(blocks)} of {len(blocks)} windows are valid, 5 are needed."],
            name=self.name,
            unit=self.unit,
            blocks=blocks,
            idle={},
            figures=derive(blocks, None),
            carbon=None,
            machine=self.truth.machine(),
            provenance=Provenance(created="2026-01-31T12:00:00Z", libraries={"torch": "2.9.0"}),
            absent={},
        )


def plant(monkeypatch: Any) -> Iterator[Truth]:
    """Let the plugin measure with `PlantedMeter` on a planted machine."""
    PlantedMeter.truth, PlantedMeter.log = Truth(), []
    monkeypatch.setattr(measuring, "Meter", PlantedMeter)
    monkeypatch.setattr(storage, "machine", PlantedMeter.truth.machine)
    yield PlantedMeter.truth
