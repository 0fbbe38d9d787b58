"""A window's energy free of the counter's tick, from the whole ticks nearest to its two edges.

A counter that moves every 100 ms is up to a tick old whenever it is read, so the plain difference over a
window that begins at idle and ends at load is short: by 4 % at 1 s. At the moments when it moves it is exact.
So at either edge the tick that straddles it is split: the power of the whole tick before carried on to the
edge, and that of the whole tick after carried back to it, tell two values. Each is trusted as far as its side
is steady and its power low (an error of the edge's moment costs so much the less); how far they lie apart is
what is uncertain. Nothing further away than some ticks plays a part, for power steps there as the card likes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.meters import ticks
from bench.meters.recorder import Floats, Recorder

ROOM_TICKS = 3.5
"""Whole ticks beside an edge that its value rests on, and one for when they began."""
ROOM_S = 0.35
"""The shortest room before and after a window: of a faster counter many ticks make its grid."""
GRID_SPANS_S = (2.0, 0.3)
"""How far from an edge moves of the counter tell its grid; their joules play no part."""
GRID_U_S = 0.0007
"""By how much a grid may be off beside what its samples leave open."""
UNSTEADY = 0.02
"""Of a side's power: what may change within a tick without a sign of it beside."""
SHARP_S = 0.001
"""How sharp the moment of an edge can be known to be, for what each side is trusted."""
WIDENED = 1.3
"""What brings the windows' own intervals over random waves to 95 % (simulated)."""
SHARP_POWER = 8.0
"""A power is taken over so many times what its ticks' moments are uncertain by: ticks that lie on no grid."""
CARRIED = 0.6
"""Of the variance that decides between the sides: what one of them errs by (simulated)."""
FEWEST_MOVES = 3
FEW_STARTS_DOUBT = 0.25
"""Of a delay that fewer starts tell: power that is not the work's may have stepped just then."""
EARLY_S, LATEST_S = 0.01, 0.5
"""How early a grid may put a start that nothing delays, and how late a counter is looked for."""
ONSET, CLEAR_STEP = 0.04, 1.3
"""Of a step's height: what is no longer rest; and by how much load exceeds rest for a start to tell."""
ENOUGH_STARTS = 4
ONE_START_U_S, START_U_S, LARGEST_SPREAD_S = 0.006, 0.001, 0.015
"""Uncertainty of one start, what starts share, and how far they may scatter and still be the work's."""


class Delay(NamedTuple):
    """How late a counter publishes, its standard uncertainty, and from how many starts (0: told)."""

    seconds: float
    u_s: float
    starts: int = 0


TOLD_U_S = 0.004
FAST_PAST_START_S = 0.5
"""For how long after a start the recorder goes on looking fast."""
UNTOLD = Delay(0.0, 0.030)
"""Where neither a start nor a calibration tells how late a counter publishes."""


class Delays:
    """How late one counter publishes: from the starts seen so far, or as a calibration tells it."""

    def __init__(self, told_s: float | None = None) -> None:
        self._told = None if told_s is None else Delay(told_s, TOLD_U_S)
        self._onsets_s: dict[int, float] = {}

    def learn(self, start_ns: int, onset_s: float | None) -> None:
        """Take in one start; the same one counts once."""
        if onset_s is not None:
            self._onsets_s[start_ns] = onset_s

    @property
    def now(self) -> Delay:
        """The best there is."""
        return self._told or delay_of(list(self._onsets_s.values())) or UNTOLD

    def as_mapping(self) -> dict[str, float | int | str]:
        """For the record: the delay, its uncertainty, and how it is known."""
        delay = self.now
        if delay is self._told:
            how = "calibrated"
        elif delay is UNTOLD:
            how = "no clear start from rest, or starts that do not agree: it cannot be told"
        else:
            how = "from the starts of work"
        return {"delay_s": delay.seconds, "u_s": delay.u_s, "starts": delay.starts, "how": how}


class Edge(NamedTuple):
    """What a counter without ticks would say at a moment, and its standard uncertainty."""

    energy_j: float
    u_j: float
    off_w: float
    """Joules that it is off by for each second that its moment is."""
    after_w: float


class Curve(NamedTuple):
    """Moments in seconds at which the counter moved, the joules it then showed, and how sharp they are."""

    t_s: Floats
    energy_j: Floats
    u_s: float


def curves(t_s: Floats, energy_j: Floats, edge_s: float) -> list[Curve]:
    """The moves of a counter near an edge, from its samples, sharpest first; empty where they are too few.

    Moves of seconds tell the grid of a slow counter, those of fast looks beside the edge that of a fast one.
    """
    spans = [np.abs(t_s - edge_s) <= span_s for span_s in GRID_SPANS_S]
    found = [_curve(t_s[near], energy_j[near]) for near in spans]
    return sorted((each for each in found if each is not None), key=lambda each: each.u_s)


def _curve(t_s: Floats, energy_j: Floats) -> Curve | None:
    moved = np.flatnonzero(np.diff(energy_j) > 0) + 1
    if len(moved) < FEWEST_MOVES:
        return None
    before_s, seen_s, values = t_s[moved - 1], t_s[moved], energy_j[moved]
    found = ticks.grid(before_s, seen_s)
    if found is None:
        return Curve(seen_s, values, float(np.median(seen_s - before_s)) / math.sqrt(3))
    missed_s = float(np.sqrt(np.mean((found.even_s - found.between_s) ** 2)))
    free_s = float(np.min(seen_s - found.between_s) + np.min(found.between_s - before_s))
    return Curve(found.between_s, values, math.hypot(GRID_U_S, missed_s, free_s / math.sqrt(12)))


def start_delay_s(found: Sequence[Curve], start_s: float) -> float | None:
    """How long after a start from rest to load the counter told of it; `None` where no clear step is near.

    In the first tick with joules over those at rest, these grow in step with the seconds past the start.
    """
    told = (_onset_s(each, start_s) for each in found)
    return next((onset_s for onset_s in told if onset_s is not None), None)


def _onset_s(found: Curve, start_s: float) -> float | None:
    moments_s = found.t_s - start_s
    powers_w = np.diff(found.energy_j) / np.diff(moments_s)
    first = int(np.searchsorted(moments_s[1:], -EARLY_S, side="right"))
    if first < 2:
        return None
    rest_w = float(np.mean(powers_w[first - 2 : first]))
    tick_s = float(moments_s[first] - moments_s[first - 1])
    near = powers_w[first : int(np.searchsorted(moments_s[:-1], LATEST_S + tick_s)) + 1]
    step_w = float(np.max(near, initial=rest_w)) - rest_w
    if len(near) < 3 or step_w <= 0:
        return None
    jumped = np.flatnonzero(near > rest_w + ONSET * step_w)
    number = first + int(jumped[0])
    if number + 1 >= len(powers_w):
        return None
    load_w = float(powers_w[number + 1])
    before_w = powers_w[number - 2 : number]
    steady = float(np.ptp(before_w)) < ONSET * step_w
    if not steady or load_w < CLEAR_STEP * rest_w or load_w - rest_w < 0.5 * step_w:
        return None
    part = min((float(powers_w[number]) - rest_w) / (load_w - rest_w), 1.0)
    onset_s = float(moments_s[number + 1]) - part * float(moments_s[number + 1] - moments_s[number])
    return onset_s if -EARLY_S <= onset_s <= LATEST_S else None


def delay_of(onsets_s: Sequence[float]) -> Delay | None:
    """The delay that starts agree on; `None` where they scatter, as power does that is not the work's."""
    if not onsets_s:
        return None
    middle_s = float(np.median(onsets_s))
    spread_s = 1.4826 * float(np.median(np.abs(np.asarray(onsets_s) - middle_s)))
    if len(onsets_s) >= ENOUGH_STARTS and spread_s > LARGEST_SPREAD_S:
        return None
    few = len(onsets_s) < ENOUGH_STARTS
    alone_s = max(ONE_START_U_S, FEW_STARTS_DOUBT * middle_s) if few else spread_s
    u_s = math.hypot(START_U_S, alone_s / math.sqrt(len(onsets_s)))
    return Delay(max(middle_s, 0.0), u_s, len(onsets_s))


def at(found: Sequence[Curve], t_s: float, delay: Delay, work_s: tuple[float, float]) -> Edge | None:
    """The value at an edge of the work, by the sharpest curve with whole ticks beside it; `None` without.

    A tick that reaches over the other edge of the work tells nothing of this one.
    """
    told = (_at(each, t_s, delay, work_s) for each in found)
    return next((edge for edge in told if edge is not None), None)


def _at(found: Curve, t_s: float, delay: Delay, work_s: tuple[float, float]) -> Edge | None:
    moments_s = found.t_s - delay.seconds
    number = int(np.searchsorted(moments_s, t_s, side="right")) - 1
    if number < 1 or number + 2 >= len(moments_s):
        return None
    lengths_s, joules = np.diff(moments_s), np.diff(found.energy_j)
    powers_w = joules / lengths_s
    many = max(1, math.ceil(SHARP_POWER * found.u_s / float(np.median(lengths_s))))
    low, high = max(number - many, 0), min(number + 1 + many, len(joules))
    before_w = float(joules[low:number].sum() / lengths_s[low:number].sum())
    after_w = float(joules[number + 1 : high].sum() / lengths_s[number + 1 : high].sum())
    further_w = float(powers_w[max(low - 1, 0)]), float(powers_w[min(high, len(powers_w) - 1)])
    past_s, left_s = t_s - float(moments_s[number]), float(moments_s[number + 1]) - t_s
    whole_j = float(joules[number])
    left_u = _carried_u_j(before_w, further_w[0], past_s)
    right_u = _carried_u_j(after_w, further_w[1], left_s)
    share = left_u**2 / (left_u**2 + right_u**2)
    if moments_s[number - 1] < work_s[0] <= moments_s[number + 1] and t_s > work_s[0]:
        share = 1.0
    elif moments_s[number] <= work_s[1] < moments_s[number + 2] and t_s < work_s[1]:
        share = 0.0
    apart_j = whole_j - after_w * left_s - before_w * past_s
    inside_j = min(max(before_w * past_s + share * apart_j, 0.0), whole_j)
    off_w = before_w * (1 - share) + after_w * share
    u_j = math.sqrt(
        CARRIED * (((1 - share) * left_u) ** 2 + (share * right_u) ** 2)
        + apart_j**2 * share * (1 - share)
        + (found.u_s * off_w) ** 2
    )
    return Edge(float(found.energy_j[number]) + inside_j, u_j, off_w, after_w)


def _carried_u_j(power_w: float, further_w: float, seconds: float) -> float:
    """How far a whole tick's power, carried on to an edge, may be off: by how it changed, and unseen."""
    return math.hypot((power_w - further_w) * seconds, power_w * (UNSTEADY * seconds + SHARP_S))


class Edged(NamedTuple):
    """Joules of a window, what its edges leave uncertain, the power just after it, and the delay used."""

    energy_j: float
    u_j: float
    resting_w: float
    delay: Delay


class Looks(NamedTuple):
    """The counter's curves at the start and at the end of a window."""

    start: list[Curve]
    end: list[Curve]
    start_s: float
    end_s: float


def room_s(tick_s: float) -> float:
    """How long a card must be left alone before and after a window."""
    return max(ROOM_S, ROOM_TICKS * tick_s)


def looks(recorder: Recorder, gpu_index: int, start_ns: int, end_ns: int) -> Looks | None:
    """What the recorder saw around both edges; `None` where the counter moved too seldom there."""
    around_ns = round((max(GRID_SPANS_S) + LATEST_S) * 1e9)
    found = []
    for edge_ns in (start_ns, end_ns):
        t_ns, energy_j = recorder.fast(gpu_index, edge_ns - around_ns, edge_ns + around_ns, "energy_j")
        found.append(curves((t_ns - start_ns) / 1e9, energy_j, (edge_ns - start_ns) / 1e9))
    start, end = found
    return Looks(start, end, 0.0, (end_ns - start_ns) / 1e9) if start and end else None


def window_energy(seen: Looks, delay: Delay) -> Edged | None:
    """A card's joules between both edges; `None` without whole ticks beside them."""
    work_s = (seen.start_s, seen.end_s)
    start, end = (at(found, t_s, delay, work_s) for found, t_s in zip(seen[:2], work_s, strict=True))
    if start is None or end is None:
        return None
    late_u_j = delay.u_s * (end.off_w - start.off_w)  # a delay shifts both edges alike
    u_j = WIDENED * math.hypot(start.u_j, end.u_j, late_u_j)
    return Edged(end.energy_j - start.energy_j, u_j, end.after_w, delay)
