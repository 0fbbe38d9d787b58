"""Whether an energy counter behaved between two moments, as the recorder saw it.

The difference of two readings cannot tell that the counter was reset and has overtaken its old value since,
that it stood still for a while, or that it leapt: each would be a wrong number of joules and look like a good
one. The samples in between can tell, and a counter that misbehaved gives no number but the reason:

    reason = counter_fault(recorder, gpu.index, start_ns, end_ns)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.meters.base import PLAUSIBLE_W, WENT_BACKWARDS
from bench.meters.recorder import Floats, Recorder
from bench.meters.ticks import LOOK_BACK_S, median_s

STANDSTILL_S, STANDSTILL_TICKS = 1.0, 5
"""A counter stands still when it has not moved for both, a second and so many of its own ticks."""


def counter_fault(recorder: Recorder, gpu_index: int, start_ns: int, end_ns: int) -> str | None:
    """Why a card's counter is not to be believed between two moments; `None` where nothing speaks against it.

    Nothing does where the recorder saw nothing of the card. The sample before the window and the one after it
    belong to it, so wait for the latter first.
    """
    look_back_ns = round(LOOK_BACK_S * 1e9)
    t_ns, energy_j = recorder.fast(gpu_index, start_ns - look_back_ns, end_ns + look_back_ns, "energy_j")
    inside = (t_ns[1:] > start_ns) & (t_ns[:-1] < end_ns)
    steps_j, steps_s = np.diff(energy_j), np.diff(t_ns) / 1e9
    if np.any(steps_j[inside] < 0):
        return WENT_BACKWARDS
    leaps = inside & (steps_j > PLAUSIBLE_W * np.maximum(steps_s, 1.0))
    if np.any(leaps):
        return f"the counter leapt by {np.max(steps_j[leaps]):.3g} J from one sample to the next"
    return _standstill(t_ns, steps_j, start_ns, end_ns)


def _standstill(t_ns: NDArray[np.int64], steps_j: Floats, start_ns: int, end_ns: int) -> str | None:
    """A stretch of the window in which all samples were alike, far longer than the counter's tick.

    The first begins with the first sample, not with the first move: it may have stood still since before.
    """
    moves = np.flatnonzero(steps_j > 0) + 1
    tick_s = median_s(t_ns[moves])
    if tick_s is None:
        return None
    begins, ends = t_ns[[0, *moves]], t_ns[[*(moves - 1), len(t_ns) - 1]]
    longest_s = float(np.max(np.minimum(ends, end_ns) - np.maximum(begins, start_ns))) / 1e9
    if longest_s <= max(STANDSTILL_S, STANDSTILL_TICKS * tick_s):
        return None
    usual_ms = tick_s * 1e3
    return f"the counter stood still for {longest_s:.1f} s, and moves every {usual_ms:.0f} ms otherwise"
