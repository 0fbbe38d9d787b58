"""Refusal of a frozen clock, as in a test under freezegun."""

from __future__ import annotations

import datetime
import sys
import time

from bench.errors import UsageError

APART_NS = 1_000_000_000
"""Nanoseconds between two readings of one clock, far more than a busy machine puts there."""


def refuse_frozen_clock() -> None:
    """Raise UsageError where what Python gives as the time is not the machine's clock.

    A frozen `datetime` alone does no harm to a measurement. But pandas, which CodeCarbon imports, ends Python
    with a segmentation fault when it is imported then.
    """
    apart_ns = abs(time.monotonic_ns() - time.clock_gettime_ns(time.CLOCK_MONOTONIC))
    if apart_ns > APART_NS:
        raise UsageError(
            "Time is frozen or shifted in this program, so nothing can be measured.",
            'Leave us the real clock: freezegun.configure(extend_ignore_list=["bench", "codecarbon"]).',
        )
    if type(datetime.datetime) is not type and "pandas" not in sys.modules:
        raise UsageError(
            "datetime is replaced in this program, and CodeCarbon cannot be imported now.",
            "Import pandas before time is frozen.",
        )
