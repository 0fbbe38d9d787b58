"""A window's energy free of the counter's tick, from the whole ticks nearest to its two edges.

A counter that moves every 100 ms is up to a tick old whenever it is read, so the plain difference over a
window that begins at idle and ends at load is short: by 4 % at 1 s. At the moments when it moves it is exact.
So at either edge the tick that straddles it is split (`bench/meters/straddling_tick.py`): by the power of the
whole ticks before it and after it, and by what they show of a step of power inside it.

    seen = edge_curves(recorder, gpu_index, start_ns, end_ns)
    window_energy(seen, delay)         # WindowEnergy(energy_j, u_j, common_u_j, before_w, resting_w)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bench.core.arrays import Floats
from bench.meters import update_grid
from bench.meters.base import CounterSamples
from bench.meters.observed_start import LATEST_S, ObservedStart, observed_start
from bench.meters.publishing_delay import Delay
from bench.meters.straddling_tick import EdgeSides, edge_side, energy_at_edge

ROOM_TICKS, ROOM_S = 3.5, 0.35
"""Room before and after a window: whole ticks that its value rests on, and at least so long."""
SPANS_S = (2.5, 0.7)
"""Distance from an edge in which updates count for the grid: of a slow counter; of one too fast to sample."""
FAST_PAST_START_S = 0.5
"""For how long after a start the recorder goes on sampling fast."""


class CounterCurve(NamedTuple):
    """Moments in seconds at which the counter moved, joules then, the tick, and how sharp the moments are."""

    t_s: Floats
    energy_j: Floats
    tick_s: float
    u_s: float


class EdgeCurves(NamedTuple):
    """The counter around the start and around the end of a window, in seconds from the start."""

    start: CounterCurve
    end: CounterCurve
    duration_s: float

    @property
    def observed_start(self) -> ObservedStart:
        """Time at which the counter saw the work begin."""
        return observed_start(self.start.t_s, self.start.energy_j, 0.0)


class WindowEnergy(NamedTuple):
    """Joules of a window, what its edges leave uncertain, and the power right before it and after it.

    `common_u_j` is the part of `u_j` that all windows of a case share: that of the counter's delay.
    """

    energy_j: float
    u_j: float
    common_u_j: float
    before_w: float
    resting_w: float


def room_s(tick_s: float) -> float:
    """Time for which a card must be left alone before and after a window."""
    return max(ROOM_S, ROOM_TICKS * tick_s)


def edge_curves(
    samples: CounterSamples, gpu_index: int, start_ns: int, end_ns: int, tick_s: float | None = None
) -> EdgeCurves | None:
    """The samples around both edges; `None` if the counter moved too seldom there.

    A `tick_s` that is known already saves the search among all.
    """
    around_ns = round((max(SPANS_S) + LATEST_S) * 1e9)

    def around(edge_ns: int, tick_s: float | None) -> CounterCurve | None:
        t_ns, energy_j = samples.fast(gpu_index, edge_ns - around_ns, edge_ns + around_ns, "energy_j")
        return curve((t_ns - start_ns) / 1e9, energy_j, (edge_ns - start_ns) / 1e9, tick_s)

    start = around(start_ns, tick_s)
    end = None if start is None else around(end_ns, start.tick_s)
    return None if start is None or end is None else EdgeCurves(start, end, (end_ns - start_ns) / 1e9)


def curve(t_s: Floats, energy_j: Floats, edge_s: float, tick_s: float | None = None) -> CounterCurve | None:
    """The counter's updates near an edge, from its samples; `None` where these agree with no grid.

    A `tick_s` that is known already saves the search among all.
    """
    periods_s = update_grid.PERIODS_S if tick_s is None else (0.95 * tick_s, 1.05 * tick_s)
    for span_s in SPANS_S:
        near = np.abs(t_s - edge_s) <= span_s
        grid = update_grid.fit(t_s[near] - edge_s, energy_j[near], periods_s)
        if grid is not None:
            moments_s, joules = update_grid.updates(t_s[near] - edge_s, energy_j[near], grid)
            return CounterCurve(moments_s + edge_s, joules, grid.period_s, grid.u_s)
    return None


def window_energy(
    curves: EdgeCurves, delay: Delay, steady_s: tuple[float, float] = (-math.inf, math.inf)
) -> WindowEnergy | None:
    """A card's joules between both edges; `None` without whole ticks outside both of them.

    Ticks outside count from the first to the second moment of `steady_s`, in seconds after its start: beyond
    these other work begins or ends.
    """
    begin_s, end_s = delay.seconds, curves.duration_s + delay.latest_s
    first_s, last_s = (moment_s + delay.seconds for moment_s in steady_s)
    start = _sides(curves.start, begin_s, first_s, end_s, at_start=True)
    end = _sides(curves.end, end_s, begin_s, last_s, at_start=False)
    if start is None or end is None:
        return None
    before_w, after_w = start.outer.power_w, end.outer.power_w
    later_j = _later_j(delay, before_w, after_w)
    inside_w = (_counted_j(curves, begin_s, end_s) - later_j) / curves.duration_s
    first = energy_at_edge(start, delay.u_s, inside_w, end.step_w, is_start=True)
    last = energy_at_edge(end, delay.u_s, inside_w, start.step_w, is_start=False)
    common_j = abs(delay.u_s * (last.power_w - first.power_w))  # a delay shifts both edges alike
    # Each edge is shown at any moment within the scatter.
    scatter_j = delay.scatter_s / math.sqrt(12) * math.hypot(inside_w - before_w, inside_w - after_w)
    u_j = math.hypot(first.u_j, last.u_j, common_j, scatter_j)
    joules = last.energy_j - first.energy_j - later_j
    return WindowEnergy(joules, u_j, common_j, before_w, after_w)


def _later_j(delay: Delay, before_w: float, after_w: float) -> float:
    """Joules at rest in a window whose end is read late: on average half the scatter is before the work."""
    before_s = delay.scatter_s / 2
    return before_s * before_w + (delay.latest_s - delay.seconds - before_s) * after_w


def _counted_j(curves: EdgeCurves, begin_s: float, end_s: float) -> float:
    """About what the counter grew by between both edges."""
    begin_j = float(np.interp(begin_s, curves.start.t_s, curves.start.energy_j))
    return float(np.interp(end_s, curves.end.t_s, curves.end.energy_j)) - begin_j


def _sides(
    around: CounterCurve, at_s: float, first_s: float, last_s: float, *, at_start: bool
) -> EdgeSides | None:
    """Both sides of an edge of a window; ticks beyond `first_s` and `last_s` do not count."""
    before = (around.t_s <= at_s) & (around.t_s >= first_s)
    after = (around.t_s > at_s) & (around.t_s <= last_s)
    left = edge_side(around.t_s[before][::-1], around.energy_j[before][::-1], at_s)
    right = edge_side(around.t_s[after], around.energy_j[after], at_s)
    outer, inner = (left, right) if at_start else (right, left)
    return None if outer is None else EdgeSides(outer, inner, around.u_s)
