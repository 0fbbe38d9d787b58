"""Energy at an edge of a window, inside the counter's tick that straddles the edge.

The power of the whole tick before, carried on to the edge, and that of the whole tick after, carried back to
it, give two values. Each counts as far as its side is steady, and as little as an error of the edge's moment
costs there. Their distance is part of the uncertainty.

Where both sides have a usual power, the straddling tick may have energy more (or less) than both explain: the
extra energy. A step of power inside that tick made it, and the neighbouring ticks show on which side of the
edge it is: a burst that goes on in the next tick is next to it; a step that stays makes this edge's step
differ from the other edge's; missing energy is work that began late or ended early. Bursts of 200 W: 0.86 %
RMS of a window of 1 s in place of 1.13 % (tick 100 ms, 150 windows); the nearer of both values: 0.39 %.

    left, right = edge_side(before_t_s[::-1], before_j[::-1], edge_s), edge_side(after_t_s, after_j, edge_s)
    sides = EdgeSides(left, right, u_s)
    energy_at_edge(sides, delay_u_s, inside_w, other_step_w, is_start=True)     # EdgeEnergy
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bench.core.arrays import Floats

FLOOR_W, FLOOR_SHARE = 0.25, 0.001
"""Change of power from tick to tick at rest, and as a share of it under load."""
NEXT, FURTHER = 0.6, 0.15
"""Weights of the change to the next tick, and from that to the one after it, squared."""
LONE_TICK = 0.15
"""Error of the power of a single tick without a neighbour."""
TRUSTED_U_S = 0.006
"""A delay less known than this does not decide between the sides: it shifts both edges alike."""
UNSEEN_S, UNSEEN_SHARE, UNSEEN = 0.005, 0.05, 0.5
"""Error of a side without a check, times the step in power at the edge: a tail of the work's power
of 5 ms, and of 5 % of its part of the tick; and its weight where a check is less sharp, squared."""
APART = 0.5
"""Weight of a disagreement of both sides, squared."""
LEVEL_TICKS, FEWEST_LEVEL_TICKS = 7, 4
"""Ticks on one side of an edge that show its usual power, and the fewest that do."""
CLEARLY = 3.0
"""Extra energy counts from this multiple of what the ticks' scatter explains."""
CONTINUES = 0.25
"""A step continues in the next tick where that has this share of the extra power."""
HIGHER = 1.6
"""A burst that fills no whole tick is taken for higher than its mean in the tick by this."""
EXPLAINS = 0.8
"""A step explains the extra energy if it makes this share of it."""
EXTRA_U = 0.2
"""Standard uncertainty of extra energy that is put on one side of the edge."""


class EdgeSide(NamedTuple):
    """The value at an edge by one side's ticks, its uncertainty, its part of the tick, powers outwards."""

    energy_j: float
    u_j: float
    part_s: float
    powers_w: Floats

    @property
    def power_w(self) -> float:
        """The power of the nearest whole tick."""
        return float(self.powers_w[0])

    @property
    def level_w(self) -> float:
        """The usual power."""
        return float(np.median(self.powers_w))

    @property
    def scatter_w(self) -> float:
        """The usual distance of a tick's power from it, as a standard deviation."""
        return 1.4826 * float(np.median(np.abs(self.powers_w - self.level_w)))

    @property
    def has_level(self) -> bool:
        """Whether there are ticks enough to show a usual power."""
        return len(self.powers_w) >= FEWEST_LEVEL_TICKS


class EdgeSides(NamedTuple):
    """Both sides of an edge, outside the window and inside it, and how sharp the ticks' moments are."""

    outer: EdgeSide
    inner: EdgeSide | None
    moment_u_s: float

    @property
    def step_w(self) -> float | None:
        """By how much the usual power inside exceeds that outside."""
        if self.inner is None or not (self.inner.has_level and self.outer.has_level):
            return None
        return self.inner.level_w - self.outer.level_w


class EdgeEnergy(NamedTuple):
    """Counter's energy at an edge, its standard uncertainty, and the power there."""

    energy_j: float
    u_j: float
    power_w: float


def edge_side(t_s: Floats, energy_j: Floats, at_s: float) -> EdgeSide | None:
    """The nearest whole tick's power, carried on to the edge; times run away from it."""
    if len(t_s) < 2:
        return None
    powers_w = np.diff(energy_j[: LEVEL_TICKS + 1]) / np.diff(t_s[: LEVEL_TICKS + 1])
    power_w, changes_w = float(powers_w[0]), np.diff(powers_w[:3])
    variance = (FLOOR_W + FLOOR_SHARE * abs(power_w)) ** 2
    if len(changes_w):
        variance += float((np.array([NEXT, FURTHER])[: len(changes_w)] * changes_w**2).sum())
    else:
        variance += (LONE_TICK * power_w) ** 2
    part_s = abs(at_s - float(t_s[0]))
    value_j = float(energy_j[0]) + power_w * (at_s - float(t_s[0]))
    return EdgeSide(value_j, part_s * math.sqrt(variance), part_s, powers_w)


def energy_at_edge(
    sides: EdgeSides, delay_u_s: float, inside_w: float, other_step_w: float | None, *, is_start: bool
) -> EdgeEnergy:
    """Both sides by their uncertainties; where a step in the tick is clear, by its place.

    `inside_w` is the window's mean power, `other_step_w` the step at its other edge.
    """
    outer, inner, moment_u_s = sides
    unchecked_j = (UNSEEN_S + UNSEEN_SHARE * outer.part_s) * abs(inside_w - outer.power_w)
    own_j = math.hypot(outer.u_j, moment_u_s * outer.power_w)
    if inner is None:
        return EdgeEnergy(outer.energy_j, math.hypot(own_j, unchecked_j), outer.power_w)
    edge = _by_uncertainty(outer, inner, moment_u_s, min(delay_u_s, TRUSTED_U_S), unchecked_j)
    extra = _extra(sides, other_step_w, 1 if is_start else -1)
    if extra is None:
        return edge
    energy_j = edge.energy_j + extra.trust * (extra.edge_energy_j - edge.energy_j)
    u_j = math.hypot((1 - extra.trust) * edge.u_j, extra.trust * EXTRA_U * extra.energy_j)
    return EdgeEnergy(energy_j, u_j, edge.power_w)


def _by_uncertainty(
    outer: EdgeSide, inner: EdgeSide, moment_u_s: float, delay_u_s: float, unchecked_j: float
) -> EdgeEnergy:
    """The weighted mean of both sides; where they disagree, that is uncertain too."""
    powers_w = np.array([outer.power_w, inner.power_w])
    own_j = np.hypot([outer.u_j, inner.u_j], moment_u_s * np.abs(powers_w))
    weights = 1 / (np.hypot(own_j, delay_u_s * np.abs(powers_w)) ** 2 + 1e-12)
    weights /= weights.sum()
    apart = (outer.energy_j - inner.energy_j) ** 2
    expected = float((own_j**2).sum()) + (delay_u_s * (outer.power_w - inner.power_w)) ** 2
    variance = float((weights**2 * own_j**2).sum()) + APART * max(0.0, apart - expected)
    variance += UNSEEN * (float(weights[0]) * min(unchecked_j, float(own_j[1]))) ** 2
    energy_j = float(weights[0]) * outer.energy_j + float(weights[1]) * inner.energy_j
    return EdgeEnergy(energy_j, math.sqrt(variance), float((weights * powers_w).sum()))


class _Extra(NamedTuple):
    """The counter at the edge by the extra energy, that energy, and how far to trust it (0 to 1)."""

    edge_energy_j: float
    energy_j: float
    trust: float


def _extra(sides: EdgeSides, other_step_w: float | None, sign: int) -> _Extra | None:
    """The energy in the tick that the usual power of both sides leaves, put on its side of the edge.

    `sign` is 1 at a start, -1 at an end. `None` where it is not clear, or its place is unknown.
    """
    outer, inner, moment_u_s = sides
    if inner is None or sides.step_w is None:
        return None
    tick_s = outer.part_s + inner.part_s
    outer_j = outer.energy_j + sign * (outer.level_w - outer.power_w) * outer.part_s
    inner_j = inner.energy_j - sign * (inner.level_w - inner.power_w) * inner.part_s
    extra_j = sign * (inner_j - outer_j)
    floor_w = FLOOR_W + FLOOR_SHARE * abs(inner.level_w)
    noise_j = math.hypot(
        math.hypot(outer.scatter_w, inner.scatter_w, floor_w) * tick_s, moment_u_s * sides.step_w
    )
    if abs(extra_j) <= CLEARLY * noise_j:
        return None
    share = _outer_share(sides, extra_j, tick_s, other_step_w)
    if share is None:
        return None
    trust = 1 - (CLEARLY * noise_j / extra_j) ** 2
    return _Extra(outer_j + sign * share * extra_j, extra_j, trust)


def _outer_share(sides: EdgeSides, extra_j: float, tick_s: float, other_step_w: float | None) -> float | None:
    """The share of the extra energy outside the window; `None` if it is unknown."""
    outer, inner, _ = sides
    assert inner is not None
    assert sides.step_w is not None
    mean_w = extra_j / tick_s
    in_outer, in_inner = _burst_w(outer, mean_w), _burst_w(inner, mean_w)
    if in_outer is not None and in_inner is not None:
        return outer.part_s / tick_s
    if in_outer is not None:
        return min(1.0, in_outer * outer.part_s / abs(extra_j))
    if in_inner is not None:
        return 0.0 if extra_j < 0 else 1 - min(1.0, in_inner * inner.part_s / abs(extra_j))
    if other_step_w is not None:
        more_w = sides.step_w - other_step_w
        lies_outside = more_w * extra_j > 0
        if abs(more_w) * (outer if lies_outside else inner).part_s >= EXPLAINS * abs(extra_j):
            return 1.0 if lies_outside else 0.0
    return 0.0 if extra_j < 0 else None  # work that began late or ended early


def _burst_w(neighbour: EdgeSide, mean_w: float) -> float | None:
    """The height of a burst that goes on from the straddling tick into a neighbour; `None`: it does not."""
    over_w = neighbour.powers_w[:2] - neighbour.level_w
    if over_w[0] * mean_w <= 0 or abs(over_w[0]) <= CONTINUES * abs(mean_w):
        return None
    fills_the_tick = over_w[0] * over_w[1] > 0 and abs(over_w[1]) > 0.5 * abs(over_w[0])
    return float(abs(over_w[0]) if fills_the_tick else HIGHER * max(abs(over_w[0]), abs(mean_w)))
