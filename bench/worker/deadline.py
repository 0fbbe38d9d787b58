"""Limits of a worker's request: how long it may take, and for how long the worker may do nothing.

    deadline = Deadline(child.pid, Generate(...))
    deadline.check()        # now and then, while its answer is waited for; EngineError(stage="deadline")

Loading may take hours where weights are fetched, so it has no end of its own. But it takes processor time or
reads: a worker that does neither for `IDLE_S`, with its children, waits for what never comes.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import NamedTuple

import psutil

from bench.errors import EngineError, UsageError
from bench.worker.messages import CheckOutput, Generate, LoadModel, Request

IDLE_S = 600.0
"""Ten minutes: a hub's longest wait is five, and a card at work takes processor time to be fed."""
GENERATION_S = 7200.0
"""Longest time for one request to generate, beyond the seconds that it asks for."""
VARIABLE = "JOULEBENCH_LONGEST_GENERATION_S"
"""Changes that time, for models that take longer."""
WORKING_S, READING_BYTES = 0.5, 65536
"""Processor time and bytes that are work; threads that only wake and sleep take less in ten minutes."""


class _Work(NamedTuple):
    """Processor time and bytes of a process and others so far."""

    cpu_s: float
    bytes: int

    def moved_since(self, earlier: _Work) -> bool:
        more_s, more_bytes = self.cpu_s - earlier.cpu_s, self.bytes - earlier.bytes
        return abs(more_s) >= WORKING_S or abs(more_bytes) >= READING_BYTES


class Deadline:
    """Limits of one request to a worker."""

    def __init__(self, pid: int, request: Request) -> None:
        self._pid = pid
        self._request = request
        self._begun_s = self._worked_s = time.monotonic()
        self._own = self._family = _Work(0.0, 0)

    def check(self) -> None:
        """Raise EngineError where the request takes too long, or the worker does nothing."""
        if not isinstance(self._request, LoadModel | Generate | CheckOutput):
            return
        self._look()
        now_s, what = time.monotonic(), type(self._request).__name__
        if now_s - self._worked_s > IDLE_S:
            raise EngineError(
                f"The worker process did nothing for {IDLE_S:.0f} s while it handled {what}.",
                "Its last words are in the record, under `failure`.",
                stage="deadline",
            )
        longest_s = self._longest_s()
        if longest_s is not None and now_s - self._begun_s > longest_s:
            raise EngineError(
                f"The worker process was not done with {what} after {longest_s:.0f} s.",
                f"Ask for less output, or allow longer with {VARIABLE}=SECONDS.",
                stage="deadline",
            )

    def _longest_s(self) -> float | None:
        if isinstance(self._request, Generate):
            return longest_generation_s() + (self._request.seconds or 0.0)
        return None

    def _look(self) -> None:
        """Note work since the last look, also of children; these late, because listing takes milliseconds."""
        own = _work([self._pid])
        if own.moved_since(self._own):
            self._own, self._worked_s = own, time.monotonic()
        elif time.monotonic() - self._worked_s > IDLE_S / 2:
            family = _work(_children(self._pid))
            if family.moved_since(self._family):
                self._family, self._worked_s = family, time.monotonic()


def longest_generation_s() -> float:
    """Seconds that one request to generate may take. Raises UsageError where the variable has none."""
    stated = os.environ.get(VARIABLE, "")
    try:
        seconds = float(stated or GENERATION_S)
    except ValueError:
        seconds = 0.0
    if seconds <= 0.0:
        raise UsageError(f"{VARIABLE}={stated} is not a number of seconds above 0.", "Change or unset it.")
    return seconds


def _children(pid: int) -> list[int]:
    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return []


def _work(pids: list[int]) -> _Work:
    """Work of processes so far; one that has ended has none."""
    cpu_s, count = 0.0, 0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            cpu_s += sum(process.cpu_times()[:2])
            if hasattr(process, "io_counters"):
                counters = process.io_counters()
                count += counters.read_chars + counters.write_chars
    return _Work(cpu_s, count)
