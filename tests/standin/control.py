"""The control file of the stand-in: its layout, its defaults, and the log of who draws how much from when.

Every process that loads the stand-in maps this file. The classes mirror the structs at the top of `nvml.c`,
member by member; `mirrored_layout` lets the compiled library prove that the two describe the same bytes.
The log is appended to under a file lock and read without one: an event is in place before the count says so.
"""

from __future__ import annotations

import ctypes
import enum
import fcntl
import os
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from mmap import mmap
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

CONTROL_VARIABLE = "JOULEBENCH_STANDIN"
MAGIC = 0x314E4954534C554A
MAX_GPUS = 32
MAX_PROCESSES = 8
MAX_UNSUPPORTED = 8
MAX_EVENTS = 65536
NEVER = 2**63 - 1
"""For the settings that are times: `lost_ns`, `counter_reset_ns`, `counter_frozen_ns`."""
MEMORY_NOT_AVAILABLE = 2**64 - 1
"""The used memory of a process that NVML may not see."""


class StandInError(RuntimeError):
    """The stand-in cannot be built, mapped or put in place."""


class Family(enum.IntEnum):
    """NVML calls whose errors are set together. Fields 83/191 count as ENERGY too, 185/186 as POWER."""

    INIT = 0
    HANDLE = 1
    INFO = 2
    ENERGY = 3
    POWER = 4
    FIELDS = 5
    TEMPERATURE = 6
    CLOCKS = 7
    REASONS = 8
    PROCESSES = 9
    MEMORY = 10
    LIMITS = 11
    MIG = 12
    UTILISATION = 13


I32 = Annotated[int, ctypes.c_int32]
U32 = Annotated[int, ctypes.c_uint32]
I64 = Annotated[int, ctypes.c_int64]
U64 = Annotated[int, ctypes.c_uint64]
F64 = Annotated[float, ctypes.c_double]
Flag = Annotated[bool, ctypes.c_bool]
Text32 = Annotated[bytes, ctypes.c_char * 32]
Text80 = Annotated[bytes, ctypes.c_char * 80]
Text96 = Annotated[bytes, ctypes.c_char * 96]


class _Mirror(ctypes.Structure):
    """A C struct whose misspelt members are errors; plain ctypes would accept the name and change nothing."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in type(self).__annotations__:
            raise AttributeError(f"the stand-in's {type(self).__name__} has no setting {name!r}")
        super().__setattr__(name, value)


_M = TypeVar("_M", bound=type[_Mirror])


def _mirror(cls: _M) -> _M:
    """Take the C layout from the annotations, so that each member is written once."""
    hints = get_type_hints(cls, include_extras=True)
    cls._fields_ = [(name, hints[name].__metadata__[0]) for name in cls.__annotations__]
    return cls


@_mirror
class Process(_Mirror):
    pid: U32
    used_bytes: U64


@_mirror
class Fault(_Mirror):
    code: I32
    gpu: I32
    after: I64
    times: I64
    seen: I64
    calls: I64


@_mirror
class Gpu(_Mirror):
    """Settings of one GPU; each may be read or written at any time."""

    # Truth. The wave is high, from its phase on, for duty x period, then at base_w; period 0: no wave.
    base_w: F64
    wave_high_w: F64
    wave_duty: F64
    wave_period_ns: I64
    wave_phase_ns: I64
    # Sensor. Ticks and sensor periods begin at their phase plus whole periods. tick_ns 0: no ticks.
    tick_ns: I64
    tick_phase_ns: I64
    averaging_window_ns: I64
    sensor_period_ns: I64
    sensor_phase_ns: I64
    seen_share: F64
    gain: F64
    counter_offset_mj: F64
    counter_origin_ns: I64
    counter_reset_ns: I64
    counter_frozen_ns: I64
    lost_ns: I64
    counter_wraps_mj: I64  # 2**32 for a counter of 32 bits; 0: it never wraps
    module_extra_w: F64
    # A call sleeps for its latency first and reads the clock then: its answer is as of its end.
    latency_us: I64
    process_latency_us: I64
    counter_late_ns: I64  # how late the counter publishes its ticks; power readings come in time
    reasons: U64
    supported_reasons: U64
    memory_total_bytes: U64
    memory_used_bytes: U64
    memory_reserved_bytes: U64
    compute: Annotated[ctypes.Array[Process], Process * MAX_PROCESSES]
    graphics: Annotated[ctypes.Array[Process], Process * MAX_PROCESSES]
    compute_count: U32
    graphics_count: U32
    unsupported_fields: Annotated[ctypes.Array[ctypes.c_uint32], ctypes.c_uint32 * MAX_UNSUPPORTED]
    temperature_c: U32
    slowdown_temperature_c: U32
    shutdown_temperature_c: U32
    sm_clock_mhz: U32
    memory_clock_mhz: U32
    sm_clock_max_mhz: U32
    memory_clock_max_mhz: U32
    utilisation_percent: U32
    memory_utilisation_percent: U32
    power_limit_mw: U32
    power_limit_default_mw: U32
    power_limit_min_mw: U32
    power_limit_max_mw: U32
    mig_mode: I32  # -1: the card has no MIG
    persistence_mode: U32
    compute_mode: U32
    performance_state: U32
    architecture: U32
    capability_major: U32
    capability_minor: U32
    counter_supported: Flag
    counter_part_time: Flag  # does the counter share the sensor's gap, or only the power readings?
    counter_is_module: Flag  # as on Grace Hopper: field 83 contains module_extra_w
    module_scope: Flag  # do fields 185, 186 and 191 answer for scope 1?
    usage_is_instant: Flag  # nvmlDeviceGetPowerUsage: instantaneous, or the average
    name: Text96
    uuid: Text96
    serial: Text32
    board_part_number: Text32


@_mirror
class Event(_Mirror):
    t_ns: I64
    watts: F64
    gpu: I32


@_mirror
class Control(_Mirror):
    """The whole control file."""

    magic: U64
    gpu_count: U32
    virtual_clock: U32
    virtual_now_ns: I64
    sequence: U64
    cuda_version: I32
    driver_version: Text80
    nvml_version: Text80
    faults: Annotated[ctypes.Array[Fault], Fault * len(Family)]
    gpus: Annotated[ctypes.Array[Gpu], Gpu * MAX_GPUS]
    event_generation: U64
    event_count: U64
    events: Annotated[ctypes.Array[Event], Event * MAX_EVENTS]


def offset_of(struct_type: type[_Mirror], member: str) -> int:
    """Where a member begins, in bytes."""
    return int(getattr(struct_type, member).offset)


def mirrored_layout() -> list[int]:
    """Sizes and offsets in the order of `standin_layout` in nvml.c."""
    return [
        *map(ctypes.sizeof, (Control, Gpu, Fault, Event)),
        *(offset_of(Control, name) for name in ("faults", "gpus", "event_count", "events")),
        *(offset_of(Gpu, name) for name in ("reasons", "compute_count")),
        *(offset_of(Gpu, name) for name in ("counter_supported", "board_part_number")),
    ]


GPU_DEFAULTS: Mapping[str, Any] = {
    "base_w": 70.0,
    "tick_ns": 100_000_000,
    "averaging_window_ns": 1_000_000_000,
    "sensor_period_ns": 100_000_000,
    "seen_share": 1.0,
    "gain": 1.0,
    "counter_reset_ns": NEVER,
    "counter_frozen_ns": NEVER,
    "lost_ns": NEVER,
    "supported_reasons": 0x1FF,
    "memory_total_bytes": 141 * 2**30,
    "memory_reserved_bytes": 600 * 2**20,
    "temperature_c": 40,
    "slowdown_temperature_c": 87,
    "shutdown_temperature_c": 92,
    "sm_clock_mhz": 1830,
    "memory_clock_mhz": 3201,
    "sm_clock_max_mhz": 1980,
    "memory_clock_max_mhz": 3201,
    "power_limit_mw": 700_000,
    "power_limit_default_mw": 700_000,
    "power_limit_min_mw": 200_000,
    "power_limit_max_mw": 700_000,
    "persistence_mode": 1,
    "architecture": 9,
    "capability_major": 9,
    "counter_supported": True,
}


def map_control(path: Path) -> Control:
    """A new control file, full of zeros, mapped."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, ctypes.sizeof(Control))
        return Control.from_buffer(mmap(descriptor, ctypes.sizeof(Control)))
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: str | Path) -> Iterator[int]:
    """One writer at a time, over threads and processes. Yields an open descriptor of the control file."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def append_event(path: str | Path | None, gpu: int, t_ns: int, watts: float) -> None:
    """From CLOCK_MONOTONIC time `t_ns` on, GPU `gpu` draws `watts`.

    `path` None: the control file that the environment names. Events need not come in order of time; of two at
    the same time, the one appended last holds.
    """
    if not 0 <= gpu < MAX_GPUS:
        raise StandInError(f"GPU {gpu} is not one of the stand-in's {MAX_GPUS}.")
    append_packed(path, bytes(Event(t_ns, watts, gpu)))


TOLD_AHEAD_S = 0.005
"""A change of power is told before it happens: else a counter read meanwhile would seem to go backwards."""


def draw(gpu: int, watts: float, path: str | Path | None = None) -> int:
    """GPU `gpu` draws `watts` from the moment at which this returns, which it gives in nanoseconds."""
    from_ns = time.monotonic_ns() + round(TOLD_AHEAD_S * 1e9)
    append_event(path, gpu, from_ns, watts)
    time.sleep(max(0.0, (from_ns - time.monotonic_ns()) / 1e9))
    return from_ns


def append_packed(path: str | Path | None, events: bytes) -> None:
    """Any number of `Event`s as they lie in memory: one write, and in place all at once."""
    where, size = offset_of(Control, "event_count"), ctypes.sizeof(Event)
    added = len(events) // size
    with locked(path if path is not None else os.environ[CONTROL_VARIABLE]) as descriptor:
        (count,) = struct.unpack("<Q", os.pread(descriptor, 8, where))
        if count + added > MAX_EVENTS:
            raise StandInError(f"The stand-in's log is full: it holds {MAX_EVENTS} events.")
        os.pwrite(descriptor, events, offset_of(Control, "events") + count * size)
        os.pwrite(descriptor, struct.pack("<Q", count + added), where)  # a reader sees the count last
