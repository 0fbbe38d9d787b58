"""Decay of power after a load has ended: watts above idle, and their time constants.

The joules drawn since are fitted, not the watts: their slope is power and they contain no window of a sensor.
"""

from __future__ import annotations

import numpy as np

from bench.calibrate.response import steps
from bench.core.arrays import Floats
from bench.core.calibration import Decay
from bench.meters.fast_samples import FastSamples

TIMES_S = np.geomspace(0.1, 15.0, 150)
FEWEST = 10
LATE_S = 0.25
"""A power reading older than the load it followed: what instant readings may lag."""
NOTICEABLE_W = 1.0
BETTER = 0.5
"""A decay is believed in where it leaves less than this of what a straight line leaves."""


def drawn(looks: FastSamples) -> tuple[Floats, Floats]:
    """Cumulative joules where they are known: at the counter's steps, or of the power where it has none."""
    if not np.all(np.isnan(looks.energy_j)):
        return steps(looks.t_s, looks.energy_j)
    watts = looks.power_instant_w
    if np.all(np.isnan(watts)):
        watts = looks.power_average_w
    known = ~np.isnan(watts)
    t_s, watts = looks.t_s[known], watts[known]
    return t_s, np.concatenate([[0.0], np.cumsum(watts[1:] * np.diff(t_s))])  # a reading is of the past


def decay(looks: FastSamples, end_s: float) -> Decay | None:
    """Power after a load that ended at `end_s`; `None` where too little was seen of it.

    The first step of the counter after the end contains joules of the load and is left out, and so are power
    readings that may still be of the load.
    """
    t_s, joules = drawn(looks)
    stale_s = LATE_S if np.all(np.isnan(looks.energy_j)) else 0.0
    after = np.flatnonzero(t_s > end_s + stale_s)[1:]
    if len(after) < FEWEST:
        return None
    t_s, joules = t_s[after] - end_s, joules[after] - joules[after[0]]
    straight = _fitted(t_s, joules, None)
    fits = [(_fitted(t_s, joules, float(time_s)), float(time_s)) for time_s in TIMES_S]
    (left, idle_w, above_w), time_s = min(fits, key=lambda fit: fit[0][0])
    if above_w < NOTICEABLE_W or left > BETTER * straight[0]:
        reason = "power fell to idle with the load"
        return Decay(idle_w=straight[1], above_idle_w=0.0, time_constant_s=None, reason=reason)
    return Decay(idle_w=idle_w, above_idle_w=above_w, time_constant_s=time_s)


def _fitted(t_s: Floats, joules: Floats, time_s: float | None) -> tuple[float, float, float]:
    """Squares left, idle watts and watts above them, as they fit best; a straight line without a time."""
    columns = [np.ones_like(t_s), t_s]
    if time_s is not None:
        columns.append(time_s * (1 - np.exp(-t_s / time_s)))
    matrix = np.stack(columns, axis=1)
    found, *_ = np.linalg.lstsq(matrix, joules, rcond=None)
    left = float(np.sum((matrix @ found - joules) ** 2))
    return left, float(found[1]), float(found[2]) if time_s is not None else 0.0
