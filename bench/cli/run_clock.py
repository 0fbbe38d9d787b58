"""Progress of a whole run: cases that are done, and a guess at the time left.

The guess is the mean time of the cases so far for each that is to come, and for the current case what
its own blocks foresee. Before the first case is whole there is none.
"""

from __future__ import annotations

import time
from statistics import fmean

from bench.catalog.sweep import roughly
from bench.measurement.context import BlockDone


class RunClock:
    """Clock of one run; its methods are called as the run's listener is."""

    def __init__(self) -> None:
        self._number, self._total = 1, 1
        self._began_s = time.monotonic()
        self._took_s: list[float] = []
        self._share = 0.0
        self._ends_s: float | None = None
        """When the current case is over, by its blocks."""

    @property
    def cases_done(self) -> float:
        """Cases, the current one in part."""
        return self._number - 1 + self._share

    def case_begins(self, number: int, total: int) -> None:
        """The next case starts now."""
        self._number, self._total = number, total
        self._began_s = time.monotonic()
        self._share, self._ends_s = 0.0, None

    def block_done(self, done: BlockDone) -> None:
        """A block of the current case has ended."""
        left_s = done.seconds_left or 0.0
        # Never 1: the case is over with its record.
        self._share = done.number / (max(done.at_least, done.number + (left_s > 0)) + 1)
        if done.seconds_left is not None:
            self._ends_s = time.monotonic() + done.seconds_left

    def case_done(self) -> None:
        """The current case is over; of a pair, whose two records come at once, the first one counts."""
        if self._share < 1.0:
            self._took_s.append(time.monotonic() - self._began_s)
        self._share = 1.0

    def left_s(self) -> float | None:
        """Seconds until the run is over; `None` of a run of one case, and before the first one is whole."""
        if self._total == 1 or not self._took_s:
            return None
        usual_s, now_s = fmean(self._took_s), time.monotonic()
        ends_s = self._began_s + usual_s if self._ends_s is None else self._ends_s
        return max(0.0, ends_s - now_s) + (self._total - self._number) * usual_s

    def left(self) -> str:
        """The same in words; empty without a guess."""
        seconds = self.left_s()
        return "" if seconds is None else f"run ~{roughly(seconds)} left"
