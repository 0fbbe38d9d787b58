"""Outcome of two cases or checkouts measured in turns, in words."""

from __future__ import annotations

from collections.abc import Sequence

from bench.compare.noise import powers_apart
from bench.core.figures import Estimate
from bench.core.record import Record
from bench.view.numbers import between, digits


def sentence(records: Sequence[Record]) -> str:
    """`B takes 0.87 times the joules of A (0.86 to 0.88, 95 %, 8 pairs): sdxl ... against sdxl ...`."""
    a, b = records
    if a.pair is None or a.pair.ratio is None:
        return "No pair of valid blocks, so the ratio is absent."
    described = b.pair.other if b.pair else a.label  # with the checkout, where that is what differs
    text = f"{ratio_of(a.pair.ratio, a.case.unit)}.\n  A: {described}\n  B: {a.pair.other}"
    if apart := powers_apart(a, b):
        text += f"\n  {apart}"
    warm, all_blocks = _begun_warm(records)
    if warm:
        text += f"\n  {warm} of {all_blocks} blocks began more than 2 K above the coolest."
    return text


def ratio_of(ratio: Estimate, unit: str) -> str:
    """`B takes 0.87 times A's joules a page (0.86 to 0.88, 95 %, 8 pairs)`."""
    interval = between(ratio.low, ratio.high, 4)
    span = f"{interval}, 95 %, {ratio.n} pairs" if interval else f"{ratio.n} pair"
    return f"B takes {digits(ratio.value, 4)} times A's joules a {unit} ({span})"


def _begun_warm(records: Sequence[Record]) -> tuple[int, int]:
    """Number of the pair's blocks that began outside the band of temperature, and of all its blocks."""
    starts = [block.observed.start for record in records for block in record.blocks if not block.warmup]
    return sum(not start.within_band for start in starts if start), len(starts)
