"""Cards of one machine that cases take while they run side by side.

    pool = CardPool(placement)
    pool.fewest(case)                   # 2: the fewest of these cards that hold it
    cards = pool.take(case, 2)          # two cards in a row, or None while they are not free
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
        """The fewest cards that hold a case: a multiple of its replicas; all of them where none do."""
        cards = self._placement.visible
        counts = range(replicas, len(cards) + 1, replicas)
        return next((count for count in counts if next(self._fitting(cards, count, fits), None)), len(cards))

    def take(self, count: int, fits: Fits) -> tuple[Gpu, ...] | None:
        """As many free cards that hold the case; `None` where it has to wait."""
        whole = count == len(self._placement.visible)
        found = next(self._fitting(self._free, count, lambda place: whole or fits(place)), None)
        if found is not None:
            self._free = [gpu for gpu in self._free if gpu not in found]
        return found

    def give_back(self, cards: Sequence[Gpu]) -> None:
        """Make cards free again."""
        taken = {gpu.uuid for gpu in self._free} | {gpu.uuid for gpu in cards}
        self._free = [gpu for gpu in self._placement.visible if gpu.uuid in taken]

    def _fitting(self, cards: Sequence[Gpu], count: int, fits: Fits) -> Iterator[tuple[Gpu, ...]]:
        """Groups of as many cards, next to each other in the list, that hold a case."""
        groups = (tuple(cards[at : at + count]) for at in range(len(cards) - count + 1))
        return (group for group in groups if fits(self._placement.of(group)))
