"""CodeCarbon, offline: a second opinion on the GPU, and an estimate where nothing can be read.

Its GPU figure is NVML's counter again and serves as a cross-check. Its CPU figure is a formula of load, its
memory figure a constant guess. Both are `estimated` here. Left alone it would take RAPL for the CPU, and of
that only the packages it may read, without a word: `bench.meters.sources.rapl` reads it, whole or not at all.
PUE stays 1 inside: it is applied once, elsewhere.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.core.block import CodeCarbonTask
from bench.core.quantities import J_PER_KWH
from bench.core.secrets import masked
from bench.meters.base import PLAUSIBLE_W
from bench.meters.nvml_library import NVMLError, reason_of
from bench.meters.stdout_guard import stdout_to_stderr

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
    "force_mode_cpu_load": True,
    "rapl_include_dram": False,
    "rapl_prefer_psys": False,
}
"""Everything that could change a figure or call a host. What is not set here, CodeCarbon takes from
`CODECARBON_*` variables and `.codecarbon.config` files; for the tokens `None` counts as not set."""

NO_CARD = ["none"]
"""Ids under which CodeCarbon keeps what it found for a tracker without cards, apart from other trackers'."""


class CodeCarbon:
    """CodeCarbon's trackers for one case, warmed before anything is timed; one task a window.

    It is a second opinion: where it breaks, its readings are absent with the reason, and the measurement goes
    on. It looks at every card of the machine, and one that is lost ends it; so the cards have a tracker of
    their own, and the estimates of CPU and memory come from another that looks at none. `country` is the
    alpha-3 code of one that has a grid factor (for others CodeCarbon takes the world's average without a
    word), `gpu_indices` are the driver's numbers: given UUIDs, CodeCarbon reports 0 J with only a warning.
    """

    def __init__(self, country: str, gpu_indices: list[int], programs: Sequence[str] = ()) -> None:
        """`programs` are those that it starts before it reads these cards (nvidia-smi)."""
        self._serial, self._started = 0, time.monotonic()
        self._programs = programs
        self._count = len(gpu_indices)
        self._host = _Tracker(country, [])
        self._cards = _Tracker(country, gpu_indices) if gpu_indices else None

    @property
    def hardware(self) -> dict[str, Any]:
        """CodeCarbon's own objects for what it reads, by the name of their class: `CPU`, `RAM`, `GPU`."""
        parts = [*(self._cards.hardware if self._cards else []), *self._host.hardware]
        return {type(part).__name__: part for part in parts}

    @property
    def broken(self) -> dict[str, str]:
        """Reason for each missing reading, by `host` and `cards`."""
        trackers = {"host": self._host, "cards": self._cards}
        return {name: each.broken for name, each in trackers.items() if each and each.broken}

    def start(self) -> None:
        """Begin a task. Takes about two milliseconds once warm; the cards' begins last."""
        self._serial += 1
        self._started = time.monotonic()
        self._host.start(f"window-{self._serial}")
        if self._cards is not None:
            self._cards.start(f"window-{self._serial}")

    def stop(self) -> CodeCarbonTask:
        """End the task and return CodeCarbon's figures."""
        task, absent = f"window-{self._serial}", {}
        cards = self._cards.stop(task) if self._cards is not None else None
        host = self._host.stop(task)
        duration_s = next((data.duration for data in (cards, host) if data), time.monotonic() - self._started)
        gpu_j, reason = self._gpu_j(cards)
        if reason is not None:
            absent["gpu_j"] = reason
        cpu_j, ram_j = (_joules(host.cpu_energy), _joules(host.ram_energy)) if host else (None, None)
        if self._host.broken is not None:
            absent |= dict.fromkeys(("cpu_j", "ram_j"), self._host.broken)
        elif self._host.reads_rapl:
            cpu_j, absent["cpu_j"] = None, "CodeCarbon has no model of this CPU and reads RAPL, maybe in part"
        elif cpu_j is None:
            absent["cpu_j"] = "CodeCarbon reports 0 J for the CPU"
        if host and ram_j is None:
            absent["ram_j"] = "CodeCarbon reports 0 J for the memory"
        grams_per_j = host.emissions * 1e3 / J_PER_KWH / host.energy_consumed if host else None
        carbon_g = None
        if self._cards is not None and gpu_j is None:
            absent["carbon_g"] = "it would leave the GPU out"
        elif cpu_j is None or ram_j is None or grams_per_j is None:
            absent["carbon_g"] = "it would leave the CPU or the memory out"
        else:
            carbon_g = grams_per_j * (cpu_j + ram_j + (gpu_j or 0.0))
        return CodeCarbonTask(
            duration_s=duration_s, gpu_j=gpu_j, cpu_j=cpu_j, ram_j=ram_j, carbon_g=carbon_g, absent=absent
        )

    def _gpu_j(self, data: Any) -> tuple[float | None, str | None]:
        if self._cards is None:
            return None, "no GPU is metered"
        if data is None:
            return None, self._cards.broken
        joules = _joules(data.gpu_energy)
        if joules is None:
            return None, _why_no_gpu(data.gpu_count, self._programs)
        if joules > PLAUSIBLE_W * self._count * data.duration:
            return None, f"CodeCarbon reports {joules:.3g} J in {data.duration:.3g} s, which no card draws"
        return joules, None

    def close(self) -> None:
        """Stop its threads; those of one that was interrupted are daemons and end with the process."""
        for each in filter(None, (self._host, self._cards)):
            each.close()


def cards_alone(task: CodeCarbonTask, reason: str) -> CodeCarbonTask:
    """The figure of the cards, without those of the host, which are absent for this reason."""
    host = ("cpu_j", "ram_j", "carbon_g")
    return task.model_copy(
        update={**dict.fromkeys(host), "absent": task.absent | dict.fromkeys(host, reason)}
    )


class _Tracker:
    """One offline tracker that is never more than broken: of the given cards, or, without any, of none."""

    def __init__(self, country: str, gpu_indices: list[int]) -> None:
        self.broken: str | None = None
        make = partial(_warmed, country, gpu_indices)
        self._tracker: Any = self._guarded(make if gpu_indices else partial(_without_cards, make))

    def _guarded(self, call: Callable[[], Any]) -> Any:
        """CodeCarbon's answer; `None` if it breaks now or is broken, with the reason in `broken`."""
        if self.broken is not None:
            return None
        try:
            with _home():
                return call()
        except Exception as error:  # noqa: BLE001 - the boundary: no fault of a second opinion ends a case
            nvml = isinstance(error, NVMLError)
            self.broken = f"CodeCarbon broke: {reason_of(error) if nvml else masked(repr(error))}"
            return None
        except BaseException:  # Ctrl-C within it leaves its locks held, and stopping it would wait for ever
            self._tracker = None
            raise

    @property
    def hardware(self) -> list[Any]:
        """Readings of the task."""
        return [] if self.broken is not None else list(self._tracker._hardware)

    @property
    def reads_rapl(self) -> bool:
        """Whether its CPU figure is a reading, because it has no rated power to estimate from."""
        return any(getattr(part, "_mode", None) == "intel_rapl" for part in self.hardware)

    def start(self, task: str) -> None:
        """Begin a task."""
        self._guarded(lambda: self._tracker.start_task(task))

    def stop(self, task: str) -> Any:
        """End it: CodeCarbon's data, or `None` where it is broken."""
        return self._guarded(lambda: self._tracker.stop_task(task))

    def close(self) -> None:
        """Stop its threads."""
        if self._tracker is not None:
            self._tracker.stop()


@contextlib.contextmanager
def _home() -> Iterator[None]:
    """A home for CodeCarbon, which looks for its settings there and breaks for a user without one."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = tempfile.gettempdir()
        try:
            yield
        finally:
            del os.environ["HOME"]
        return
    yield


def preload() -> None:
    """Import everything that trackers import, pandas among it, some of it only when one is made."""
    _Tracker("USA", []).close()


def _warmed(country: str, gpu_indices: list[int]) -> Any:
    """A tracker after a first task, which takes a second or two for finding the hardware."""
    tracker = _made(country, gpu_indices)
    tracker.start_task("warm-up")
    time.sleep(0.1)
    tracker.stop_task("warm-up")
    return tracker


def _made(country: str, gpu_indices: list[int]) -> Any:
    with stdout_to_stderr():  # it imports amdsmi, which prints where AMD's driver is missing
        from codecarbon import OfflineEmissionsTracker

    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)  # the import has set it to INFO
    kinds = OfflineEmissionsTracker.__mro__[:2]
    parameters = {name for kind in kinds for name in inspect.signature(kind.__init__).parameters}
    return OfflineEmissionsTracker(
        country_iso_code=country,
        gpu_ids=gpu_indices or NO_CARD,
        **{name: value for name, value in SETTINGS.items() if name in parameters},
    )


def _without_cards(make: Callable[[], Any]) -> Any:
    """A tracker made while CodeCarbon believes in no card: it has no setting for that, and asks them all."""
    from codecarbon.core import gpu

    names = ("is_nvidia_system", "is_rocm_system")
    kept = {name: getattr(gpu, name) for name in names if hasattr(gpu, name)}
    try:
        for name in kept:
            setattr(gpu, name, lambda: False)
        return make()
    finally:
        for name, asked in kept.items():
            setattr(gpu, name, asked)


def _why_no_gpu(gpu_count: int, programs: Sequence[str]) -> str:
    for program in programs:
        if shutil.which(program) is None:
            return f"CodeCarbon looks for {program} on PATH before it looks for a GPU, and there is none"
    if not gpu_count:
        return "CodeCarbon found no GPU"
    return "CodeCarbon reports 0 J for the GPU"


def _joules(energy_kwh: float) -> float | None:
    """Zero from CodeCarbon means that it read nothing."""
    return energy_kwh * J_PER_KWH if energy_kwh > 0 else None
