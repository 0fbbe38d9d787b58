"""Checks of an energy counter between two moments, from the recorder's samples.

The difference of two readings does not show that the counter was reset and has overtaken its old value since,
that it stalled, or that it jumped: each would be a wrong number of joules and look like a good
one. The samples in between do, and a faulty counter yields a reason in place of a number:

    reason = counter_anomaly(recorder, gpu.index, start_ns, end_ns)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.core.arrays import Floats
from bench.meters.base import PLAUSIBLE_W, WENT_BACKWARDS
from bench.meters.recorder import Recorder
from bench.meters.ticks import LOOK_BACK_S, median_s

STANDSTILL_S, STANDSTILL_TICKS = 1.0, 5
"""A counter has stalled when it has not moved for a second and for this number of its own ticks."""
LATE_S = 0.2
"""A card's counter may publish this late, so that one sample shows the joules of so long."""


def counter_anomaly(recorder: Recorder, gpu_index: int, start_ns: int, end_ns: int) -> str | None:
    """Reason not to believe a card's counter between two moments; `None` without one.

    Nothing does where the recorder saw nothing of the card. The sample before the window and the one after it
    belong to it, so wait for the latter first.
    """
    look_back_ns = round(LOOK_BACK_S * 1e9)
    t_ns, energy_j = recorder.fast(gpu_index, start_ns - look_back_ns, end_ns + look_back_ns, "energy_j")
    steps_j = np.diff(energy_j)
    fault = _impossible_step(t_ns, steps_j, start_ns, end_ns, PLAUSIBLE_W)
    if fault is not None:
        return fault
    tick_s = median_s(t_ns[np.flatnonzero(steps_j > 0) + 1])
    return None if tick_s is None else _standstill(t_ns, steps_j, start_ns, end_ns, tick_s)


def source_anomaly(recorder: Recorder, domain: str, start_ns: int, end_ns: int) -> str | None:
    """The same of a domain of another source. A standstill that only reaches into the window counts whole.

    What was counted in it comes at once when the counter moves again, and may be of the time before.
    """
    look_back_ns = round(LOOK_BACK_S * 1e9)
    facts = recorder.source_domains[domain]
    t_ns, energy_j = recorder.readings(domain, start_ns - look_back_ns, end_ns + look_back_ns)
    steps_j = np.diff(energy_j)
    fault = _impossible_step(t_ns, steps_j, start_ns, end_ns, facts.plausible_w)
    if fault is not None or not len(t_ns):
        return fault
    return _standstill(t_ns, steps_j, start_ns, end_ns, facts.tick_s, whole=True)


def _impossible_step(
    t_ns: NDArray[np.int64], steps_j: Floats, start_ns: int, end_ns: int, plausible_w: float
) -> str | None:
    """A step within the window that goes backwards, or that more than `plausible_w` would have taken.

    A step contains what was drawn since the sample before the last move at most.
    """
    inside = (t_ns[1:] > start_ns) & (t_ns[:-1] < end_ns)
    if np.any(steps_j[inside] < 0):
        return WENT_BACKWARDS
    moved = np.maximum.accumulate(np.where(steps_j > 0, np.arange(len(steps_j)), -1))
    before = np.concatenate([[0], np.maximum(moved, 0)])[:-1] if len(steps_j) else moved
    most_j = plausible_w * np.maximum((t_ns[1:] - t_ns[before]) / 1e9, LATE_S)
    leaps = inside & (steps_j > most_j)
    if np.any(leaps):
        return f"the counter jumped by {np.max(steps_j[leaps]):.3g} J from one sample to the next"
    return None


def _standstill(
    t_ns: NDArray[np.int64],
    steps_j: Floats,
    start_ns: int,
    end_ns: int,
    tick_s: float,
    *,
    whole: bool = False,
) -> str | None:
    """A stretch of the window in which all samples were alike, far longer than the counter's tick.

    The first begins with the first sample, not with the first move: it may have stalled before.
    `whole`: the part outside the window counts as well.
    """
    moves = np.flatnonzero(steps_j > 0) + 1
    begins, ends = t_ns[[0, *moves]], t_ns[[*(moves - 1), len(t_ns) - 1]]
    inside_ns = np.minimum(ends, end_ns) - np.maximum(begins, start_ns)
    lengths_ns = (ends - begins)[inside_ns > 0] if whole else inside_ns
    longest_s = float(np.max(lengths_ns, initial=0)) / 1e9
    if longest_s <= max(STANDSTILL_S, STANDSTILL_TICKS * tick_s):
        return None
    usual_ms = tick_s * 1e3
    return f"the counter stalled for {longest_s:.1f} s, and moves every {usual_ms:.0f} ms otherwise"
