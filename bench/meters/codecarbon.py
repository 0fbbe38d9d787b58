"""CodeCarbon, offline: a second opinion on the GPU, and an estimate where nothing can be read.

Its GPU figure is NVML's counter again and serves as a cross-check. Its CPU figure is RAPL's where that can
be read and a formula of load otherwise; its memory figure is a constant guess. Both are `estimated` here.
PUE stays 1 inside: it is applied once, elsewhere.
"""

from __future__ import annotations

import inspect
import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from typing import Any

import pynvml

from bench.meters.base import TaskReading
from bench.meters.nvml import reason_of
from bench.meters.stdout_guard import stdout_to_stderr

J_PER_KWH = 3.6e6

SETTINGS: dict[str, Any] = {
    "output_methods": [],
    "output_handlers": [],
    "output_dir": tempfile.gettempdir(),
    "emissions_endpoint": None,
    "electricitymaps_api_token": "",
    "co2_signal_api_token": "",
    "measure_power_secs": 3600,
    "tracking_mode": "machine",
    "allow_multiple_runs": True,
    "log_level": "critical",
    "pue": 1.0,
    "wue": 0.0,
    "region": None,
    "cloud_provider": None,
    "cloud_region": None,
    "country_2letter_iso_code": None,
    "force_carbon_intensity_g_co2e_kwh": None,
    "force_cpu_power": None,
    "force_ram_power": None,
    "force_mode_cpu_load": False,
    "rapl_include_dram": False,
    "rapl_prefer_psys": False,
}
"""Everything that could change a figure or call a host. What is not said here, CodeCarbon takes from
`CODECARBON_*` variables and `.codecarbon.config` files; for the tokens `None` counts as not said."""


class CodeCarbon:
    """One offline tracker for one case, warmed before anything is timed; one task a window.

    It is a second opinion: where it breaks (it looks at every card, and one that is lost ends it), its
    readings are absent with the reason, and the measurement goes on. `country` is the alpha-3 code of
    one that has a grid factor (for others CodeCarbon takes the world's average without a word),
    `gpu_indices` are NVML indices: given UUIDs, CodeCarbon reports 0 J with only a warning.
    """

    def __init__(self, country: str, gpu_indices: list[int]) -> None:
        self._gpu_indices = gpu_indices
        self._serial, self._started = 0, time.monotonic()
        self._broken: str | None = None
        self._tracker: Any = self._guarded(lambda: self._made(country))
        self._warm()

    def _made(self, country: str) -> Any:
        with stdout_to_stderr():  # it imports amdsmi, which prints where AMD's driver is missing
            from codecarbon import OfflineEmissionsTracker

        logging.getLogger("codecarbon").setLevel(logging.CRITICAL)  # the import has set it to INFO
        kinds = OfflineEmissionsTracker.__mro__[:2]
        known = {name for kind in kinds for name in inspect.signature(kind.__init__).parameters}
        return OfflineEmissionsTracker(
            country_iso_code=country,
            gpu_ids=self._gpu_indices,
            **{name: value for name, value in SETTINGS.items() if name in known},
        )

    def _guarded(self, call: Callable[[], Any]) -> Any:
        """What it answers; or `None` where it breaks now or is broken, with the reason in `_broken`."""
        if self._broken is not None:
            return None
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - the boundary: no fault of a second opinion ends a case
            nvml = isinstance(error, pynvml.NVMLError)
            self._broken = f"CodeCarbon broke: {reason_of(error) if nvml else repr(error)}"
            return None
        except BaseException:  # Ctrl-C within it leaves its locks held, and stopping it would wait for ever
            self._tracker = None
            raise

    def _warm(self) -> None:
        """The first task takes a second or two for finding the hardware; spend it here."""
        self.start()
        time.sleep(0.1)
        self.stop()

    def start(self) -> None:
        """Begin a task. Takes about a millisecond once warm."""
        self._serial += 1
        self._started = time.monotonic()
        self._guarded(lambda: self._tracker.start_task(f"window-{self._serial}"))

    def stop(self) -> TaskReading:
        """End the task and say what CodeCarbon makes of it."""
        data = self._guarded(lambda: self._tracker.stop_task(f"window-{self._serial}"))
        if self._broken is not None:
            absent = dict.fromkeys(("gpu_j", "cpu_j", "ram_j", "carbon_g"), self._broken)
            return TaskReading(time.monotonic() - self._started, None, None, None, None, absent)
        absent = {}
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
        elif self._gpu_indices and gpu_j is None:
            carbon_g, absent["carbon_g"] = None, "it would leave the GPU out"
        return TaskReading(data.duration, gpu_j, cpu_j, ram_j, carbon_g, absent)

    def _why_no_gpu(self, gpu_count: int) -> str:
        if shutil.which("nvidia-smi") is None:
            return "CodeCarbon looks for nvidia-smi on PATH before it looks for a GPU, and there is none"
        if not gpu_count:
            return "CodeCarbon found no GPU"
        return "CodeCarbon reports 0 J for the GPU"

    def close(self) -> None:
        """Stop its threads; those of one that was interrupted are daemons and end with the process."""
        if self._tracker is not None:
            self._tracker.stop()


def _joules(energy_kwh: float) -> float | None:
    """Zero from CodeCarbon means that it read nothing."""
    return energy_kwh * J_PER_KWH if energy_kwh > 0 else None
