"""`bench watch` without a command: looks that are shown until a signal ends them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from queue import Empty, SimpleQueue

from bench.cli.notes import Notes
from bench.cli.signals import each_calls
from bench.cli.watch_outputs import Sink
from bench.measurement.context import RunContext
from bench.measurement.live import Snapshot
from bench.measurement.run import run
from bench.measurement.watch_plan import WatchPlan


def watch(
    gpus: str | None, interval_s: float, limit_s: float | None, sink: Sink, tokens_from: str | None = None
) -> None:
    """Sample until asked to stop, or for `limit_s`."""
    stop = Stop()

    def asked(_signal: int) -> None:
        if stop.is_set():  # asked twice: it does not get to its end
            raise KeyboardInterrupt
        stop.set()

    with each_calls(asked):
        context = RunContext(Path("results"), _Shown(sink), stop)
        last, own_share = run(WatchPlan(interval_s, limit_s, gpus, tokens_from), context)
        sink.end(last, own_share, None)


class Stop:
    """Asked for by a signal. An Event's lock may be held by the very thread that the signal interrupts, which
    then waits for itself for ever; this queue's `put` may come at any moment."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[None] = SimpleQueue()
        self._asked = False

    def is_set(self) -> bool:
        """Whether it was asked for."""
        return self._asked

    def set(self) -> None:
        """End the wait, also one that begins later."""
        self._asked = True
        self._queue.put(None)

    def wait(self, timeout: float) -> bool:
        """Sleep for `timeout` seconds, or until asked to stop; return whether it was asked."""
        with contextlib.suppress(Empty):
            self._queue.get(timeout=timeout)
        return self._asked


class _Shown(Notes):
    """A listener that shows looks in a sink."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def show(self, look: Snapshot) -> None:
        """One look."""
        self._sink.show(look)
