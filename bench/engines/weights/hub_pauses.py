"""Pauses before the model hub is asked again: as long as it asks for, announced in the log, and bounded.

    pauses = Pauses(longest_s=60.0)
    pauses.make(asked_s=7.0, why="answers 429 (too many requests)")    # False where it would be too much

Each pause is one warning in the log of `bench.engines`, which a worker passes on to the terminal.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

FIRST_PAUSE_S = 5.0
"""The pause after an answer that asks for none; each further one is twice as long."""

_log = logging.getLogger(__name__)


class Pauses:
    """The pauses of one use of the hub, of all its threads; what overlaps counts once."""

    def __init__(
        self,
        longest_s: float,
        sleep: Callable[[float], None] = time.sleep,
        now_s: Callable[[], float] = time.monotonic,
        *,
        first_s: float = FIRST_PAUSE_S,
    ) -> None:
        """`longest_s`: seconds of all pauses; `first_s`: seconds of the first without a length."""
        self._longest_s = longest_s
        self._sleep, self._now_s = sleep, now_s
        self._lock = threading.Lock()
        self._next_s = first_s
        self._total_s = 0.0
        self._until_s = float("-inf")

    def make(self, asked_s: float | None, why: str) -> bool:
        """Sleep for as long as asked; `False`, at once, where all pauses would come to more than allowed."""
        with self._lock:
            now_s = self._now_s()
            under_way_s = self._until_s - now_s
            if asked_s is None and under_way_s > 0:  # another thread was asked to, and waits already
                pause_s = under_way_s
            else:
                pause_s = self._next_s if asked_s is None else max(1.0, asked_s)
                self._next_s *= 2 if asked_s is None else 1
            added_s = max(0.0, pause_s - max(0.0, under_way_s))
            if self._total_s + added_s > self._longest_s:
                return False
            self._total_s += added_s
            self._until_s = max(self._until_s, now_s + pause_s)
            if added_s >= 1.0:  # else another thread has announced this very pause
                _log.warning(
                    "The model hub %s: waiting %.0f s, at most %.0f s in all.", why, pause_s, self._longest_s
                )
        self._sleep(pause_s)
        return True
