"""A window's energy free of the counter's tick, from two pads of idle around the work.

A counter that moves every 100 ms is up to a tick old whenever it is read, so a window that begins at idle and
ends at load is counted short: by 4 % at 1 s, by 0.8 % at 5 s. At the moments when it *moves* it is exact. So
a curve is laid through those points in the pad before the work and carried on to the work's start, another
through those in the pad after it and carried back to the work's end; the energy is the difference of the two.

When it moved is only seen up to a sample later. That matters because a card draws more after the work than
before it: where every move is seen 50 ms late, 40 W more are 2 J too few. So the moments are put on their
grid (`ticks`), for which the moves under load help as well.

The curves bend, because a card keeps high clocks for some seconds after work, and the pad before a window
often follows the work of another. Simulated with 40 W fading with 2 s (tick 100 ms, 340 W for 1 s), a line
before and a parabola after err by -0.20 %, a parabola before and a cubic after by +0.04 %.

A counter may publish late: some time after the work it still counts the work's joules, and a curve through
these would take them for power at rest. So the first moments after the work are left out (`SKIP_S`), which
does for a delay up to that; the curves then tell the joules but for the delay times what the card draws more
after the work than before. Where the delay is known, the edges are looked for that much later, and nothing
is left of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.meters import ticks
from bench.meters.recorder import Floats, Recorder

PAD_S = 1.75
"""Shortest pad. A slower counter needs a longer one: `PAD_TICKS` of its ticks."""
PAD_TICKS = 5
SKIP_S = 0.25
"""For how long after the work the counter may still count it."""
RESTING_S = 0.5
"""The power right after the work is the mean over this; the slope of a cubic at its very end is noise."""
POINTS_FOR_DEGREE = {3: 8, 2: 4, 1: 2}
"""How many moves of the counter a curve of each degree needs."""
DEGREE_BEFORE, DEGREE_AFTER, DEGREE_OFF_GRID = 2, 3, 2
"""Highest degrees; a cubic through moves that are only known to a sample is worse than a parabola."""


class Padded(NamedTuple):
    """Joules of a window, and the card's power just after it."""

    energy_j: float
    resting_w: float


def padded_energy(
    recorder: Recorder, gpu_index: int, start_ns: int, end_ns: int, tick_s: float, delay_s: float = 0.0
) -> Padded | None:
    """A card's joules between two moments that both have idle around them for `pad_s(tick_s)`.

    `delay_s` is how late the counter is known to publish; the pad after the work lasts that much longer.
    `None` where the counter moved too seldom before or after the work.
    """
    delay_ns = round(delay_s * 1e9)
    begin = _edge(recorder, gpu_index, start_ns + delay_ns, tick_s, after=False)
    end = _edge(recorder, gpu_index, end_ns + delay_ns, tick_s, after=True)
    if begin is None or end is None:
        return None
    return Padded(end.energy_j - begin.energy_j, end.power_w)


def pad_s(tick_s: float) -> float:
    """How long the card must be left alone before and after a window."""
    return max(PAD_S, PAD_TICKS * tick_s)


class _Edge(NamedTuple):
    """What the counter would say at an edge of the work if it moved just then, and the power after it."""

    energy_j: float
    power_w: float


def _edge(recorder: Recorder, gpu_index: int, edge_ns: int, tick_s: float, *, after: bool) -> _Edge | None:
    """The curve through the moves at rest on one side of an edge, where it meets the edge."""
    pad_ns = round(pad_s(tick_s) * 1e9)
    t_ns, readings_j = recorder.fast(gpu_index, edge_ns - pad_ns, edge_ns + pad_ns, "energy_j")
    moved = np.flatnonzero(np.diff(readings_j) > 0) + 1
    if len(moved) < 2:
        return None
    before_s, seen_s = (t_ns[moved - 1] - edge_ns) / 1e9, (t_ns[moved] - edge_ns) / 1e9
    grid = ticks.grid(before_s, seen_s)
    highest = DEGREE_AFTER if after else DEGREE_BEFORE
    moments_s = seen_s if grid is None else grid.between_s
    if grid is None:
        highest = min(highest, DEGREE_OFF_GRID)
    at_rest = before_s >= SKIP_S if after else seen_s <= 0
    return _fitted(moments_s[at_rest], readings_j[moved][at_rest], highest)


def _fitted(seconds: Floats, energy_j: Floats, highest: int) -> _Edge | None:
    """The polynomial through the points, at second 0; `None` for fewer than two points."""
    for degree, points in POINTS_FOR_DEGREE.items():
        if degree <= highest and len(seconds) >= points:
            curve = np.polynomial.Polynomial.fit(seconds, energy_j - energy_j[0], degree)
            resting_j = float(curve(RESTING_S) - curve(0.0))
            return _Edge(float(curve(0.0) + energy_j[0]), resting_j / RESTING_S)
    return None
