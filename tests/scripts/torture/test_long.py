"""Long runs in short: what they look at, and that pieces of samples are all that is in memory."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from bench.measurement import save_trace
from bench.measurement.case_state import CaseState
from bench.meters.gpus import GpuDrivers
from scripts.faults.machine import planned
from scripts.torture import day, long
from scripts.torture.long import Look, line
from tests.standin import StandIn
from tests.support.metering import Recorded, S

HALF_HOUR_S = 1800


def test_a_case_of_any_length_is_in_memory_a_piece_at_a_time(
    standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.attach()
    monkeypatch.setattr(time, "monotonic_ns", lambda: HALF_HOUR_S * S)
    monkeypatch.setattr(save_trace, "PIECE_S", 60.0)
    recorded = Recorded(tmp_path / "samples.bin")
    recorded.path.write_bytes(day._rows(0, HALF_HOUR_S).tobytes())
    with GpuDrivers() as drivers:
        state = CaseState(planned().case, gpus=tuple(drivers.gpus))
        tracemalloc.start()
        try:
            count = sum(len(piece.t_ns) for piece in save_trace.trace(recorded, state, 0))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert count == HALF_HOUR_S * 25 * len(state.gpus)
    assert recorded.path.stat().st_size == HALF_HOUR_S * 25 * day.CARDS * 56
    assert peak < recorded.path.stat().st_size / 2


def test_a_day_is_written_and_read_whole(tmp_path: Path) -> None:
    *_, written, read = day.play(tmp_path, day_s=60)
    assert written.startswith("written in ")
    assert read.startswith(f"{60 * 25 * day.CARDS:,} samples read")


def test_growth_is_the_slope_of_what_follows_the_beginning() -> None:
    looks = [Look(60.0 * n, 500.0 if n < 20 else 100.0 + n / 60, 11) for n in range(61)]
    assert line("run", looks) == "run: 101 MB, +1.0 MB an hour, 11 to 11 files"


def test_simulated_hours_have_true_joules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long, "BLOCK_S", 5.0)
    blocks, *_, lag = long.simulated(tmp_path, hours=0.015)
    assert "blocks in 0.0 simulated hours, 0 set aside" in blocks
    assert lag.startswith("a block took ")
