"""Times and cards of the cases of a run side by side, shared by its processes: which of them overlapped.

    times = CaseTimes(labels, [gpu.uuid for gpu in placement.visible])
    times.begins(2, cards); times.ends(2)           # in the process that starts the others
    CasesBeside(times, 0, uuids).during(windows)       # SideBySide, in the process of case 0

A case is at work from the start of its process, loading included, to its outcome. All times are
CLOCK_MONOTONIC, which processes of one machine share.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from typing import NamedTuple

from bench.core.side_by_side import CaseBeside, SideBySide
from bench.meters.gpu import Gpu

BEGAN, ENDED, FIRST, CARDS, WIDTH = 0, 1, 2, 3, 4
"""Places in a row of the table: moments in ns (0: not yet), the first of its cards, their number."""


class _CaseAtWork(NamedTuple):
    """A case that has begun: `ended_ns` is `None` while it goes on."""

    label: str
    cards: tuple[str, ...]
    began_ns: int
    ended_ns: int | None

    def overlap_ns(self, start_ns: int, end_ns: int) -> int:
        """Time of a window in which it was at work."""
        until_ns = end_ns if self.ended_ns is None else min(end_ns, self.ended_ns)
        return max(0, until_ns - max(start_ns, self.began_ns))


class CaseTimes:
    """A table in memory that processes share: one writes it, all read it."""

    def __init__(self, labels: Sequence[str], uuids: Sequence[str]) -> None:
        self.labels, self.uuids = tuple(labels), tuple(uuids)
        self._rows = get_context("spawn").RawArray("q", WIDTH * len(self.labels))

    def begins(self, at: int, cards: Sequence[Gpu]) -> None:
        """A case starts on cards that are next to each other; said before its process is started."""
        row = WIDTH * at
        self._rows[row + FIRST], self._rows[row + CARDS] = self.uuids.index(cards[0].uuid), len(cards)
        self._rows[row + BEGAN] = time.monotonic_ns()

    def ends(self, at: int) -> None:
        """Its outcome is there, or its process is gone."""
        self._rows[WIDTH * at + ENDED] = time.monotonic_ns()

    def others(self, at: int) -> Iterator[_CaseAtWork]:
        """The other cases that have begun so far."""
        for number, label in enumerate(self.labels):
            began_ns, ended_ns, first, cards = self._rows[WIDTH * number : WIDTH * (number + 1)]
            if number != at and began_ns:
                yield _CaseAtWork(label, self.uuids[first : first + cards], began_ns, ended_ns or None)


@dataclass(frozen=True)
class CasesBeside:
    """The other cases of the run, as the process of the case at place `at` sees them."""

    times: CaseTimes
    at: int
    cards: tuple[str, ...]
    """UUIDs of the cards that are not this case's."""

    def card_user(self, uuid: str, start_ns: int, end_ns: int) -> str | None:
        """Label of the case that had a card for some of a window; `None` where none had it."""
        users = (case for case in self.times.others(self.at) if uuid in case.cards)
        return next((case.label for case in users if case.overlap_ns(start_ns, end_ns)), None)

    def during(self, windows_ns: Sequence[tuple[int, int]]) -> SideBySide:
        """For the record: the others that were at work during some of these windows."""
        beside = []
        for case in self.times.others(self.at):
            overlap_ns = sum(case.overlap_ns(start_ns, end_ns) for start_ns, end_ns in windows_ns)
            if overlap_ns:
                beside.append(
                    CaseBeside(
                        label=case.label,
                        cards=case.cards,
                        start_ns=case.began_ns,
                        end_ns=case.ended_ns,
                        overlap_s=overlap_ns / 1e9,
                    )
                )
        return SideBySide(cases=len(beside), cards=self.cards, beside=tuple(beside))
