"""A window's energy free of the counter's tick, from the whole ticks nearest to its two edges.

A counter that moves every 100 ms is up to a tick old whenever it is read, so the plain difference over a
window that begins at idle and ends at load is short: by 4 % at 1 s. At the moments when it moves it is exact.
So at either edge the tick that straddles it is split: the power of the whole tick before, carried on to the
edge, and that of the whole tick after, carried back to it, give two values. Each counts as far as its side is
steady, and as little as an error of the edge's moment costs there; how far they lie apart is part of the
uncertainty. Ticks further away play no part, for power may step there.

    seen = looks(recorder, gpu_index, start_ns, end_ns)
    window_energy(seen, delay)                     # WindowEnergy(energy_j, u_j, resting_w)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bench.meters import update_grid
from bench.meters.publishing_delay import LATEST_S, Delay, Start, rise
from bench.meters.recorder import Floats, Recorder

ROOM_TICKS, ROOM_S = 3.5, 0.35
"""Room before and after a window: whole ticks that its value rests on, and at least so long."""
SPANS_S = (2.5, 0.7)
"""How far from an edge updates count for the grid: a slow counter's; one too fast for the usual samples."""
FAST_PAST_START_S = 0.5
"""For how long after a start the recorder goes on sampling fast."""
FLOOR_W, FLOOR_SHARE = 0.5, 0.002
"""What power changes by from tick to tick at rest, and as a share of it under load."""
FURTHER = 0.25
"""What the change of one tick further away counts, squared."""
LONE_TICK = 0.15
"""What the power of a single tick without a neighbour may be off by."""
TRUSTED_U_S = 0.006
"""A delay less known than this does not decide between the sides: it shifts both edges alike."""
UNSEEN_S, UNSEEN_SHARE = 0.008, 0.08
"""What a side without a check may be off by, times the step in power at the edge: a tail of the work's power
of 8 ms, and of 8 % of its part of the tick."""


class Curve(NamedTuple):
    """Moments in seconds at which the counter moved, joules then, the tick, and how sharp the moments are."""

    t_s: Floats
    energy_j: Floats
    tick_s: float
    u_s: float


class Looks(NamedTuple):
    """The counter around the start and around the end of a window, in seconds from the start."""

    start: Curve
    end: Curve
    duration_s: float

    @property
    def rise(self) -> Start:
        """When the counter saw the work begin."""
        return rise(self.start.t_s, self.start.energy_j, 0.0)


class WindowEnergy(NamedTuple):
    """Joules of a window, what its edges leave uncertain, and the power right after it."""

    energy_j: float
    u_j: float
    resting_w: float


def room_s(tick_s: float) -> float:
    """How long a card must be left alone before and after a window."""
    return max(ROOM_S, ROOM_TICKS * tick_s)


def looks(
    recorder: Recorder, gpu_index: int, start_ns: int, end_ns: int, tick_s: float | None = None
) -> Looks | None:
    """What the recorder saw around both edges; `None` where the counter moved too seldom there.

    A `tick_s` that is known already saves the search among all.
    """
    around_ns = round((max(SPANS_S) + LATEST_S) * 1e9)

    def around(edge_ns: int, tick_s: float | None) -> Curve | None:
        t_ns, energy_j = recorder.fast(gpu_index, edge_ns - around_ns, edge_ns + around_ns, "energy_j")
        return curve((t_ns - start_ns) / 1e9, energy_j, (edge_ns - start_ns) / 1e9, tick_s)

    start = around(start_ns, tick_s)
    end = None if start is None else around(end_ns, start.tick_s)
    return None if start is None or end is None else Looks(start, end, (end_ns - start_ns) / 1e9)


def curve(t_s: Floats, energy_j: Floats, edge_s: float, tick_s: float | None = None) -> Curve | None:
    """The counter's updates near an edge, from its samples; `None` where these agree with no grid.

    A `tick_s` that is known already saves the search among all.
    """
    periods_s = update_grid.PERIODS_S if tick_s is None else (0.95 * tick_s, 1.05 * tick_s)
    for span_s in SPANS_S:
        near = np.abs(t_s - edge_s) <= span_s
        grid = update_grid.fit(t_s[near] - edge_s, energy_j[near], periods_s)
        if grid is not None:
            moments_s, joules = update_grid.updates(t_s[near] - edge_s, energy_j[near], grid)
            return Curve(moments_s + edge_s, joules, grid.period_s, grid.u_s)
    return None


def window_energy(seen: Looks, delay: Delay) -> WindowEnergy | None:
    """A card's joules between both edges; `None` without whole ticks outside both of them."""
    begin_s, end_s = delay.seconds, seen.duration_s + delay.seconds
    inside_w = _mean_w(seen, begin_s, end_s)
    start = _edge(seen.start, begin_s, _Limits(-math.inf, end_s), delay.u_s, inside_w)
    end = _edge(seen.end, end_s, _Limits(begin_s, math.inf), delay.u_s, inside_w)
    if start is None or end is None or end.outside_w is None:
        return None
    common_j = delay.u_s * (end.off_w - start.off_w)  # a delay shifts both edges alike
    return WindowEnergy(
        end.energy_j - start.energy_j, math.hypot(start.u_j, end.u_j, common_j), end.outside_w
    )


def _mean_w(seen: Looks, begin_s: float, end_s: float) -> float:
    """About what the card drew inside the window."""
    begin_j = float(np.interp(begin_s, seen.start.t_s, seen.start.energy_j))
    return (float(np.interp(end_s, seen.end.t_s, seen.end.energy_j)) - begin_j) / (end_s - begin_s)


class _Limits(NamedTuple):
    """Between which moments ticks count: those beyond the window's other edge do not."""

    first_s: float
    last_s: float


class _Side(NamedTuple):
    """The value at an edge by the ticks on one side of it, its uncertainty, and the power there."""

    energy_j: float
    u_j: float
    power_w: float
    part_s: float


class _Edge(NamedTuple):
    """The value at an edge, joules that it is off by for each second its moment is, and the power outside."""

    energy_j: float
    u_j: float
    off_w: float
    outside_w: float | None


def _edge(found: Curve, at_s: float, limits: _Limits, delay_u_s: float, inside_w: float) -> _Edge | None:
    before = (found.t_s <= at_s) & (found.t_s >= limits.first_s)
    after = (found.t_s > at_s) & (found.t_s <= limits.last_s)
    order = slice(None, None, -1)
    left = _side(found.t_s[before][order], found.energy_j[before][order], at_s)
    right = _side(found.t_s[after], found.energy_j[after], at_s)
    outer, inner = (left, right) if limits.first_s == -math.inf else (right, left)
    outside_w = outer.power_w if outer else None
    sides = [side for side in (outer, inner) if side is not None]
    if not sides:
        return None
    return _combined(sides, found.u_s, min(delay_u_s, TRUSTED_U_S), inside_w, outside_w)


def _side(t_s: Floats, energy_j: Floats, at_s: float) -> _Side | None:
    """The nearest whole tick's power, carried on to the edge; times run away from it."""
    if len(t_s) < 2:
        return None
    powers_w = np.diff(energy_j[:4]) / np.diff(t_s[:4])
    power_w, changes_w = float(powers_w[0]), np.diff(powers_w)
    variance = (FLOOR_W + FLOOR_SHARE * abs(power_w)) ** 2
    if len(changes_w):
        variance += float(changes_w[0]) ** 2
        variance += FURTHER * float(changes_w[1]) ** 2 if len(changes_w) > 1 else 0.0
    else:
        variance += (LONE_TICK * power_w) ** 2
    part_s = abs(at_s - float(t_s[0]))
    value_j = float(energy_j[0]) + power_w * (at_s - float(t_s[0]))
    return _Side(value_j, part_s * math.sqrt(variance), power_w, part_s)


def _combined(
    sides: list[_Side], moment_u_s: float, delay_u_s: float, inside_w: float, outside_w: float | None
) -> _Edge:
    """Both sides by their uncertainties; where they disagree, half of that is uncertain too."""
    values, powers = np.array([s.energy_j for s in sides]), np.array([s.power_w for s in sides])
    unchecked_j = (UNSEEN_S + UNSEEN_SHARE * sides[0].part_s) * abs(inside_w - sides[0].power_w)
    own = np.hypot([s.u_j for s in sides], moment_u_s * np.abs(powers))
    if len(sides) == 1:
        own = np.hypot(own, unchecked_j)
    weights = 1 / (np.hypot(own, delay_u_s * np.abs(powers)) ** 2 + 1e-12)
    weights /= weights.sum()
    variance = float((weights**2 * own**2).sum())
    if len(sides) == 2:
        apart_j = float(values[0] - values[1])
        expected = float((own**2).sum()) + (delay_u_s * float(powers[0] - powers[1])) ** 2 + 1e-12
        variance += (0.5 * apart_j) ** 2 * max(0.0, 1 - expected / max(apart_j**2, 1e-12))
        variance += (float(weights[0]) * min(unchecked_j, float(own[1]))) ** 2
    return _Edge(
        float((weights * values).sum()), math.sqrt(variance), float((weights * powers).sum()), outside_w
    )
