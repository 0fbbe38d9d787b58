"""Offset between two clocks by exchanges of four time stamps, as NTP measures it (RFC 5905).

    track = OffsetTrack()
    track.add(quickest([exchanged(t1, t2, t3, t4), ...]))         # before a window, and after it
    edge_ns = track.there_ns(start_ns)                            # the same moment on the other clock
    track.off_by(start_ns, end_ns)                                # HalfWidths(offset_s, change_s)

A delay that is longer one way than the other shifts the offset by half of the difference, which no exchange
shows, so half of the round trip bounds it. Between two exchanges the offset is taken as linear.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

UNSEEN_PPM = 100.0
"""Drift allowed for before the first exchange and after the last: two crystals of ±50 ppm."""
LEAST_FOR_DRIFT_S = 1.0
"""Time between exchanges from which a rate is stated."""


class Exchange(NamedTuple):
    """Offset of the other clock at a moment of ours, and the round trip less the time spent there."""

    here_ns: int
    offset_ns: int
    round_trip_ns: int


class HalfWidths(NamedTuple):
    """Bounds of the error of a window's edges: of both alike, and of the change from exchange to exchange."""

    offset_s: float
    change_s: float

    @property
    def total_s(self) -> float:
        """Bound of each edge."""
        return self.offset_s + self.change_s


def exchanged(sent_ns: int, received_ns: int, answered_ns: int, back_ns: int) -> Exchange:
    """From the four stamps: ours at sending and at the answer, the other's at receiving and at answering."""
    round_trip_ns = (back_ns - sent_ns) - (answered_ns - received_ns)
    offset_ns = ((received_ns - sent_ns) + (answered_ns - back_ns)) // 2
    return Exchange((sent_ns + back_ns) // 2, offset_ns, max(0, round_trip_ns))


def quickest(exchanges: Iterable[Exchange]) -> Exchange:
    """The exchange with the shortest round trip: queues and busy processors only ever add to one."""
    return min(exchanges, key=lambda each: each.round_trip_ns)


class OffsetTrack:
    """Exchanges with one agent in the order of time."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []

    def __len__(self) -> int:
        return len(self._exchanges)

    @property
    def last(self) -> Exchange | None:
        """The latest exchange."""
        return self._exchanges[-1] if self._exchanges else None

    @property
    def longest_round_trip_s(self) -> float:
        """Of all exchanges that were kept."""
        return max((each.round_trip_ns for each in self._exchanges), default=0) / 1e9

    @property
    def drift_ppm(self) -> float | None:
        """Rate of the other clock against ours; `None` where the exchanges are too close together."""
        if len(self._exchanges) < 2:
            return None
        first, last = self._exchanges[0], self._exchanges[-1]
        seconds = (last.here_ns - first.here_ns) / 1e9
        return (last.offset_ns - first.offset_ns) / 1e3 / seconds if seconds >= LEAST_FOR_DRIFT_S else None

    def add(self, exchange: Exchange) -> None:
        """Keep an exchange, later than those before."""
        self._exchanges.append(exchange)

    def there_ns(self, here_ns: int) -> int:
        """A moment of our clock on the other's. Raises IndexError without an exchange."""
        before, after = self._around(here_ns)
        span_ns = after.here_ns - before.here_ns
        share = (here_ns - before.here_ns) / span_ns if span_ns else 0.0
        return here_ns + before.offset_ns + round((after.offset_ns - before.offset_ns) * share)

    def here_ns(self, there_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Moments of the other clock on ours: the inverse of `there_ns`, also beyond the exchanges."""
        offsets = np.array([each.offset_ns for each in self._exchanges], dtype=np.int64)
        here = np.array([each.here_ns for each in self._exchanges], dtype=np.int64)
        # Near zero, where a float has all digits of a nanosecond.
        relative, origin_ns = (there_ns - there_ns[:1].sum()).astype(np.float64), int(there_ns[:1].sum())
        known = (here + offsets - origin_ns).astype(np.float64)
        shift = np.interp(relative, known, (offsets - offsets[0]).astype(np.float64))
        return np.asarray(there_ns - offsets[0] - np.rint(shift).astype(np.int64), dtype=np.int64)

    def off_by(self, start_ns: int, end_ns: int) -> HalfWidths:
        """Bounds for a window: half of the longest round trip around it, and how far the offset moved.

        Beyond the exchanges it may have moved by `UNSEEN_PPM`.
        """
        around = [*self._around(start_ns), *self._around(end_ns)]
        offsets = [each.offset_ns for each in around]
        half_ns = max(each.round_trip_ns for each in around) / 2
        first, last = self._exchanges[0].here_ns, self._exchanges[-1].here_ns
        unseen_ns = max(0, first - start_ns, end_ns - last) * UNSEEN_PPM / 1e6
        return HalfWidths(half_ns / 1e9, (max(offsets) - min(offsets) + unseen_ns) / 1e9)

    def _around(self, here_ns: int) -> tuple[Exchange, Exchange]:
        """The last exchange before a moment and the first one after it; the nearest twice outside of all."""
        before = [each for each in self._exchanges if each.here_ns <= here_ns]
        after = [each for each in self._exchanges if each.here_ns > here_ns]
        first = before[-1] if before else after[0]
        return first, after[0] if after else first
