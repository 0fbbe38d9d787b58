"""Windows of work on all cards at once, and what each contestant makes of them.

    contest = Contest(standin, [Ours(...), Poll(...)], rng)
    for outcome in contest.window(works):       # seconds of real time
        print(outcome.card, outcome.meter, outcome.error)

The contestants' windows are nested. This project is outermost, since closing it waits for the
recorder's next sample (30 ms, after its own reading), then CodeCarbon, the slower of the rest; the others
change places. The pads that this project needs around the work are given to all. A window's start has nothing
to do with any card's tick. Where other load delays this process at an edge, all windows are too long by
idle time that is not a meter's fault: such a window is measured again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scripts.accuracy.meters import CODECARBON, OURS, Contestant, Ours
from scripts.accuracy.waveforms import Work, truth_spans
from tests.standin import StandIn

OUTERMOST = {OURS: 0, CODECARBON: 1}
LEAD_S = 0.001
"""The log of the work is written this long before it begins."""
HELD_UP_S, HELD_UP_SHARE, ATTEMPTS = 0.010, 1e-3, 4
"""Opening takes 3 ms on a quiet machine; at 1 s of work 10 ms of idle are 0.3 %."""
LONGEST_WAIT_S = 0.6
"""More than any counter's tick: the phase at which a window begins is drawn from it."""


@dataclass(frozen=True)
class Outcome:
    """One contestant's figure for one card in one window; `None` where it gave none."""

    card: int
    meter: str
    seconds: float
    true_j: float
    found_j: float | None

    @property
    def error(self) -> float | None:
        """Relative to the truth of the work, and of nothing around it."""
        return None if self.found_j is None else self.found_j / self.true_j - 1


class Contest:
    """Contestants around one stand-in; one of them is `Ours`, whose pads everyone is given."""

    def __init__(
        self, standin: StandIn, ours: Ours, peers: Sequence[Contestant], rng: np.random.Generator
    ) -> None:
        self._standin = standin
        self._ours = ours
        self._contestants: list[Contestant] = [ours, *peers]
        self._rng = rng
        self._drawn: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]] | None = None

    def window(self, works: Sequence[Work]) -> list[Outcome]:
        """Work `i` on card `i`, all beginning at once, measured by everyone.

        If every attempt is held up, the last one counts: the machine does not get quieter.
        """
        for _ in range(ATTEMPTS):
            start_ns, held_up_s = self._measured(works)
            outcomes = list(self._judged(works, start_ns))
            if held_up_s <= max(HELD_UP_S, HELD_UP_SHARE * works[0].seconds):
                break
        return outcomes

    def _measured(self, works: Sequence[Work]) -> tuple[int, float]:
        """When the work began, and how long the contestants waited for it and for the end of it in vain."""
        self._forget()
        time.sleep(self._rng.uniform(0, LONGEST_WAIT_S))
        self._ours.meter_set.settle_before()
        order = self._order()
        opening_ns = time.monotonic_ns()
        for contestant in order:
            contestant.open()
        start_ns, end_ns = self._work(works)
        closing_ns = time.monotonic_ns()
        for contestant in reversed(order):
            contestant.close()
        return start_ns, (start_ns - opening_ns + closing_ns - end_ns) / 1e9

    def _forget(self) -> None:
        """Begin the log anew, but for what is still to come of the last work's tail."""
        self._standin.forget_load()
        if self._drawn is not None:
            cards, stamps, watts = self._drawn
            later = stamps > time.monotonic_ns()
            self._standin.load_many(cards[later], stamps[later], watts[later])

    def _order(self) -> list[Contestant]:
        """From the outermost to the innermost."""
        shuffled = [self._contestants[i] for i in self._rng.permutation(len(self._contestants))]
        return sorted(shuffled, key=lambda contestant: OUTERMOST.get(contestant.name, len(OUTERMOST)))

    def _work(self, works: Sequence[Work]) -> tuple[int, int]:
        """Let the cards draw what the works say, until they all end. Returns when they began and ended."""
        relative = [work.events(0) for work in works]
        cards = np.repeat(np.arange(len(works)), [len(stamps) for stamps, _ in relative])
        stamps = np.concatenate([stamps for stamps, _ in relative])
        watts = np.concatenate([watts for _, watts in relative])
        start_ns = time.monotonic_ns() + round(LEAD_S * 1e9)
        self._drawn = cards, start_ns + stamps, watts
        self._standin.load_many(*self._drawn)
        (seconds,) = {round(work.seconds, 9) for work in works}
        end_ns = start_ns + round(seconds * 1e9)
        time.sleep(max(0.0, (end_ns - time.monotonic_ns()) / 1e9))
        return start_ns, end_ns

    def _judged(self, works: Sequence[Work], start_ns: int) -> Iterator[Outcome]:
        true_j = [
            sum(self._standin.true_energy_j(card, *span) for span in truth_spans(work, start_ns))
            for card, work in enumerate(works)
        ]
        for contestant in self._contestants:
            for card, found_j in enumerate(contestant.energies_j(works)):
                yield Outcome(card, contestant.name, works[card].seconds, true_j[card], found_j)
