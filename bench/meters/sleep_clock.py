"""Time that this machine was suspended since it booted.

CLOCK_MONOTONIC stops while a machine is suspended, and CLOCK_BOOTTIME goes on: what they are apart is the
time asleep.
"""

from __future__ import annotations

import time

ATTEMPTS = 5
"""Readings of both clocks, of which the closest together count: a busy machine may pause between them."""


def asleep_so_far_s() -> float | None:
    """Seconds asleep since boot; `None` on systems without CLOCK_BOOTTIME."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    tightest_ns, lead_ns = None, 0
    for _ in range(ATTEMPTS):
        before_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        apart_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC) - before_ns
        if tightest_ns is None or apart_ns < tightest_ns:
            tightest_ns, lead_ns = apart_ns, boot_ns - before_ns
    return lead_ns / 1e9
