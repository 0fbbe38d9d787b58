"""The recorder's own process: a steady tick, one call a card, rows appended to a file.

It runs apart from the work because a thread beside a busy interpreter loses half its samples. Rows go
straight to the file, so that they outlive the sampler. It ends when its parent asks, or is gone; then it
removes the file, which has lost its only reader.

A row is one stamp of one thing: see `ROW`. Fast rows come at `FAST_HZ`, slow ones at `SLOW_HZ`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from bench.meters import sleep_clock, sources
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers

ROW = struct.Struct("<qII5d")
"""t_ns, row kind, index of the domain, five values (NaN where there is none)."""
WIDTH = 5

FAST, SLOW, SOURCE, SELF = 0, 1, 2, 3
"""Row kinds and their values.

FAST  energy_j, power_instant_w, power_average_w, call_s
SLOW  temperature_c, sm_clock_mhz, throttle_mask, memory_clock_mhz, utilisation_percent
SOURCE  energy_j, of the other energy sources' domains
SELF  cpu_s, ticks, late_ticks, longest_gap_s, asleep_s: the recorder's own cost so far, and how long the
      machine was suspended since it booted
"""

FAST_HZ, SLOW_HZ = 23.0, 2.0
"""At 20 Hz, in step with a tick of 50 or 100 ms, all moves of a counter are seen late alike; not so at 23."""
UNEVEN = 0.4
"""Samples come up to this share of their spacing late, each by another amount: evenly spaced ones confuse one
period of a counter with another, and see nothing of its phase where they are in step with it."""
GOLDEN = 0.618034
EDGE_HZ = 200.0
"""Beside the edges of a window: a counter of 20 ms shows its grid in a few tenths of a second."""
STOP, GONE = "stop", "gone"
NAN = float("nan")


def main(path: Path, connection: Connection, parent: int) -> None:
    """Sample until asked to stop, or until `parent` is gone, also while this process starts.

    First message out: the domains, and what is absent and why.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # sent to every process of a job; the parent still needs rows
    with GpuDrivers() as drivers:
        others = sources.opened()
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            connection.send({"domains": others.domains, "absent": others.absent})
        except (FileNotFoundError, ConnectionError):  # the parent was interrupted or killed meanwhile
            _remove(path)
            return
        sampler = _Sampler(drivers, others)
        for rows in sampler.ticks():
            os.write(file, rows)
            request = _told(connection)
            if isinstance(request, float):
                sampler.sample_fast(request)
            elif request is not None or os.getppid() != parent:
                break
        os.close(file)
        if request != STOP:
            _remove(path)


def _remove(path: Path) -> None:
    """Remove the file, which has lost its reader, and its folder."""
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # something else is there, or the folder is gone
        path.parent.rmdir()


def _told(connection: Connection) -> object:
    """The parent's last message, or a duration of fast sampling; `None`: no message.

    A killed parent sends nothing either, but its end of the pipe is closed.
    """
    request: object = None
    try:
        while request != STOP and connection.poll():
            request = connection.recv()
    except (EOFError, ConnectionError):
        return GONE
    return request


class _Sampler:
    """One tick after another, with its own cost kept."""

    def __init__(self, drivers: GpuDrivers, others: sources.Sources) -> None:
        self._drivers = drivers
        self._others = others
        self._late = 0
        self._longest_gap_s = 0.0
        self._fast_until_s = 0.0
        self._edge_samples = 0

    def sample_fast(self, seconds: float) -> None:
        """Look at `EDGE_HZ` for so long from now on."""
        self._fast_until_s = time.monotonic() + seconds

    def ticks(self) -> Iterator[bytes]:
        """Rows of one tick at a time, on a grid that does not drift."""
        period = 1.0 / FAST_HZ
        start, number, last, slow = time.monotonic(), 0, None, -1
        while True:
            now = time.monotonic()
            if last is not None:
                self._longest_gap_s = max(self._longest_gap_s, now - last)
                self._late += now - last > (1.5 + UNEVEN) * period
            last = now
            rows = [self._fast(gpu) for gpu in self._drivers.gpus]
            rows += self._source_rows()
            due = int(number * SLOW_HZ / FAST_HZ)
            if due != slow:  # not a remainder of 0: late ticks leave numbers out
                slow = due
                rows += [self._slow(gpu) for gpu in self._drivers.gpus]
                rows.append(self._self(number + 1))
            yield b"".join(rows)
            number = max(number, int((time.monotonic() - start) / period)) + 1
            yield from self._between(start + (number + UNEVEN * (number * GOLDEN % 1.0)) * period)

    def _between(self, due_s: float) -> Iterator[bytes]:
        """Sleep until the next tick is due, with rows of the cards meanwhile where they are asked for."""
        while time.monotonic() < min(due_s, self._fast_until_s):
            self._edge_samples += 1
            next_s = (1 + UNEVEN * (self._edge_samples * GOLDEN % 1.0)) / EDGE_HZ
            time.sleep(min(next_s, max(0.0, due_s - time.monotonic())))
            if time.monotonic() + 1 / EDGE_HZ < due_s:
                yield b"".join(self._fast(gpu) for gpu in self._drivers.gpus)
        time.sleep(max(0.0, due_s - time.monotonic()))

    def _fast(self, gpu: Gpu) -> bytes:
        sample = gpu.sample()
        call_s = (time.monotonic_ns() - sample.t_ns) / 1e9
        values = (sample.energy_j, sample.power_instant_w, sample.power_average_w)
        return row(sample.t_ns, FAST, gpu.index, *values, call_s)

    def _slow(self, gpu: Gpu) -> bytes:
        t_ns, state = time.monotonic_ns(), gpu.snapshot()
        values = (
            state.temperature_c,
            state.sm_clock_mhz,
            state.throttle_mask,
            state.memory_clock_mhz,
            state.utilisation_percent,
        )
        return row(t_ns, SLOW, gpu.index, *values)

    def _source_rows(self) -> list[bytes]:
        readings, numbered = self._others.read(), enumerate(self._others.domains)
        readable = [(number, readings[domain]) for number, domain in numbered if domain in readings]
        return [row(reading.t_ns, SOURCE, number, reading.energy_j) for number, reading in readable]

    def _self(self, ticks: int) -> bytes:
        spent = (time.process_time(), ticks, self._late, self._longest_gap_s)
        return row(time.monotonic_ns(), SELF, 0, *spent, sleep_clock.asleep_so_far_s())


def row(t_ns: int, kind: int, index: int, *values: float | None) -> bytes:
    """One row of the file; what is `None`, or not of this kind, is NaN."""
    numbers = [NAN if value is None else float(value) for value in values]
    return ROW.pack(t_ns, kind, index, *numbers, *[NAN] * (WIDTH - len(numbers)))
