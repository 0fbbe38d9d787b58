"""Facts about a record's windows, in words and numbers: length, edges, the counter's delay."""

from __future__ import annotations

import math
from statistics import fmean

from bench.core.block import Block
from bench.core.domain import gpus
from bench.core.measurement import Measurement
from bench.core.observed import CounterDelay
from bench.core.words import counted
from bench.stats.budget.cards import edge_parts_j
from bench.stats.figures import counting
from bench.view.numbers import digits, duration

NAMED_BESIDE = 3
"""Cases side by side that are named, those that overlapped longest; of more, the number."""
COVERED = 1.96
"""Coverage factor of a 95 % interval."""


def block_length(record: Measurement) -> str | None:
    """`at least 5.2 s, chosen (rest 5.2 s, ticks 2 s)`; `None` if the record lacks it."""
    block = record.ended.block if record.ended else None
    if block is None:
        return None
    if block.asked:
        return f"at least {block.seconds:.3g} s, as asked"
    demands = sorted(block.demands_s.items(), key=lambda demand: -demand[1])
    listed = ", ".join(f"{name} {seconds:.2g} s" for name, seconds in demands)
    return f"at least {block.seconds:.3g} s, chosen ({listed})"


def edge_half_width(block: Block) -> float | None:
    """Relative half width at 95 % that the edges leave in the joules of a block's cards.

    `None` without a card, and if none has an uncertainty of its edges (older records, other sources).
    """
    cards = gpus(block.energy)
    joules = block.joules("gpu").gross_j
    if not joules or all(block.energy[name].edge_u_j is None for name in cards):
        return None
    return COVERED * math.hypot(*edge_parts_j(block, cards)) / joules


def side_by_side(record: Measurement) -> str | None:
    """`3 other cases of the run were at work during its blocks, on up to 7 other cards`, with their labels.

    `None` of a case that was alone.
    """
    found = record.side_by_side
    if found is None:
        return None
    cases, cards = counted(found.cases, "other case"), counted(len(found.cards), "other card")
    if found.beside is None:
        return f"{cases} in the run, on up to {cards}; this older record does not have which were at work"
    if not found.beside:
        return f"no other case of the run was at work during its blocks; {cards} could be used"
    were = "was" if found.cases == 1 else "were"
    longest = sorted(found.beside, key=lambda each: -each.overlap_s)
    named = "; ".join(
        f"{each.label} for {duration(float(each.overlap_s))}" for each in longest[:NAMED_BESIDE]
    )
    named += f"; {len(longest) - NAMED_BESIDE} more" if len(longest) > NAMED_BESIDE else ""
    return f"{cases} of the run {were} at work during its blocks, on up to {cards}: {named}"


def neighbours(record: Measurement) -> str | None:
    """`6 idle neighbours: 412 W, not in the sum`: the machine's other cards; `None` where there are none."""
    found = record.figures.neighbours
    if found is None:
        return None
    taken = counted(found.of_other_cases, "card") + " of other cases of the run"
    if not found.cards and found.of_other_cases:
        return f"{taken}, not counted as idle"
    idle = "idle " if found.busy == 0 else ""
    at_work = f", {found.busy} of them at work" if found.busy else ""
    named = f"{found.cards} {idle}neighbour{'s' if found.cards > 1 else ''}{at_work}"
    left_out = f" ({taken} left out)" if found.of_other_cases else ""
    if found.power_w is None:
        return f"{named}: power not known ({found.reason}){left_out}"
    return f"{named}: {digits(found.power_w.value)} W, not in the sum{left_out}"


def replicas(record: Measurement) -> str | None:
    """`4 at once; in 1.2 % of the time not all worked`; `None` of a single worker."""
    seen = [block.observed.replicas for block in counting(record.blocks)]
    shares = [each.uneven_share for each in seen if each and each.uneven_share is not None]
    if not shares:
        return None
    count = max(len(each.items) for each in seen if each)
    return f"{count} at once; in {100 * fmean(shares):.2g} % of the time not all worked"


def counter_delays(record: Measurement) -> dict[str, str]:
    """Publishing delay of each card's counter, by domain, from the last block that has it."""
    delays: dict[str, str] = {}
    for block in record.blocks:
        for domain, delay in block.observed.counter_delay.items():
            if text := _delay(delay):
                delays[domain] = text
    return delays


def _delay(delay: CounterDelay) -> str | None:
    if delay.delay_s is None or delay.u_s is None:
        return None
    if delay.scatter_s:
        return f"0 to {_ms(delay.scatter_s)} ({delay.how})"
    delay_text = f"{_ms(delay.delay_s)} ± {_ms(COVERED * delay.u_s)}"
    return f"{delay_text if delay.known else f'not known, taken as {delay_text}'} ({delay.how})"


def _ms(seconds: float) -> str:
    """Two digits, and whole milliseconds above them: `3.9 ms`, `330 ms`."""
    value = seconds * 1e3
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"
