"""The program that ends a server whose starter was killed.

    python -I -S guard.py GROUP     # with a pipe as stdin

A server is any command, so it cannot watch over its starter by itself. The guard sleeps until its stdin has a
byte (the server was ended) or ends (the starter is dead); then it ends the server's process group. It imports
only the standard library.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

GRACE_S = 3.0
"""Time for a server to end after SIGTERM: no orphan may be left 5 s after its starter's death."""


def main(group: str) -> None:
    """Wait for the starter, and end the group where it died."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.read(0, 1):
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all of it has ended
        os.killpg(int(group), signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        while time.monotonic() < deadline:
            os.killpg(int(group), 0)
            time.sleep(0.05)
        os.killpg(int(group), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
