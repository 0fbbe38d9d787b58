"""Way out of a failed request, by its reason code.

advice("silent")        # "Set `serve: {answer_seconds: ...}` for a server that takes longer, ..."
"""

from __future__ import annotations

GONE = "Look whether the server is still up, and begin again: cases that are complete are not repeated."
SILENT = "Set `serve: {answer_seconds: ...}` for a server that takes longer, or start it again if it hangs."
BUSY = "Ask for a lower load, or let the server take more requests at a time."
LOG = "See the server's log."
BY_CODE = {
    "no-connection": GONE,
    "stream-cut": GONE,
    "silent": SILENT,
    "http-429": BUSY,
    "http-503": BUSY,
}


def advice(code: str | None) -> str:
    """What to do about it; the log for a code without advice of its own."""
    return BY_CODE.get(code or "", LOG)
