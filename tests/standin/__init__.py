"""A stand-in NVML whose true power is known, so that everything a meter claims can be held against the truth.

`nvml.c` becomes a `libnvidia-ml.so.1` that the real nvidia-ml-py, CodeCarbon and torch load without noticing.
All its settings live in one control file that every process maps; a test changes them at any time::

    def test_counter(standin: StandIn) -> None:  # fixtures.py gives two GPUs
        standin.use_virtual_clock()               # time moves only when the test says so
        standin.load(0, 0, 300.0)                 # GPU 0 draws 300 W from t = 0 ns
        standin.gpu(0).gain = 1.05                # its sensor reads 5 % high
        standin.attach()                          # this process's pynvml now finds the stand-in
        pynvml.nvmlInit()
        standin.advance_ns(2_000_000_000)
        assert standin.true_energy_j(0, 0, standin.now_ns()) == 600.0
        standin.fail(Family.ENERGY, pynvml.NVML_ERROR_UNKNOWN, after=1, times=3)

For another process: `subprocess.run(..., env=os.environ | standin.environment())`. A workload makes power
follow what it does with `draw(gpu, watts)`: those variables suffice.

Truth is a square wave (`square_wave`), else the event log: the last event at or before t, and `base_w` before
the first. What is reported is that truth through `seen_share` of every `sensor_period_ns`, as of the last
`tick_ns`, times `gain`. Nothing is accumulated: a setting written straight into `gpu(i)` holds for the past
as well, while `change(i, ...)` lets the counter go on from where it stands. Times are CLOCK_MONOTONIC
nanoseconds, intervals [start, end). An event logged late rewrites the tick it falls in: log it in time.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.standin.control import (
    CONTROL_VARIABLE,
    GPU_DEFAULTS,
    MAGIC,
    MAX_GPUS,
    MAX_PROCESSES,
    MEMORY_NOT_AVAILABLE,
    NEVER,
    Control,
    Event,
    Family,
    Fault,
    Gpu,
    Process,
    StandInError,
    append_event,
    append_packed,
    draw,
    locked,
    map_control,
)
from tests.standin.library import build, nvml_of_this_process, truth_library

__all__ = [
    "CONTROL_VARIABLE",
    "MAX_GPUS",
    "MEMORY_NOT_AVAILABLE",
    "NEVER",
    "Control",
    "Family",
    "Gpu",
    "StandIn",
    "StandInError",
    "append_event",
    "build",
    "draw",
    "uuid_of",
]


def uuid_of(gpu: int) -> str:
    """UUID of the GPU of this index."""
    return f"GPU-00000000-0000-4000-8000-{gpu:012x}"


class StandIn:
    """A control file and the truth behind it. `library` is what `build` returned; `path` is made anew."""

    def __init__(self, library: Path, path: Path, gpu_count: int = 2) -> None:
        if not 1 <= gpu_count <= MAX_GPUS:
            raise StandInError(f"The stand-in has 1 to {MAX_GPUS} GPUs, not {gpu_count}.")
        self.library = library
        self.path = path
        self._truth = truth_library(library)
        self.control = map_control(path)
        self._replaced: dict[str, str | None] | None = None
        self._fill(gpu_count)
        self._view: int | None = self._truth.standin_open(os.fsencode(path))
        if self._view is None:
            raise StandInError(f"The stand-in could not map {path}.")

    def _fill(self, gpu_count: int) -> None:
        control = self.control
        control.gpu_count = gpu_count
        control.cuda_version = 13000
        control.driver_version = b"580.95.05"
        control.nvml_version = b"13.580.95.05"
        self.heal()
        for i in range(MAX_GPUS):
            gpu = control.gpus[i]
            for name, value in GPU_DEFAULTS.items():
                setattr(gpu, name, value)
            gpu.counter_origin_ns = time.monotonic_ns()
            gpu.counter_offset_mj = 1_000_000.0 * (i + 1)
            gpu.name = b"NVIDIA H200 stand-in"
            gpu.uuid = uuid_of(i).encode()
            gpu.serial = f"165000000000{i}".encode()
            gpu.board_part_number = b"900-00000-0000-000"
        control.magic = MAGIC

    def close(self) -> None:
        """Detach and let go of the file; the file itself belongs to the caller."""
        self.detach()
        if self._view is not None:
            self._truth.standin_close(self._view)
            self._view = None

    def gpu(self, index: int) -> Gpu:
        """Live settings of GPU `index`."""
        gpu: Gpu = self.control.gpus[index]
        return gpu

    def change(self, index: int, **settings: Any) -> None:
        """Change what is reported, from the last tick on and all at once; the counter goes on without a jump.

        The truth has no such memory: let it change with `load`.
        """
        truth = [name for name in settings if name == "base_w" or name.startswith("wave_")]
        if truth:
            raise StandInError(
                f"{', '.join(truth)} would rewrite the past: change the true power with load()."
            )
        with locked(self.path):
            gpu, tick_ns = self.gpu(index), ctypes.c_int64()
            stands_mj = self._truth.standin_counter_mj(self._opened(), index, ctypes.byref(tick_ns))
            origin_ns = max(tick_ns.value, gpu.counter_origin_ns)
            if self.now_ns() >= gpu.counter_reset_ns:
                origin_ns = max(origin_ns, gpu.counter_reset_ns)
                settings = {"counter_reset_ns": NEVER, **settings}
            settings = {"counter_offset_mj": stands_mj, "counter_origin_ns": origin_ns, **settings}
            self.control.sequence += 1
            try:
                for name, value in settings.items():
                    setattr(gpu, name, value)
            finally:
                self.control.sequence += 1

    # -- time --

    def now_ns(self) -> int:
        """The library's clock: CLOCK_MONOTONIC, or the virtual one."""
        return self.control.virtual_now_ns if self.control.virtual_clock else time.monotonic_ns()

    def use_virtual_clock(self, now_ns: int = 0) -> None:
        """Stop the clock at `now_ns`, in every process; the counters begin there."""
        self.control.virtual_now_ns = now_ns
        for i in range(MAX_GPUS):
            self.gpu(i).counter_origin_ns = now_ns
        self.control.virtual_clock = 1

    def advance_ns(self, duration_ns: int) -> None:
        """Move the virtual clock forward."""
        if not self.control.virtual_clock:
            raise StandInError("Only the virtual clock can be advanced: call use_virtual_clock() first.")
        self.control.virtual_now_ns += duration_ns

    # -- truth --

    def load(self, gpu: int, t_ns: int, watts: float) -> None:
        """From `t_ns` on, GPU `gpu` draws `watts`."""
        append_event(self.path, gpu, t_ns, watts)

    def load_many(
        self, gpu: int | NDArray[np.int64], t_ns: NDArray[np.int64], watts: NDArray[np.float64]
    ) -> None:
        """As `load`, for as many events as the arrays have, in place all at once."""
        events = np.zeros(len(t_ns), dtype=np.dtype(Event))
        events["t_ns"], events["watts"], events["gpu"] = t_ns, watts, gpu
        append_packed(self.path, events.tobytes())

    def clear_load(self) -> None:
        """Empty the event log: every GPU has always drawn its base power."""
        with locked(self.path):
            self.control.event_count = 0  # before the generation, which tells readers to start again
            self.control.event_generation += 1

    def forget_load(self) -> None:
        """As `clear_load`, but the counters go on without a jump: for GPUs that draw their base power again.

        A long measurement fits the log this way, a stretch at a time, and readings stay quick.
        """
        for i in range(self.control.gpu_count):
            self.change(i)
        self.clear_load()

    def square_wave(
        self, gpu: int, high_w: float, period_ns: int, duty: float = 0.5, phase_ns: int = 0
    ) -> None:
        """Let GPU `gpu` alternate between `high_w` and its base power, for all time, instead of the log."""
        settings = self.gpu(gpu)
        settings.wave_high_w, settings.wave_duty, settings.wave_phase_ns = high_w, duty, phase_ns
        settings.wave_period_ns = period_ns

    def true_energy_j(self, gpu: int, start_ns: int, end_ns: int) -> float:
        """Joules that GPU `gpu` alone really drew in [start, end): no tick, gain, sensor or module in it."""
        return float(self._truth.standin_true_energy_j(self._opened(), gpu, start_ns, end_ns))

    def true_power_w(self, gpu: int, t_ns: int) -> float:
        """Watts that GPU `gpu` really drew at `t_ns`."""
        return float(self._truth.standin_true_power_w(self._opened(), gpu, t_ns))

    # -- trouble --

    def fail(
        self, family: Family, code: int, *, gpu: int | None = None, after: int = 0, times: int | None = None
    ) -> None:
        """Answer `code` to `family` (on `gpu`, or all) after `after` good ones: `times` times, or always.

        A process list is two calls: pynvml asks for its size first. In `nvmlDeviceGetFieldValues`, ENERGY and
        POWER errors stand in the one field's `nvmlReturn`; a FIELDS error is the answer of the entire call.
        """
        fault: Fault = self.control.faults[family]
        fault.code = 0
        fault.gpu = -1 if gpu is None else gpu
        fault.after = after
        fault.times = -1 if times is None else times
        fault.seen = 0
        fault.code = code

    def heal(self, family: Family | None = None) -> None:
        """End the errors of `family`, or all of them."""
        for each in Family if family is None else (family,):
            self.control.faults[each].code = 0

    def calls(self, family: Family) -> int:
        """Calls of `family` so far, in all processes, failed ones included, but none on a lost device."""
        fault: Fault = self.control.faults[family]
        return fault.calls

    def lose(self, gpu: int, at_ns: int | None = None) -> None:
        """From `at_ns` (None: now) calls on GPU `gpu` answer GPU_IS_LOST. `lost_ns = NEVER` ends it."""
        self.gpu(gpu).lost_ns = self.now_ns() if at_ns is None else at_ns

    def reset_counter(self, gpu: int, at_ns: int | None = None) -> None:
        """The counter starts again from 0 at `at_ns` (None: now), as after a driver reload."""
        self.gpu(gpu).counter_reset_ns = self.now_ns() if at_ns is None else at_ns

    def freeze_counter(self, gpu: int, at_ns: int | None = None) -> None:
        """The counter stands still from `at_ns` (None: now). `counter_frozen_ns = NEVER`: it catches up."""
        self.gpu(gpu).counter_frozen_ns = self.now_ns() if at_ns is None else at_ns

    def set_processes(
        self, gpu: int, compute: Mapping[int, int] | None = None, graphics: Mapping[int, int] | None = None
    ) -> None:
        """Processes on GPU `gpu`, as PID to used bytes; up to eight a list."""
        settings = self.gpu(gpu)
        for processes, array, count in (
            (compute or {}, settings.compute, "compute_count"),
            (graphics or {}, settings.graphics, "graphics_count"),
        ):
            if len(processes) > MAX_PROCESSES:
                raise StandInError(
                    f"A process list of the stand-in holds {MAX_PROCESSES}, not {len(processes)}."
                )
            setattr(settings, count, 0)
            for i, (pid, used_bytes) in enumerate(processes.items()):
                array[i] = Process(pid, used_bytes)
            setattr(settings, count, len(processes))

    # -- putting it in place --

    def environment(self) -> dict[str, str]:
        """Variables with which a new process finds this stand-in, and the control file, and an nvidia-smi."""
        return {
            CONTROL_VARIABLE: str(self.path),
            "LD_LIBRARY_PATH": _prepend(self.library, os.environ.get("LD_LIBRARY_PATH")),
            "PATH": _prepend(self.library / "bin", os.environ.get("PATH")),
        }

    def attach(self) -> None:
        """Make this stand-in the NVML of this process, and of those that it starts, until `detach`.

        Call it before `nvmlInit`. CodeCarbon looks for GPUs when it is imported: use it in a subprocess. The
        library stays loaded for the life of the process; after `detach`, nvmlInit answers DRIVER_NOT_LOADED.
        """
        nvml = nvml_of_this_process(self.library)
        environment = self.environment()
        if self._replaced is None:
            self._replaced = {name: os.environ.get(name) for name in environment}
            os.environ.update(environment)
        if nvml.standin_attach() != 0:
            raise StandInError(f"The stand-in could not map {self.path}.")

    def detach(self) -> None:
        """Undo `attach`: restore the environment, and leave this process without an NVML driver."""
        if self._replaced is None:
            return
        for name, value in self._replaced.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._replaced = None
        nvml_of_this_process(self.library).standin_detach()

    def _opened(self) -> int:
        if self._view is None:
            raise StandInError("This stand-in is closed.")
        return self._view


def _prepend(folder: Path, variable: str | None) -> str:
    return f"{folder}{os.pathsep}{variable}" if variable else str(folder)
