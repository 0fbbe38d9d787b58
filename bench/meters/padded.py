"""A window's energy free of the counter's tick, from two pads of idle around the work.

A counter that moves every 100 ms is up to a tick old whenever it is read, so a window that begins at idle and
ends at load is counted short: by 4 % at 1 s, by 0.8 % at 5 s. At the moments when it was *seen to move* it
is exact. So a line is laid through those points in the pad before the work and carried on to the work's
start, and a curve through those in the pad after it is carried back to the work's end; the energy is the
difference of the two.

The curve after the work is a parabola, because a card keeps high clocks for some seconds: where 40 W fade
with 2 s, a straight line errs by +0.7 % of a 1 s window, the parabola by -0.2 % (a tick of 100 ms).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.meters.recorder import Floats, Recorder

PAD_S = 1.5
"""Shortest pad. A slower counter needs a longer one: `PAD_TICKS` of its ticks."""
PAD_TICKS = 4
PARABOLA_POINTS = 6
"""With fewer points after the work a straight line has to do."""
SEEN_LATE_S = 0.06
"""A move of the counter is seen up to a sample late; one seen this soon after the work may belong to it."""


class Padded(NamedTuple):
    """Joules of a window, and the card's power just after it."""

    energy_j: float
    resting_w: float


def padded_energy(
    recorder: Recorder, gpu_index: int, start_ns: int, end_ns: int, tick_s: float
) -> Padded | None:
    """A card's joules between two moments that both have idle around them for `pad_s(tick_s)`.

    `None` where the counter moved too seldom before or after the work.
    """
    pad_ns = round(pad_s(tick_s) * 1e9)
    t_ns, energy_j = recorder.counter_curve(gpu_index, start_ns, end_ns, margin_s=pad_s(tick_s))
    before = (t_ns >= start_ns - pad_ns) & (t_ns <= start_ns)
    after = (t_ns > end_ns + round(SEEN_LATE_S * 1e9)) & (t_ns <= end_ns + pad_ns)
    if min(np.count_nonzero(before), np.count_nonzero(after)) < 2:
        return None
    degree = 2 if np.count_nonzero(after) >= PARABOLA_POINTS else 1
    begun = _curve((t_ns[before] - start_ns) / 1e9, energy_j[before], 1)
    ended = _curve((t_ns[after] - end_ns) / 1e9, energy_j[after], degree)
    between_j = energy_j[after][0] - energy_j[before][0]
    return Padded(float(between_j + ended(0.0) - begun(0.0)), float(ended.deriv()(0.0)))


def pad_s(tick_s: float) -> float:
    """How long the card must be left alone before and after a window."""
    return max(PAD_S, PAD_TICKS * tick_s)


def seen_tick_s(recorder: Recorder, gpu_index: int, start_ns: int, end_ns: int) -> float | None:
    """How often the counter was seen to move between two moments: the median time from move to move."""
    t_ns, _ = recorder.counter_curve(gpu_index, start_ns, end_ns, margin_s=0.0)
    return float(np.median(np.diff(t_ns))) / 1e9 if len(t_ns) > 2 else None


def _curve(seconds: Floats, energy_j: Floats, degree: int) -> np.polynomial.Polynomial:
    """The polynomial through the points, over seconds from the edge, in joules above the first point."""
    return np.polynomial.Polynomial.fit(seconds, energy_j - energy_j[0], degree)
