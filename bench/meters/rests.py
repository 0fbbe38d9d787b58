"""Joules of the rests inside a window, each cut out of the counter as a window of its own is.

A rest of 50 ms has no whole tick of 100 ms. But the ticks around it are whole ticks of work, and what the
straddling tick lacks beside them is what the card did not draw while it rested. One rest is known to about
the joules by which work changes from tick to tick; a block of half a minute has fifteen of them.

    measured(recorder, gpu_index, [(start_ns, end_ns), ...], tick_s, delay, work_ns)    # RestEnergy
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.core.observed import CounterDelay
from bench.meters import edges
from bench.meters.base import CounterSamples
from bench.meters.publishing_delay import Delay

Spans = Sequence[tuple[int, int]]
"""Start and end of each rest, CLOCK_MONOTONIC in ns."""

RestsByDomain = Mapping[str, Spans]
"""Rests of cards that rest at different times."""

OPENING_S = 0.02
"""A rest that begins so soon after a window does is its beginning."""

LONGEST_TICK_S = 0.25
"""Rests last up to 100 ms; a tick of 500 ms has too much work beside them: RMS 100 %, 5 % with 100 ms."""
SHORTEST_NS = 1_000_000
"""A shorter rest draws less than a counter of millijoules shows: 0.1 J of a block's hundreds."""
LARGEST_U = 0.25
"""Relative uncertainty of rests' joules beyond which the power right after the work is used."""


class RestEnergy(NamedTuple):
    """Joules of all rests of a window together, and their standard uncertainty."""

    energy_j: float
    u_j: float


@dataclass(frozen=True)
class CardAtRest:
    """A card's counter beside the work of one window: power after the work, rests inside it."""

    resting_w: float
    """Power right after the work, with nothing asked."""
    rests: RestEnergy | None
    """Of the rests inside the window, whose joules are part of the window's; `None`: not resolved."""
    delay: CounterDelay
    """Publishing delay of the counter, as taken for the window's edges."""


def of_domain(rests_ns: Spans | RestsByDomain, domain: str) -> Spans:
    """A card's rests: those of the window, or its own."""
    return rests_ns.get(domain, ()) if isinstance(rests_ns, Mapping) else rests_ns


def work_begins_ns(start_ns: int, rests_ns: Spans) -> int:
    """Moment at which a window's work began: its start, or the end of a rest that opens it."""
    opens = rests_ns and rests_ns[0][0] - start_ns < OPENING_S * 1e9
    return rests_ns[0][1] if opens else start_ns


def measured(
    samples: CounterSamples,
    gpu_index: int,
    spans_ns: Spans,
    tick_s: float,
    delay: Delay,
    work_ns: tuple[int, int],
) -> RestEnergy | None:
    """The rests' joules; `None` if the counter does not resolve them well enough.

    Only ticks within the work (its begin and end) are compared with a rest: without a whole one on each side
    it has the mean power of the others. With ticks beyond them a rest 100 ms before the end was 10 J wrong.
    """
    if tick_s > LONGEST_TICK_S and spans_ns:
        return None
    total_j, variance_j2, resolved_s, others_s = 0.0, 0.0, 0.0, 0.0
    for start_ns, end_ns in spans_ns:
        if end_ns - start_ns < SHORTEST_NS:
            continue
        curves = edges.edge_curves(samples, gpu_index, start_ns, end_ns, tick_s)
        begin_s, end_s = ((moment_ns - start_ns) / 1e9 for moment_ns in work_ns)
        energy = None if curves is None else edges.window_energy(curves, delay, (begin_s, end_s))
        if energy is None:
            others_s += (end_ns - start_ns) / 1e9
            continue
        resolved_s += (end_ns - start_ns) / 1e9
        total_j, variance_j2 = total_j + energy.energy_j, variance_j2 + energy.u_j**2
    if resolved_s < others_s:
        return None
    share = (
        others_s / resolved_s if others_s else 0.0
    )  # of joules that are taken at the mean power of the rest
    u_j = math.hypot(math.sqrt(variance_j2) * (1 + share), LARGEST_U * total_j * share)
    rests = RestEnergy(total_j * (1 + share), u_j)
    return rests if rests.u_j < LARGEST_U * rests.energy_j or not spans_ns else None
