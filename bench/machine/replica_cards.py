"""Cards of replicas where not all cards that were named can be shared equally.

    sharing(placement, 3, fits).visible      # three of four cards, the first that are idle

The number is the fewest that hold the case, as it is for cases side by side. The other cards stay idle, and
their joules are in no sum.
"""

from __future__ import annotations

from bench.machine.card_pool import CardPool, Fits
from bench.machine.placement import Placement


def sharing(placement: Placement, replicas: int, fits: Fits) -> Placement:
    """The place of a case: all of its cards where replicas share them equally, else the fewest that hold it.

    Cards that were idle before the run are preferred, then the first ones. Where none hold it, as many as can
    be shared.
    """
    cards = placement.visible
    if placement.device == "cpu" or len(cards) < replicas or not len(cards) % replicas:
        return placement
    preferred = placement.of(tuple(sorted(cards, key=lambda gpu: gpu in placement.busy)))
    pool = CardPool(preferred)
    count = pool.fewest(fits, replicas)
    chosen = pool.take(count, fits) or preferred.visible[:count]
    return placement.of(tuple(gpu for gpu in cards if gpu in chosen))
