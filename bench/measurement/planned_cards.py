"""Cards that cases of a plan would have, for a dry run.

    planned = planned_cards(items, placement, parallel=True)
    planned[2].cards, planned[2].number      # 1 of four cards, whichever is free first

Side by side the cases that begin at once have cards of their own; which ones the others have depends on
which case ends first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bench.catalog.cases import Planned
from bench.machine.card_pool import CardPool
from bench.machine.placement import Placement
from bench.measurement.fitting import cards_of_case, holding
from bench.measurement.side_by_side import cards_needed
from bench.meters.gpu import Gpu
from bench.worker import producers


class PlannedCards(NamedTuple):
    """Cards of a case: all of `cards`, or where `number` is less, those that are free first."""

    cards: tuple[Gpu, ...]
    number: int


def planned_cards(
    items: Sequence[Planned], placement: Placement, *, parallel: bool = False
) -> list[PlannedCards]:
    """The cards of each case. None on a CPU without --gpus, and of a server that chooses by itself."""
    if parallel:
        return _side_by_side(items, placement)
    found = []
    for item in items:
        if placement.device != "cpu" and producers.of(item.case.workload).LOADS_HERE:
            cards = cards_of_case(item.case, placement).visible
        else:
            cards = placement.named
        found.append(PlannedCards(cards, len(cards)))
    return found


def _side_by_side(items: Sequence[Planned], placement: Placement) -> list[PlannedCards]:
    pool, found = CardPool(placement), []
    for item in items:
        fits, count = holding(item.case), cards_needed(item, CardPool(placement))
        cards = pool.take(count, fits) or pool.possible(count, fits) or placement.visible
        found.append(PlannedCards(cards, count))
    return found
