"""CodeCarbon, offline: a second opinion on the GPU, an estimate where nothing can be read, grid factors.

Its GPU figure is NVML's counter again and serves as a cross-check. Its CPU figure is RAPL's where that can
be read and a formula of load otherwise; its memory figure is a constant guess. Both are `estimated` here.
PUE stays 1 inside: it is applied once, elsewhere.
"""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import dataclass
from typing import Any

from bench.errors import UsageError
from bench.meters.base import TaskReading

J_PER_KWH = 3.6e6


@dataclass(frozen=True)
class GridFactor:
    """Location-based carbon intensity of a country's electricity."""

    intensity_g_per_kwh: float
    country: str
    year: int | None
    source: str


def grid_factor(country: str) -> GridFactor:
    """The factor CodeCarbon's own data holds for an ISO 3166 alpha-3 code. Raises UsageError."""
    from codecarbon import __version__
    from codecarbon.input import DataSource

    mixes: dict[str, dict[str, Any]] = DataSource().get_global_energy_mix_data()
    mix = mixes.get(country.upper())
    if mix is None or mix.get("carbon_intensity") is None:
        raise UsageError(
            f'No grid factor is known for "{country}".',
            "Use a three-letter country code such as USA, IND, DEU or FRA.",
        )
    year = mix.get("year")
    return GridFactor(
        intensity_g_per_kwh=float(mix["carbon_intensity"]),
        country=country.upper(),
        year=int(year) if year is not None else None,
        source=f"CodeCarbon {__version__} global_energy_mix.json (Our World in Data), location-based",
    )


class CodeCarbon:
    """One offline tracker for one case, warmed before anything is timed; one task a window.

    `gpu_indices` are NVML indices: given UUIDs, CodeCarbon reports 0 J with only a warning.
    """

    def __init__(self, country: str, gpu_indices: list[int]) -> None:
        logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
        from codecarbon import OfflineEmissionsTracker

        self._gpu_indices = gpu_indices
        self._tracker = OfflineEmissionsTracker(
            country_iso_code=country,
            output_methods=[],
            measure_power_secs=3600,
            gpu_ids=gpu_indices,
            tracking_mode="machine",
            allow_multiple_runs=True,
            log_level="critical",
            pue=1.0,
            wue=0.0,
        )
        self._serial = 0
        self._warm()

    def _warm(self) -> None:
        """The first task takes a second or two for finding the hardware; spend it here."""
        self.start()
        time.sleep(0.1)
        self.stop()

    def start(self) -> None:
        """Begin a task. Takes about a millisecond once warm."""
        self._serial += 1
        self._tracker.start_task(f"window-{self._serial}")

    def stop(self) -> TaskReading:
        """End the task and say what CodeCarbon makes of it."""
        data = self._tracker.stop_task(f"window-{self._serial}")
        absent: dict[str, str] = {}
        gpu_j = _joules(data.gpu_energy)
        if not self._gpu_indices:
            gpu_j, absent["gpu_j"] = None, "no GPU is metered"
        elif gpu_j is None:
            absent["gpu_j"] = self._why_no_gpu(data.gpu_count)
        cpu_j, ram_j = _joules(data.cpu_energy), _joules(data.ram_energy)
        if cpu_j is None:
            absent["cpu_j"] = "CodeCarbon reports 0 J for the CPU"
        if ram_j is None:
            absent["ram_j"] = "CodeCarbon reports 0 J for the memory"
        carbon_g: float | None = data.emissions * 1e3
        if data.gpu_count and not self._gpu_indices:
            carbon_g, absent["carbon_g"] = None, "CodeCarbon counts every GPU when none is metered"
        return TaskReading(data.duration, gpu_j, cpu_j, ram_j, carbon_g, absent)

    def _why_no_gpu(self, gpu_count: int) -> str:
        if shutil.which("nvidia-smi") is None:
            return "CodeCarbon looks for nvidia-smi on PATH before it looks for a GPU, and there is none"
        if not gpu_count:
            return "CodeCarbon found no GPU"
        return "CodeCarbon reports 0 J for the GPU"

    def close(self) -> None:
        """Stop its threads."""
        self._tracker.stop()


def _joules(energy_kwh: float) -> float | None:
    """Zero from CodeCarbon means that it read nothing."""
    return energy_kwh * J_PER_KWH if energy_kwh > 0 else None
