"""Looking again and again: the clock of `bench watch`."""

from __future__ import annotations

import contextlib
import time
from contextlib import closing
from queue import Empty, SimpleQueue

from bench.cli.interrupts import each_calls
from bench.cli.watch_sinks import Sink
from bench.errors import PrerequisiteError
from bench.meters.codecarbon import CodeCarbon
from bench.meters.nvml import Nvml
from bench.meters.recorder import Recorder
from bench.runner.devices import named_cards
from bench.runner.live import Look, Lookout

LOAD_COUNTRY = "USA"
"""For CodeCarbon, whose grams are not used here: its joules do not depend on it."""


def watch(gpus: str | None, interval_s: float, limit_s: float | None, sink: Sink) -> None:
    """Look until told to stop, or for `limit_s`."""
    stop = Stop()

    def asked(_signal: int) -> None:
        if stop.asked:  # asked twice: it does not get to its end
            raise KeyboardInterrupt
        stop.ask()

    with each_calls(asked), Nvml() as nvml, Recorder() as recorder:
        cards = nvml.gpus if gpus is None else named_cards(nvml, gpus, "--gpus")
        with closing(CodeCarbon(LOAD_COUNTRY, [])) as codecarbon:
            lookout = Lookout(nvml, recorder, cards, codecarbon)
            last = _ticks(lookout, interval_s, limit_s, sink, stop)
            sink.end(last, lookout.own_share(), {})


class Stop:
    """Asked for by a signal. An Event's lock may be held by the very thread that the signal interrupts, which
    then waits for itself for ever; this queue's `put` may come at any moment."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[None] = SimpleQueue()
        self.asked = False

    def ask(self) -> None:
        """End the wait, also one that begins later."""
        self.asked = True
        self._queue.put(None)

    def wait(self, seconds: float) -> bool:
        """Sleep so long, or until asked; whether that was so."""
        with contextlib.suppress(Empty):
            self._queue.get(timeout=seconds)
        return self.asked


def _ticks(lookout: Lookout, interval_s: float, limit_s: float | None, sink: Sink, stop: Stop) -> Look:
    """Show looks on a grid that does not drift; the last one, which is not shown."""
    begun, number = time.monotonic(), 1
    ends = float("inf") if limit_s is None else begun + limit_s
    while True:
        due = min(begun + number * interval_s, ends)
        asked = stop.wait(max(0.0, due - time.monotonic()))
        look = lookout.look()
        _refuse_nothing(look)
        if asked or time.monotonic() >= ends:
            return look
        sink.show(look)
        number = max(number, int((time.monotonic() - begun) / interval_s)) + 1


def _refuse_nothing(look: Look) -> None:
    """End where no domain is there, or all of them say why they have nothing."""
    if any(each.power_w is not None or each.energy_j is not None or not each.reason for each in look.domains):
        return
    known = look.absent | {each.label: each.reason for each in look.domains if each.reason}
    raise PrerequisiteError(
        f"Nothing can be read here: {'; '.join(f'{name}: {reason}' for name, reason in known.items())}.",
        "`python -m bench doctor` says what would help.",
    )
