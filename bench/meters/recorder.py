"""The recorder: starts the sampling process, and reads what it has written.

    with Recorder() as recorder:                   # before CUDA is touched
        ...
        t_ns, watts = recorder.fast(gpu_index, start_ns, end_ns, "power_instant_w")
        joules = recorder.integrate_power(gpu_index, start_ns, end_ns)

Reading costs the sampler nothing: the file is only appended to. The process is started with nothing but this
package, because `multiprocessing` would import the caller's `__main__` again: a script without a guard, a
notebook and a program read from stdin would run twice, or not at all.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
import weakref
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bench.core.arrays import Floats
from bench.core.source import SourceFacts
from bench.core.temporary import SAMPLES, Owned, owned_folder
from bench.errors import MeterError
from bench.meters import sampling
from bench.meters.sample_buffer import SampleBuffer
from bench.meters.sampler_start import start_sampler

FastValue = Literal["energy_j", "power_instant_w", "power_average_w", "call_s"]
SlowValue = Literal[
    "temperature_c", "sm_clock_mhz", "throttle_mask", "memory_clock_mhz", "utilisation_percent"
]

FAST_VALUES = get_args(FastValue)
SLOW_VALUES = get_args(SlowValue)
SELF_VALUES = ("cpu_s", "ticks", "late_ticks", "longest_gap_s", "asleep_s")
NAMES = {
    sampling.FAST: FAST_VALUES,
    sampling.SLOW: SLOW_VALUES,
    sampling.SOURCE: ("energy_j",),
    sampling.SELF: SELF_VALUES,
}
"""Names of a row's values, by its kind."""

START_TIMEOUT_S = 120.0
"""The end of one that starts is noticed at once. On two cores at a load of 18 a start took more than 30 s."""
STOP_TIMEOUT_S = 2.0
LONGEST_HOLD_S = 1.0
"""Longest validity of one power sample: twenty ticks, so that a busy machine does not lose a window."""


class Recorder:
    """A running sampler and its rows so far."""

    def __init__(self) -> None:
        folder = owned_folder(SAMPLES)
        self.path = folder.path / "samples.bin"
        self._rows = SampleBuffer(self.path)
        self.source_domains: dict[str, SourceFacts] = {}
        self.source_absent: dict[str, str] = {}
        self._connection, theirs = Pipe()
        try:
            self._process = start_sampler(self.path, theirs)
        except MeterError:
            folder.remove()
            raise
        # Also without a call of `close`: at the latest when the interpreter ends.
        self._end = weakref.finalize(self, _end, os.getpid(), self._process, self._connection, folder)
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def _greet(self) -> None:
        try:
            if not self._connection.poll(START_TIMEOUT_S):
                raise MeterError(f"The recorder did not start within {START_TIMEOUT_S:.0f} s.")
            greeting = self._connection.recv()
        except EOFError:
            raise MeterError("The recorder ended while starting.", "Run again with --debug.") from None
        self.source_domains, self.source_absent = greeting["domains"], greeting["absent"]

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether the sampling process still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the sampler."""
        return self._process.pid

    def close(self) -> None:
        """End the sampler and remove its file."""
        self._end()

    def sample_fast(self, seconds: float) -> None:
        """Look faster for so long, as an edge of a window needs where the counter ticks often."""
        with contextlib.suppress(OSError):  # a recorder that has ended is detected by its rows
            self._connection.send(seconds)

    def rows(self) -> NDArray[np.void]:
        """All whole rows written so far, oldest first."""
        return self._rows.read(0, self._rows.refresh())

    def has_counted(self, gpu_index: int) -> bool:
        """Whether a card's energy counter was ever read."""
        self._rows.refresh()
        return gpu_index in self._rows.counted

    def wait_past(
        self, t_ns: int, timeout_s: float = 1.0, kind: int | None = None, index: int | None = None
    ) -> bool:
        """Sleep until a row (of a kind, of one device) stamped after `t_ns` is there; `False`: none in time.

        A tick's rows carry their own stamps: where a certain kind has to be past `t_ns`, name it.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            count = self._rows.refresh()
            late = self._rows.read(self._rows.find(t_ns + 1), count)
            late = late if kind is None else late[late["kind"] == kind]
            if len(late if index is None else late[late["index"] == index]):
                return True
            if not self.alive:
                return False
            time.sleep(0.01)
        return False

    def _select(self, kind: int, index: int, start_ns: int, end_ns: int) -> NDArray[np.void]:
        self._rows.refresh()
        margin = 2_000_000_000  # rows of one tick carry their own stamps, a little out of order
        near = self._rows.read(self._rows.find(start_ns - margin), self._rows.find(end_ns + margin))
        t_ns = near["t_ns"]
        chosen: NDArray[np.void] = near[
            (near["kind"] == kind) & (near["index"] == index) & (t_ns >= start_ns) & (t_ns <= end_ns)
        ]
        return chosen

    def fast(
        self, gpu_index: int, start_ns: int, end_ns: int, value: FastValue
    ) -> tuple[NDArray[np.int64], Floats]:
        """Stamps and values of a card's fast samples within the window, missing ones left out."""
        return _column(self._select(sampling.FAST, gpu_index, start_ns, end_ns), FAST_VALUES.index(value))

    def slow(
        self, gpu_index: int, start_ns: int, end_ns: int, value: SlowValue
    ) -> tuple[NDArray[np.int64], Floats]:
        """Stamps and values of a card's slow samples within the window."""
        return _column(self._select(sampling.SLOW, gpu_index, start_ns, end_ns), SLOW_VALUES.index(value))

    def samples(
        self, kind: int, index: int, start_ns: int, end_ns: int
    ) -> tuple[NDArray[np.int64], dict[str, Floats]]:
        """Every sample of one kind and device within the window: stamps, and values by name (`nan`: none)."""
        rows = self._select(kind, index, start_ns, end_ns)
        return rows["t_ns"], {name: rows["value"][:, column] for column, name in enumerate(NAMES[kind])}

    def readings(self, domain: str, start_ns: int, end_ns: int) -> tuple[NDArray[np.int64], Floats]:
        """Stamps and cumulative joules of a source's domain within the window, missing ones left out."""
        number = list(self.source_domains).index(domain)
        return _column(self._select(sampling.SOURCE, number, start_ns, end_ns), 0)

    def joules(self, domain: str, start_ns: int, end_ns: int) -> float | None:
        """Joules of a source's domain between two moments, interpolated between the samples that saw it move.

        A counter that moves more seldom than it is looked at is exact there, and up to a tick old elsewhere.
        `None` without samples at both ends, where the counter was reset, and where it went unseen for so long
        that it may have wrapped more than once.
        """
        facts = self.source_domains[domain]
        margin = round(3e9 * max(1 / sampling.FAST_HZ, facts.tick_s))
        t_ns, energy_j = self.readings(domain, start_ns - margin, end_ns + margin)
        if len(t_ns) < 2 or t_ns[0] > start_ns or t_ns[-1] < end_ns:
            return None
        if np.any(np.diff(energy_j) < 0) or np.max(np.diff(t_ns)) > facts.longest_unseen_s * 1e9:
            return None
        moved = np.diff(energy_j, prepend=-np.inf) > 0
        moved[-1] |= t_ns[moved][-1] < end_ns
        begin, end = np.interp([start_ns, end_ns], t_ns[moved], energy_j[moved])
        return float(end - begin)

    def longest_gap_s(self, start_ns: int, end_ns: int) -> float:
        """The longest time within the window without any row, up to its very end where none came after it.

        A row of some kind comes at least every half second, so a longer gap means that the machine, or the
        sampler, stalled.
        """
        count = self._rows.refresh()
        low, high = self._rows.find(start_ns), self._rows.find(end_ns)
        around = self._rows.read(max(0, low - 1), min(high + 1, count))["t_ns"]
        first = around[0] if low else start_ns
        last = around[-1] if high < count else end_ns
        inside = np.sort(around[min(1, low) : len(around) - (high < count)])
        return float(np.max(np.diff([first, *inside, last]))) / 1e9

    def integrate_power(
        self,
        gpu_index: int,
        start_ns: int,
        end_ns: int,
        powers: tuple[FastValue, ...] = ("power_instant_w", "power_average_w"),
    ) -> float | None:
        """Instant power (average, where a card has no instant one) held from sample to sample, in joules.

        Both edges are included: the first sample is held back to the start, the last on to the end. Where no
        sample came for `LONGEST_HOLD_S`, the card or the sampler was lost, and nothing is known: `None`.
        """
        for value in powers:
            t_ns, watts = self.fast(gpu_index, start_ns, end_ns, value)
            if len(t_ns):
                if np.max(np.diff([start_ns, *t_ns, end_ns])) > LONGEST_HOLD_S * 1e9:
                    return None
                edges = np.concatenate([[start_ns], t_ns[1:], [end_ns]]).astype(np.float64)
                return float(np.sum(watts * np.diff(edges)) / 1e9)
        return None

    def counter_curve(
        self, gpu_index: int, start_ns: int, end_ns: int, margin_s: float = 1.0
    ) -> tuple[NDArray[np.int64], Floats]:
        """The points where a card's counter was seen to have moved, from `margin_s` before to as much after.

        Between two such points the counter gives only the mean, so a straight line joins them.
        """
        margin = round(margin_s * 1e9)
        t_ns, energy_j = self.fast(gpu_index, start_ns - margin, end_ns + margin, "energy_j")
        moved = np.flatnonzero(np.diff(energy_j) > 0) + 1
        return t_ns[moved], energy_j[moved]

    def own_cost(self) -> dict[str, float]:
        """The sampler's own cost so far: CPU seconds and share of a core, ticks, late ticks, longest gap."""
        self._rows.refresh()
        own = self._rows.own
        if not len(own):
            return {}
        cost = {name: float(value) for name, value in zip(SELF_VALUES[:-1], own["value"][-1], strict=False)}
        seconds = float(own["t_ns"][-1] - own["t_ns"][0]) / 1e9
        if seconds > 0:  # the share excludes starting up, before the first row
            cost["cpu_share"] = (cost["cpu_s"] - float(own["value"][0, 0])) / seconds
        return cost


def _end(owner: int, process: subprocess.Popen[bytes], connection: Connection, folder: Owned) -> None:
    """Stop the sampler and remove its file; a fork of the process that started it leaves both alone."""
    if os.getpid() != owner:
        return
    with contextlib.suppress(OSError):  # it may be gone already
        connection.send("stop")  # where a fork keeps the pipe open, closing it has no effect
    connection.close()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    folder.remove()


def _column(rows: NDArray[np.void], column: int) -> tuple[NDArray[np.int64], Floats]:
    values: Floats = rows["value"][:, column]
    finite = ~np.isnan(values)
    return rows["t_ns"][finite], values[finite]
