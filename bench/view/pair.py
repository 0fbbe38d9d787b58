"""Outcome of two cases or checkouts measured in turns, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.compare.noise import powers_apart
from bench.core.figures import Estimate
from bench.core.record import Record
from bench.view.content import Fold
from bench.view.spans import ends, value_text


def sections(records: Sequence[Record]) -> Iterator[str | Fold]:
    """What A and B are, what the ratio has to be read with, and the ratio last, in bold."""
    a, b = records
    if a.pair is None or a.pair.ratio is None:
        yield "No pair of valid blocks, so the ratio is absent."
        return
    yield f"A: {b.pair.other if b.pair else a.label}"  # with the checkout, where that is what differs
    yield f"B: {a.pair.other}"
    if apart := powers_apart(a, b):
        yield apart
    warm, all_blocks = _begun_warm(records)
    if warm:
        yield f"{warm} of {all_blocks} blocks began more than 2 K above the coolest."
    yield Fold(f"{ratio_of(a.pair.ratio, a.case.unit)}.", ())


def ratio_of(ratio: Estimate, unit: str) -> str:
    """`B takes 0.87 times A's joules a page (0.86 to 0.88, 95 %, 8 pairs)`."""
    interval = ends(ratio)
    span = f"{interval}, 95 %, {ratio.n} pairs" if interval else f"{ratio.n} pair"
    return f"B takes {value_text(ratio)} times A's joules a {unit} ({span})"


def _begun_warm(records: Sequence[Record]) -> tuple[int, int]:
    """Number of the pair's blocks that began outside the band of temperature, and of all its blocks."""
    starts = [block.observed.start for record in records for block in record.blocks if not block.warmup]
    return sum(not start.within_band for start in starts if start), len(starts)
