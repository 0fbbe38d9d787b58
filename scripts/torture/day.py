"""A day of eight cards: samples as the sampler writes them, saved and read as a trace, and the memory for it.

The sampler's file has 17 million rows (1 GB). Its readings are made up; the reader, the writer and the checks
of a trace are the real ones.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.measurement import save_trace
from bench.measurement.case_state import CaseState
from bench.meters import sampling
from bench.meters.gpus import GpuDrivers
from bench.meters.sample_buffer import ROW
from bench.store import traces
from scripts.faults.machine import planned
from tests.standin import StandIn, build
from tests.support.factory import record
from tests.support.metering import Recorded, S

CARDS, DAY_S, STRETCH_S = 8, 86_400, 3600
POWER_W = 300.0


def peak_mb() -> float:
    """The most memory that this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _peak() -> str:
    return f"{peak_mb():.0f} MB of memory at most"


def play(folder: Path, day_s: int = DAY_S) -> Iterator[str]:
    """Write and read a day; yields lines of what it took."""
    standin = StandIn(build(folder / "library"), folder / "standin.control", CARDS)
    standin.attach()
    try:
        with GpuDrivers() as drivers:
            yield from _play(folder, day_s, drivers)
    finally:
        standin.close()


def _play(folder: Path, day_s: int, drivers: GpuDrivers) -> Iterator[str]:
    recorded, end_ns = Recorded(folder / "samples.bin", ()), time.monotonic_ns()
    yield f"{_peak()} before"
    start_ns = end_ns - day_s * S
    with recorded.path.open("wb") as file:
        for from_s in range(0, day_s, STRETCH_S):
            file.write(_rows(start_ns + from_s * S, min(STRETCH_S, day_s - from_s)).tobytes())
    yield f"{recorded.path.stat().st_size / 1e6:.0f} MB of samples; {_peak()}"
    state = CaseState(planned().case, gpus=tuple(drivers.gpus))
    state.loaded_ns = start_ns
    begun = time.monotonic()
    saved = save_trace.with_trace(record(), state, recorded, folder, "day")
    assert saved.trace is not None, saved.absent
    written_s, written_mb = time.monotonic() - begun, (folder / saved.trace).stat().st_size / 1e6
    yield f"written in {written_s:.0f} s ({written_mb:.0f} MB); {_peak()}"
    begun = time.monotonic()
    read = traces.read(folder / "record.json", saved)
    assert read is not None
    samples = sum(len(each.t_ns) for each in read.values())
    yield f"{samples:,} samples read in {time.monotonic() - begun:.0f} s; {_peak()}"


def _rows(start_ns: int, seconds: int) -> NDArray[np.void]:
    """Rows of a stretch in time: every card at `FAST_HZ` and `SLOW_HZ`."""
    fast = _of_kind(start_ns, seconds, sampling.FAST, sampling.FAST_HZ)
    slow = _of_kind(start_ns, seconds, sampling.SLOW, sampling.SLOW_HZ)
    rows = np.concatenate([fast, slow])
    since_s = (rows["t_ns"] % (10**6 * S)) / S
    noise = np.random.default_rng(seconds).normal(0.0, 5.0, len(rows))
    is_fast = rows["kind"] == sampling.FAST
    rows["value"][is_fast, 0] = np.floor(POWER_W * since_s[is_fast] * 10) / 10
    rows["value"][is_fast, 1] = POWER_W + np.round(noise[is_fast], 3)
    rows["value"][is_fast, 2] = POWER_W + np.round(noise[is_fast] / 10, 3)
    rows["value"][is_fast, 3] = 1e-4
    rows["value"][~is_fast] = (60.0, 1830.0, 0.0, 3201.0, 90.0)
    return rows[np.argsort(rows["t_ns"], kind="stable")]


def _of_kind(start_ns: int, seconds: int, kind: int, hertz: float) -> NDArray[np.void]:
    ticks = round(seconds * hertz)
    rows = np.zeros(ticks * CARDS, dtype=ROW)
    rows["t_ns"] = start_ns + np.repeat((np.arange(ticks) / hertz * S).astype(np.int64), CARDS)
    rows["t_ns"] += np.tile(np.arange(CARDS) * 100_000, ticks)
    rows["kind"], rows["index"] = kind, np.tile(np.arange(CARDS), ticks)
    rows["value"] = np.nan
    return rows
