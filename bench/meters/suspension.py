"""Suspension of the machine within a window: its usual clock stops, and its meters may go on.

    suspended_s(recorder, start_ns)     # since shortly before a moment

The recorder keeps the time asleep so far (`sleep_clock`) beside its own cost, twice a second.
"""

from __future__ import annotations

import numpy as np

from bench.meters import sampling, sleep_clock
from bench.meters.recorder import Recorder

LOOK_BACK_S = 3.0
"""The recorder's rows on itself are half a second apart; one that is later has stalled."""
LIMIT_S = 0.5
"""Far more than two readings of the clocks are off by, and less than any machine takes to sleep and wake."""
SUSPENDED = "the machine was suspended meanwhile"


def suspended_s(recorder: Recorder, start_ns: int) -> float | None:
    """Seconds for which the machine was suspended between a moment and now; `None` where it is unknown."""
    begin_ns = start_ns - round(LOOK_BACK_S * 1e9)
    _, values = recorder.samples(sampling.SELF, 0, begin_ns, start_ns)
    before, now_s = values["asleep_s"], sleep_clock.asleep_so_far_s()
    known = before[~np.isnan(before)]
    return None if now_s is None or not len(known) else max(0.0, now_s - float(known[-1]))
