"""How a record's windows were cut, in words and numbers: their length, their edges, the counter's delay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bench.core.block import Block
from bench.core.domain import gpus
from bench.core.energy import complete_sum
from bench.core.record import Record
from bench.records.budget.cards import edge_parts_j

COVERED = 1.96
"""Standard uncertainties on either side of a value that hold 95 %."""


def block_length(record: Record) -> str | None:
    """`at least 5.2 s, chosen (rest 5.2 s, ticks 2 s)`; `None` where the record does not say."""
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

    `None` without a card, and where none says what its edges leave (older records, other sources).
    """
    cards = gpus(block.energy)
    joules = complete_sum(block.energy[name].gross_j for name in cards)
    if not joules or all(block.energy[name].edge_u_j is None for name in cards):
        return None
    return COVERED * math.hypot(*edge_parts_j(block, cards)) / joules


def counter_delays(record: Record) -> dict[str, str]:
    """How late each card's counter was taken to publish, by domain, as the last block that says so has it."""
    found: dict[str, str] = {}
    for block in record.blocks:
        told = block.observed.get("counter_delay")
        for domain, delay in (told if isinstance(told, dict) else {}).items():
            if isinstance(delay, dict) and (text := _delay(delay)):
                found[domain] = text
    return found


def _delay(delay: Mapping[str, Any]) -> str | None:
    seconds, u_s = delay.get("delay_s"), delay.get("u_s")
    if not isinstance(seconds, int | float) or not isinstance(u_s, int | float):
        return None
    scatter_s = delay.get("scatter_s")
    if isinstance(scatter_s, int | float) and scatter_s > 0:
        return f"0 to {_ms(scatter_s)} ({delay.get('how')})"
    known = f"{_ms(seconds)} ± {_ms(COVERED * u_s)}"
    return f"{known if delay.get('known') else f'not known, taken as {known}'} ({delay.get('how')})"


def _ms(seconds: float) -> str:
    """Two digits, and whole milliseconds above them: `3.9 ms`, `330 ms`."""
    value = seconds * 1e3
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"
