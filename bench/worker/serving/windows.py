"""Places of a window's edges in a load, by the window's name.

`single`: from the end of one request to the end of a later one, so that whole requests are in it.
`concurrency` and `rate`: a stretch of a load that has been up for a while, and goes on after it.
`saturated`: from the moment when `load` requests have had their first token to that when all but `load` + 1
have ended, as in ML.ENERGY's benchmark, version 3.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.core.workload import Workload
from bench.worker.producer import WorkRequest
from bench.worker.serving.loads import Load

LOOK_S = 0.02
LEAST_RAMP_S, RAMP_ANSWERS = 1.0, 2.0
"""A rate is held for at least a second, and for the time of two answers, before its first edge."""
LEAST_OF_RATE = 3
"""Requests that end in a window of a rate at least, however low the rate."""


@dataclass(frozen=True)
class Moments:
    """Edges of a window, in CLOCK_MONOTONIC."""

    start_ns: int
    end_ns: int


class WindowPlacer:
    """Waits inside a load for the edges of one window; `turn` is called at every look and may raise."""

    def __init__(self, load: Load, request: WorkRequest, answer_s: float, turn: Callable[[], object]) -> None:
        self._load, self._request, self._turn = load, request, turn
        self._answer_s = answer_s
        """How long an answer took so far: 0 before there was one."""

    async def place(self, workload: Workload) -> Moments:
        """The edges, once the load may end."""
        match workload.kind:
            case "single":
                return await self._whole_requests()
            case "saturated" if self._request.batches is not None:
                return await self._saturated(int(workload.load or 0), workload.requests or 0)
            case "rate":
                await self._hold(max(LEAST_RAMP_S, RAMP_ANSWERS * self._answer_s))
                return await self._stretch(LEAST_OF_RATE)
            case _:
                lanes = int(workload.load or 0)
                await self._until(lambda: sum(a.first_ns is not None for a in self._load.answers) >= lanes)
                return await self._stretch(lanes)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._turn()
            await asyncio.sleep(LOOK_S)

    async def _hold(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        await self._until(lambda: time.monotonic() >= ends)

    async def _stretch(self, least: int) -> Moments:
        """The time asked for, and longer where fewer than `least` requests have ended in it."""
        await self._hold(self._request.margin_s)
        start_ns = time.monotonic_ns()
        wanted_ns = start_ns + round(self._request.seconds * 1e9)
        await self._until(
            lambda: time.monotonic_ns() >= wanted_ns and len(self._ends_after(start_ns)) >= least
        )
        end_ns = time.monotonic_ns()
        await self._hold(self._request.margin_s)
        return Moments(start_ns, end_ns)

    async def _whole_requests(self) -> Moments:
        lead_ns = time.monotonic_ns() + round(self._request.margin_s * 1e9)
        start_ns = await self._end_from(lead_ns)
        end_ns = await self._end_from(start_ns + math.ceil(self._request.seconds * 1e9))
        await self._hold(self._request.margin_s)
        return Moments(start_ns, end_ns)

    async def _end_from(self, from_ns: int) -> int:
        """The first end of a whole answer at or after a moment."""
        await self._until(lambda: bool(self._ends_after(from_ns - 1)))
        return self._ends_after(from_ns - 1)[0]

    def _ends_after(self, moment_ns: int) -> list[int]:
        ends = (answer.end_ns for answer in self._load.answers if answer.whole)
        return sorted(end_ns for end_ns in ends if end_ns is not None and end_ns > moment_ns)

    async def _saturated(self, running: int, requests: int) -> Moments:
        await self._until(lambda: sum(answer.whole for answer in self._load.answers) >= requests)
        firsts = sorted(first_ns for a in self._load.answers if (first_ns := a.first_ns) is not None)
        return Moments(firsts[running - 1], self._ends_after(0)[requests - running - 2])
