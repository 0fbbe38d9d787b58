"""A trace thinned to fit into a page, with its peaks kept.

A trace of five minutes has 7,000 samples a card. Time is cut into stretches, of which the least, the mean and
the most watts are kept; temperatures, clocks and throttling come along in the same stretches.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from bench.core.arrays import Floats
from bench.core.domain import Domain
from bench.core.provenance import THROTTLE_REASONS
from bench.core.record import Record
from bench.store.traces import Samples, Stamps
from bench.view.content import Timeline

STRETCHES = 300


def thinned(record: Record, sampled: Sequence[Samples], t_ns: Stamps, watts: Floats) -> Timeline:
    """A row a stretch: when, least, mean and most watts, the hottest card, the slowest clocks, throttling."""
    edges = np.linspace(t_ns[0], t_ns[-1] + 1, min(STRETCHES, len(t_ns)) + 1)
    first_ns = min((block.start_ns for block in record.blocks), default=int(t_ns[0]))
    cards = [samples for samples in sampled if Domain.parse(samples.domain).is_gpu]
    columns = (
        (edges[:-1] - first_ns) / 1e9,
        *(_each(edges, t_ns, watts, of) for of in (np.min, np.mean, np.max)),
        _of_cards(edges, cards, "temperature_c", np.mean, np.fmax),
        _of_cards(edges, cards, "sm_clock_mhz", np.mean, np.fmin),
        _of_cards(edges, cards, "memory_clock_mhz", np.mean, np.fmin),
        _of_cards(edges, cards, "throttle_mask", _bits, _bits_of_both),
    )
    held = ~np.isnan(columns[2])
    rows = [tuple(map(_cell, row)) for row in zip(*(column[held] for column in columns), strict=True)]
    masks = {int(row[-1]) for row in rows if row[-1]}
    throttles = {mask: _throttled(mask) for mask in sorted(masks)}
    return Timeline("", tuple(rows), float(edges[1] - edges[0]) / 1e9, throttles)


def _cell(value: float) -> float | None:
    return round(float(value), 2) if np.isfinite(value) else None


def _each(edges: Floats, t_ns: Stamps, values: Floats, of: Callable[[Floats], float]) -> Floats:
    """One value a stretch; `nan` where it has no sample."""
    bounds = np.searchsorted(t_ns, edges)
    return np.array([of(values[a:b]) if b > a else np.nan for a, b in itertools.pairwise(bounds)])


def _of_cards(
    edges: Floats,
    cards: list[Samples],
    name: str,
    of: Callable[[Floats], float],
    either: Callable[[Floats, Floats], Floats],
) -> Floats:
    """One value a stretch for all cards together; `either` prefers what is known."""
    found = np.full(len(edges) - 1, np.nan)
    for card in cards:
        found = either(found, _each(edges, *card.column(name), of))
    return found


def _bits(masks: Floats) -> float:
    """The bits that mean throttling, of all masks together."""
    return float(np.bitwise_or.reduce(masks.astype(np.int64)) & sum(THROTTLE_REASONS))


def _bits_of_both(masks: Floats, others: Floats) -> Floats:
    """The bits of two cards together; `nan` where neither is known."""
    both = np.nan_to_num(masks).astype(np.int64) | np.nan_to_num(others).astype(np.int64)
    return np.where(np.isnan(masks) & np.isnan(others), np.nan, both)


def _throttled(mask: int) -> str:
    return ", ".join(name for bit, name in THROTTLE_REASONS.items() if mask & bit)
