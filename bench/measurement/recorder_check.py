"""Check that the recorder runs, before a model is loaded and before each window."""

from __future__ import annotations

import time

from bench.errors import MeterError
from bench.meters.recorder import Recorder

SILENT_S, PATIENCE_S = 2.0, 3.0
"""A recorder without a row for so long is waited for, and for how long."""


def require_recorder(recorder: Recorder) -> None:
    """Raise MeterError without a running recorder. One that was held up for a moment may catch up first."""
    fresh = recorder.wait_past(time.monotonic_ns() - round(SILENT_S * 1e9), timeout_s=PATIENCE_S)
    if recorder.alive and not fresh:
        raise MeterError(
            f"The recorder process has stalled for more than {SILENT_S + PATIENCE_S:.0f} s.",
            "Find out who stopped it, and run again.",
        )
    if not recorder.alive:
        raise MeterError("The recorder process has ended.", "Run again; with --debug it shows the cause.")
