"""Power of the machine's cards that a case did not use, over the blocks that count: in no sum.

neighbour_figures(record.blocks)        # NeighbourFigures(cards=6, busy=0, power_w=Estimate(...)), or None
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from bench.core.block import Block
from bench.core.energy import complete_sum
from bench.core.figures import NeighbourFigures
from bench.core.observed import NeighbourObserved
from bench.stats.figures import counting, over_blocks

IDLE_AT_MOST_PERCENT = 1.0
"""Largest mean utilisation of an idle card: drivers report whole percents, and 0 where nothing runs."""
OF_OTHER_CASES = "other cases of this run were at work on all of them"


def neighbour_figures(blocks: Sequence[Block]) -> NeighbourFigures | None:
    """Their power together; `None` where the work used all cards, or where blocks do not say.

    Cards of other cases of the same run are left out: what they draw is those cases' own.
    """
    used = counting(blocks)
    seen = [block.observed.neighbours for block in used]
    every = {uuid for each in seen for uuid in each}
    taken = {uuid for each in seen for uuid, card in each.items() if card.used_by is not None}
    names = sorted(every - taken)
    if not every:
        return None
    if not names:
        return NeighbourFigures(
            cards=0, busy=0, power_w=None, reason=OF_OTHER_CASES, of_other_cases=len(taken)
        )
    joules = [complete_sum(each[name].energy_j if name in each else None for name in names) for each in seen]
    powers_w = [
        float(total_j) / block.duration_s
        for total_j, block in zip(joules, used, strict=True)
        if total_j is not None
    ]
    known = len(powers_w) == len(used)
    return NeighbourFigures(
        cards=len(names),
        busy=_busy(names, seen),
        power_w=over_blocks(used, powers_w) if known else None,
        reason=None if known else _why_unknown(names, seen),
        of_other_cases=len(taken),
    )


def _busy(names: Sequence[str], seen: Sequence[Mapping[str, NeighbourObserved]]) -> int | None:
    """How many of the cards something ran on; `None` where one does not say."""
    shares = [[each[name].utilisation_percent for each in seen if name in each] for name in names]
    if any(percent is None for of_card in shares for percent in of_card):
        return None
    means = [fmean(float(percent or 0.0) for percent in of_card) for of_card in shares]
    return sum(mean > IDLE_AT_MOST_PERCENT for mean in means)


def _why_unknown(names: Sequence[str], seen: Sequence[Mapping[str, NeighbourObserved]]) -> str:
    for name in names:
        for each in seen:
            if name not in each or each[name].energy_j is None:
                reason = each[name].reason if name in each else None
                return f"{name}: {reason or 'no reading'}"
    return "no reading"
