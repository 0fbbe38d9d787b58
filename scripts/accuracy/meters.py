"""The contestants behind one protocol, each as its own documentation recommends it for work that is awaited.

Opened just before the work and closed just after it. What a contestant does beyond that (this project leaves
the cards alone for a pad and looks at them there) happens in `energies_j`, while nothing else is measuring.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pynvml
from scipy import integrate

from bench.core.quantities import J_PER_KWH
from bench.meters.gpus import GpuDrivers
from bench.meters.meter_set import MeterSet
from bench.meters.recorder import Recorder
from scripts.accuracy.waveforms import Work
from tests.support.metering import QuietCodeCarbon

OURS, ZEUS, CODECARBON, POLL = "joulebench", "zeus", "CodeCarbon", "1 s poll"


class Contestant(Protocol):
    """Measures the joules of every card between `open` and `close`."""

    name: str

    def open(self) -> None:
        """The work is about to begin."""

    def close(self) -> None:
        """The work has ended."""

    def energies_j(self, works: Sequence[Work]) -> list[float | None]:
        """Its readings of each card, if it has any."""


class Ours:
    """The meters of `bench run`, CodeCarbon left out of it: it competes on its own."""

    name = OURS

    def __init__(self, drivers: GpuDrivers, recorder: Recorder) -> None:
        self.meter_set = MeterSet(drivers, recorder, QuietCodeCarbon(), drivers.gpus)

    def open(self) -> None:
        self._opened = self.meter_set.open()

    def close(self) -> None:
        self._window = self.meter_set.close(self._opened)

    def energies_j(self, works: Sequence[Work]) -> list[float | None]:
        """After the pad; pauses between items are taken out at the power seen right after the work."""
        window = self.meter_set.remove_tick_error(self._window)
        found: list[float | None] = []
        for gpu, work in zip(self.meter_set.gpu.gpus, works, strict=False):
            energy = window.energy[gpu.domain]
            gross_j = energy.gross_j
            if gross_j is not None and work.paused_s:
                card = window.at_rest.get(gpu.domain)
                assert card is not None, "the counter moves in the pad of a card that has worked"
                gross_j -= card.resting_w * work.paused_s
            found.append(gross_j)
        return found


class Zeus:
    """ZeusMonitor's window; where the counter did not move it takes instant power, as its warning advises."""

    name = ZEUS

    def __init__(self, gpus: int) -> None:
        from zeus.monitor import ZeusMonitor

        self._monitor = ZeusMonitor(gpu_indices=list(range(gpus)), cpu_indices=[], approx_instant_energy=True)

    def open(self) -> None:
        self._monitor.begin_window("work", sync_execution=False)

    def close(self) -> None:
        self._measured = self._monitor.end_window("work", sync_execution=False)

    def energies_j(self, works: Sequence[Work]) -> list[float | None]:
        return [float(self._measured.gpu_energy[index]) for index in range(len(works))]


class CodeCarbonTask:
    """One task of the offline tracker. Its task has one GPU figure, so cards are read off its devices."""

    name = CODECARBON

    def __init__(self, gpus: int) -> None:
        from codecarbon import OfflineEmissionsTracker
        from codecarbon.external.hardware import GPU

        self._tracker = OfflineEmissionsTracker(
            country_iso_code="USA",
            output_methods=[],
            measure_power_secs=3600,
            gpu_ids=list(range(gpus)),
            tracking_mode="machine",
            allow_multiple_runs=True,
            log_level="critical",
        )
        self._serial = 0
        self.open()  # the first task takes a second or two for finding the hardware
        self.close()
        (gpu,) = [part for part in self._tracker._hardware if isinstance(part, GPU)]
        self._devices: list[Any] = gpu.devices.devices

    def open(self) -> None:
        self._serial += 1
        self._tracker.start_task(f"work-{self._serial}")

    def close(self) -> None:
        self._task = self._tracker.stop_task(f"work-{self._serial}")

    def energies_j(self, works: Sequence[Work]) -> list[float | None]:
        each_j = [float(device.energy_delta.kWh) * J_PER_KWH for device in self._devices]
        task_j = self._task.gpu_energy * J_PER_KWH
        assert abs(sum(each_j) - task_j) <= 1e-6 * task_j, (
            "the cards are not what the task's figure is made of"
        )
        return [each_j[index] for index in range(len(works))]


class Poll:
    """`nvmlDeviceGetPowerUsage` once a second and at both edges, joined by straight lines, in a thread."""

    name = POLL
    period_s = 1.0

    def __init__(self, gpus: int) -> None:
        self._handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(gpus)]

    def open(self) -> None:
        self._samples: list[tuple[float, list[float]]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._sample()
        self._thread.start()

    def _watch(self) -> None:
        begun_s = time.monotonic()
        number = 1
        while not self._ended.wait(max(0.0, begun_s + number * self.period_s - time.monotonic())):
            self._sample()
            number += 1

    def _sample(self) -> None:
        watts = [pynvml.nvmlDeviceGetPowerUsage(handle) / 1e3 for handle in self._handles]
        self._samples.append((time.monotonic(), watts))

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._sample()

    def energies_j(self, works: Sequence[Work]) -> list[float | None]:
        t_s, watts = (np.array(column) for column in zip(*self._samples, strict=True))
        return [float(integrate.trapezoid(watts[:, index], t_s)) for index in range(len(works))]
