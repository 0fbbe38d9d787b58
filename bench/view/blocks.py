"""The blocks of a record: when each was, what it took, and how warm and fast its cards were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bench.core.block import Block
from bench.core.measurement import Measurement
from bench.core.observed import GpuObserved, MeanAndRange
from bench.view import window_facts
from bench.view.content import Cell, Table, TableRow, Written, clean, columns, table
from bench.view.numbers import by_share

ASIDE = ("items", "CodeCarbon − NVML, %", "°C", "MHz", "from, s", "remarks")
JOULES = ("#J", "#W", "#J/unit", "#edges, ±%", "#CodeCarbon − NVML, %", "#°C", "##MHz")
COLUMNS = columns(
    "block", "role", "#s", "#rests, s", "#items", "#units", *JOULES, "#from, s", "remarks", aside=ASIDE
)


def blocks(record: Measurement) -> Table:
    """Table of blocks, at the headline's scope, with remarks."""
    rows = (_row(block, seen) for block, seen in zip(record.blocks, described(record), strict=True))
    return table(COLUMNS, rows, "Blocks", "blocks")


def _row(block: Block, seen: dict[str, Any]) -> TableRow:
    off = block.codecarbon.disagreement if block.codecarbon else None
    half = window_facts.edge_half_width(block)
    cells: tuple[Cell, ...] = (
        str(seen["number"]),
        seen["role"],
        _rounded(block.duration_s, None),
        _rounded(block.rest_s, None),
        block.items,
        block.units,
        _rounded(seen["energy_j"], half),
        _rounded(seen["power_w"], half),
        _rounded(seen["energy_per_unit_j"], half),
        seen["edges_percent"],
        None if off is None else Written(f"{off * 100:+.2f}", off * 100),
        seen["temperature_c"],
        seen["sm_clock_mhz"],
        seen["from_s"],
        "; ".join(filter(None, (seen["throttled"], "; ".join(block.reasons)))),
    )
    return TableRow(cells, invalid=seen["role"] == "set aside")


def _rounded(value: float | None, half: float | None) -> Cell:
    """A number with the digits that its edges leave certain; three where they state nothing."""
    return None if value is None else Written(by_share(value, half), value)


def described(record: Measurement) -> Iterator[dict[str, Any]]:
    """One mapping a block, for its row and for the charts over time."""
    first_ns = min((block.start_ns for block in record.blocks), default=0)
    for number, block in enumerate(record.blocks, 1):
        joules = block.joules(record.figures.headline_scope or block.scope).gross_j
        cards = list(block.observed.gpus.values())
        edges = window_facts.edge_half_width(block)
        start_s, end_s = (block.start_ns - first_ns) / 1e9, (block.end_ns - first_ns) / 1e9
        yield {
            "number": number,
            "from_s": start_s,
            "to_s": end_s,
            "middle_s": (start_s + end_s) / 2,
            "energy_j": joules,
            "power_w": joules / block.work_s if joules is not None and block.work_s > 0 else None,
            "energy_per_unit_j": joules / block.units if joules is not None and block.units else None,
            "edges_percent": None if edges is None else 100 * edges,
            "temperature_c": _highest_mean(card.temperature_c for card in cards),
            "sm_clock_mhz": _highest_mean(card.sm_clock_mhz for card in cards),
            "throttled": _throttled(cards),
            "role": "warm-up" if block.warmup else "counts" if block.valid and block.units else "set aside",
            "reasons": clean("; ".join(block.reasons)),
        }


def _highest_mean(readings: Iterable[MeanAndRange | None]) -> float | None:
    return max((float(spread.mean) for spread in readings if spread), default=None)


def _throttled(cards: list[GpuObserved]) -> str:
    """`throttled: thermal 12%`, or nothing."""
    shares = {
        clean(str(name), 60): share
        for card in cards
        for name, share in (card.throttled_share or {}).items()
        if share > 0
    }
    listed = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return f"throttled: {listed}" if listed else ""
