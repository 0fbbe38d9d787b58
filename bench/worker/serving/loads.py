"""Loads on a server: requests one after another, several at once, at a rate, or all at once.

load = Load(ask, first_number=0)
load.start(load.lanes(8, spacing_s=0.1))
...                       # edges are placed while it goes on
await load.finish(10.0, turn=watch.turn)
load.answers              # in the order of sending
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bench.worker.serving.client import Answer

AFTER_FAILURE_S = 0.1
"""Rest of a lane after a failed request: a server that refuses at once is not asked without end."""
CLOSED = "closed-by-client"
"""Reason code of a request that was still open when its load had ended and been waited for."""

Asking = Callable[[Answer], Awaitable[Answer]]


class Load:
    """Requests that are open at the same time, and those that have ended; one event loop, one thread."""

    def __init__(self, ask: Asking, first_number: int) -> None:
        self.answers: list[Answer] = []
        self.failures_in_row = 0
        self._ask = ask
        self._next = first_number
        self._ending = False
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def open(self) -> list[Answer]:
        """Requests that were sent and have not ended."""
        return [answer for answer in self.answers if answer.end_ns is None]

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin a load, or one request of it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)

    def raise_faults(self) -> None:
        """Raise what went wrong in the load's own code, and forget tasks that have ended."""
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _one(self, due_ns: int | None = None) -> Answer:
        answer = Answer(self._next, time.monotonic_ns(), due_ns)
        self._next += 1
        self.answers.append(answer)
        try:
            await self._ask(answer)
        except asyncio.CancelledError:
            answer.failure, answer.end_ns = CLOSED, time.monotonic_ns()
            raise
        self.failures_in_row = 0 if answer.whole else self.failures_in_row + 1
        return answer

    async def lanes(self, count: int, spacing_s: float) -> None:
        """`count` requests at once, each followed by another; they begin apart, lest they end together."""
        for _ in range(count):
            if self._ending:
                return
            self.start(self._lane())
            if spacing_s:
                await asyncio.sleep(spacing_s)

    async def _lane(self) -> None:
        while not self._ending:
            answer = await self._one()
            if not answer.whole:
                await asyncio.sleep(AFTER_FAILURE_S)

    async def arrivals(self, per_s: float, chance: random.Random | None) -> None:
        """Requests at moments that do not depend on answers: Poisson, or evenly without `chance`."""
        due_s = time.monotonic()
        while not self._ending:
            due_s += 1 / per_s if chance is None else chance.expovariate(per_s)
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            if not self._ending:
                self.start(self._one(round(due_s * 1e9)))

    async def burst(self, count: int) -> None:
        """All at once."""
        for _ in range(count):
            self.start(self._one())

    async def finish(self, patience_s: float, turn: Callable[[], object]) -> None:
        """Send nothing more, wait for open requests, and close those that take longer than `patience_s`."""
        self._ending = True
        ends = time.monotonic() + patience_s
        while self.open and time.monotonic() < ends:
            await asyncio.sleep(0.02)
            turn()
        await self.close()

    async def close(self) -> None:
        """Close all open requests."""
        self._ending = True
        while left := [task for task in self._tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        self.raise_faults()


class ClockLag:
    """How late the event loop wakes, twenty times a second: what its own time stamps are worth."""

    PERIOD_S = 0.05

    def __init__(self) -> None:
        self.seen: list[tuple[int, float]] = []

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            due_s = time.monotonic() + self.PERIOD_S
            await asyncio.sleep(self.PERIOD_S)
            self.seen.append((time.monotonic_ns(), max(0.0, time.monotonic() - due_s)))
