"""Cards of one machine that cases take while they run side by side.

    pool = CardPool(placement)
    count = pool.fewest(fits, replicas=1)      # the fewest cards that hold the case: fits(placement) is True
    cards = pool.take(count, fits)             # cards in a row, or None while they are not free
    pool.give_back(cards)

A case never shares a card. Cards that are next to each other are taken together: they are linked best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bench.machine.placement import Placement
from bench.meters.gpu import Gpu

Fits = Callable[[Placement], bool]
"""Whether a case fits these cards."""


class CardPool:
    """Cards that a run may use; those that are taken belong to one case."""

    def __init__(self, placement: Placement) -> None:
        self._placement = placement
        self._free = list(placement.visible)

    def fewest(self, fits: Fits, replicas: int = 1) -> int:
        """The fewest cards that hold a case: a multiple of its replicas; the most where none do."""
        total = len(self._placement.visible)
        counts = range(replicas, total + 1, replicas)
        for count in counts:
            if any(fits(self._placement.of(row)) for row in self._rows(count)):
                return count
        return counts[-1] if counts else total

    def take(self, count: int, fits: Fits) -> tuple[Gpu, ...] | None:
        """That many free cards that hold the case; `None` where it has to wait."""
        whole = count == len(self._placement.visible)
        for row in self._rows(count):
            if all(gpu in self._free for gpu in row) and (whole or fits(self._placement.of(row))):
                self._free = [gpu for gpu in self._free if gpu not in row]
                return row
        return None

    def possible(self, count: int, fits: Fits) -> tuple[Gpu, ...]:
        """All cards, free or not, on that many of which the case could be."""
        rows = [row for row in self._rows(count) if fits(self._placement.of(row))]
        return tuple(gpu for gpu in self._placement.visible if any(gpu in row for row in rows))

    def give_back(self, cards: Sequence[Gpu]) -> None:
        """Make cards free again."""
        self._free += cards

    def _rows(self, count: int) -> Iterator[tuple[Gpu, ...]]:
        """Each row of that many cards that are next to each other."""
        cards = self._placement.visible
        return (tuple(cards[at : at + count]) for at in range(len(cards) - count + 1))
