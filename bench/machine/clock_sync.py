"""Synchronisation of this machine's clock, as the kernel states it (adjtimex).

clock_sync().synchronised      # True, False, or None with the reason in `absent`
"""

from __future__ import annotations

import ctypes
import os

from bench.core.clocks import ClockSync

UNSYNCHRONISED = 0x0040
"""STA_UNSYNC: no daemon (chrony, ntpd, systemd-timesyncd, ptp4l) keeps the clock."""
MICROSECONDS = 1e-6


class _Timex(ctypes.Structure):
    """Beginning of Linux's `struct timex`, with room for the rest of it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def clock_sync() -> ClockSync:
    """The kernel's answer now; reads only. Containers may forbid the call."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return _unknown("this system has no adjtimex")
    seen = _Timex()  # modes 0: nothing is set
    if adjtimex(ctypes.byref(seen)) < 0:
        return _unknown(f"adjtimex failed: {os.strerror(ctypes.get_errno())}")
    return ClockSync(
        synchronised=not seen.status & UNSYNCHRONISED,
        max_error_s=seen.maxerror * MICROSECONDS,
        estimated_error_s=seen.esterror * MICROSECONDS,
    )


def _unknown(reason: str) -> ClockSync:
    return ClockSync(synchronised=None, absent={"synchronised": reason})
