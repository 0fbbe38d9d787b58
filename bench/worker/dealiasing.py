"""Rests between batches that shift the work against the card's sensor.

Some sensors see a quarter of the time, always the same quarter of every 100 ms. Work that repeats itself in
step with that is seen at its peaks alone, or never: -56 to +56 % over blocks of any length. So the worker
rests before some batches, just as long as it takes for the next one to begin at another point of the sensor's
period: at the points n × 0.618 of the period, which fill it evenly however many there are.

The points are kept in absolute time. Rests of a fixed length do as well for most work, but not where a
batch and its rest together are a whole number of periods (42 % at 60 s, where this has 0.6 %), and rests
that grow by 0.38 of the period leave 1 to 13 %: docs/meters.md has the table. The joules of the rests are
taken out of a block's figure, and its rate excludes their time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.core.calibration import Calibration

GOLDEN = (5**0.5 - 1) / 2
PERIODS_BETWEEN = 20
"""Periods of work between two rests of half a period each: 2.5 % of the time."""
USUAL_PERIOD_S = 0.1
"""The longest sensor period known of any card, for cards that were not calibrated."""


@dataclass(frozen=True)
class Dealiasing:
    """Rest before the first batch, and before another once `every_s` of work have passed.

    `first` is the number of the first rest, so that a case's blocks go on where the last one stopped.
    """

    period_s: float
    first: int = 0

    @property
    def every_s(self) -> float:
        """Work between two rests, in seconds."""
        return PERIODS_BETWEEN * self.period_s

    def rest_s(self, number: int, now_s: float) -> float:
        """Time to wait from `now_s` (CLOCK_MONOTONIC) for the point of rest `first + number`."""
        point_s = (self.first + number) * GOLDEN % 1.0 * self.period_s
        return (point_s - now_s) % self.period_s


def shift(cards: Iterable[Calibration | None], first: int) -> Dealiasing | None:
    """Rests for these cards, calibrated or not (`None`); none if all see all the time."""
    periods_s = [
        USUAL_PERIOD_S
        if calibration is None or calibration.sensor_period_s is None
        else calibration.sensor_period_s
        for calibration in cards
        if calibration is None or calibration.share_seen != 1
    ]
    return Dealiasing(max(periods_s), first) if periods_s else None


class Rests:
    """The rests of one block as they are taken; none without a `shift`."""

    def __init__(self, shift: Dealiasing | None) -> None:
        self._shift = shift
        self._last_s: float | None = None
        self.taken_ns: list[tuple[int, int]] = []

    def before_batch(self, finish: Callable[[], object] | None = None) -> None:
        """Rest where it is time to; `finish` is called before, to wait for work that is still under way."""
        shift = self._shift
        if not shift or (self._last_s is not None and time.monotonic() - self._last_s < shift.every_s):
            return
        if finish is not None:
            finish()
        begun_ns = time.monotonic_ns()
        time.sleep(shift.rest_s(len(self.taken_ns), begun_ns / 1e9))
        ended_ns = time.monotonic_ns()
        self._last_s = ended_ns / 1e9
        self.taken_ns.append((begun_ns, ended_ns))

    @property
    def taken_s(self) -> float:
        """Total length of all rests."""
        return sum(ended_ns - begun_ns for begun_ns, ended_ns in self.taken_ns) / 1e9
