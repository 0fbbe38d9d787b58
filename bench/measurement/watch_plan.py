"""Repeated sampling of this machine's meters: what `bench watch` runs.

    last, own_share = run(WatchPlan(interval_s=1.0, limit_s=60.0), context)

It takes no lock: it is a view beside any program, a measurement among them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from bench.errors import PrerequisiteError
from bench.machine.placement import named_cards
from bench.measurement.context import NoteListener, RunContext
from bench.measurement.instruments import Instruments
from bench.measurement.live import LiveMonitor, Snapshot
from bench.measurement.live.written_tokens import WrittenTokens

LOAD_COUNTRY = "USA"
"""For CodeCarbon, whose grams are not used here: its joules do not depend on it."""


class SnapshotListener(NoteListener, Protocol):
    """Receives each look."""

    def show(self, look: Snapshot) -> None:
        """One look, but for the last. Raises RecordError where it cannot be written."""


class WatchResult(NamedTuple):
    """The last look, which no listener was shown, and the cores that looking has taken."""

    last: Snapshot
    own_share: float


@dataclass(frozen=True)
class WatchPlan:
    """Look at cards, and at the host, until the stop signal or for `limit_s`."""

    interval_s: float
    limit_s: float | None = None
    gpus: str | None = None
    tokens_from: str | None = None
    """URL of a server, or a file, with a running number of tokens; `None` counts none."""

    def measure(self, instruments: Instruments, context: RunContext[SnapshotListener]) -> WatchResult:
        """Look on a grid that does not drift. Raises PrerequisiteError where nothing can be read."""
        drivers = instruments.drivers
        cards = drivers.gpus if self.gpus is None else named_cards(drivers, self.gpus, "--gpus")
        instruments.start(())
        with instruments.codecarbon(LOAD_COUNTRY) as codecarbon:
            counter = None if self.tokens_from is None else WrittenTokens.at(self.tokens_from)
            monitor = LiveMonitor(drivers, instruments.recorder, cards, codecarbon)
            last = self._looked(monitor, counter, context)
            return WatchResult(last, monitor.own_share())

    def _looked(
        self, monitor: LiveMonitor, counter: WrittenTokens | None, context: RunContext[SnapshotListener]
    ) -> Snapshot:
        begun, number = time.monotonic(), 1
        ends = float("inf") if self.limit_s is None else begun + self.limit_s
        while True:
            due = min(begun + number * self.interval_s, ends)
            asked = context.stop.wait(max(0.0, due - time.monotonic()))
            look = monitor.look()
            if counter is not None:
                spent_j = {scope: total.energy_j for scope, total in look.totals.items()}
                look = replace(look, tokens=counter.look(spent_j))
            _require_readings(look)
            if asked or time.monotonic() >= ends:
                return look
            context.listener.show(look)
            number = max(number, int((time.monotonic() - begun) / self.interval_s)) + 1


def _require_readings(look: Snapshot) -> None:
    """Raise PrerequisiteError if no domain was found, or none of them has readings."""
    if any(each.power_w is not None or each.energy_j is not None or not each.reason for each in look.domains):
        return
    reasons = look.absent | {each.label: each.reason for each in look.domains if each.reason}
    raise PrerequisiteError(
        f"Nothing can be read here: {'; '.join(f'{name}: {reason}' for name, reason in reasons.items())}.",
        "`python -m bench doctor` lists what would help.",
    )
