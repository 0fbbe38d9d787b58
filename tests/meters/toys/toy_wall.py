"""A wall meter of 150 W that stands in the folder of sources for a test: a source is one file."""

from __future__ import annotations

import time

from bench.core.source import GainPrior, SourceFacts
from bench.meters.base import Reading

FACTS = SourceFacts(
    "toy-wall",
    plausible_w=5_000.0,
    tick_s=0.2,
    longest_unseen_s=60.0,
    gain=GainPrior(half_width=0.015, origin="its data sheet"),
)
POWER_W = 150.0


class ToyWall:
    """Counts whole ticks of 0.2 s; one plug of two does not answer."""

    domains = ("wall:toy",)

    def __init__(self) -> None:
        self.absent = {"wall:toy-2": "it does not answer"}
        self._begun_ns = time.monotonic_ns()

    def read(self) -> dict[str, Reading]:
        """Joules since this was made, as of the last tick."""
        now_ns = time.monotonic_ns()
        ticks = (now_ns - self._begun_ns) // round(FACTS.tick_s * 1e9)
        return {"wall:toy": Reading(now_ns, ticks * FACTS.tick_s * POWER_W)}


def open_source() -> ToyWall:
    """The plug."""
    return ToyWall()
