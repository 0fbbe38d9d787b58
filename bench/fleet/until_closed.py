"""The program that runs a command until its own standard input is closed, and then ends all of the command.

    ssh host 'python -I -c SOURCE python -m bench run paper'      # ends with its connection

ssh passes no signal on, and a command without a terminal sees a lost connection only when it prints. This
program sees the end of its input instead, wherever the other end went: Ctrl-C, a killed starter, a network
that closed. Its source is sent along, so another version on that machine will do; it imports only the
standard library.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_S = 30.0
"""Time for a run to write what is complete after its Ctrl-C; its record takes about a second."""


def main(command: list[str]) -> int:
    """Run the command in a process group of its own; returns its exit status, 128 and more for a signal."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _outlast)
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127
    closed = threading.Event()
    watch = threading.Thread(target=_end_with_input, args=(child, closed), daemon=True)
    watch.start()
    status = child.wait()
    if closed.is_set():
        watch.join()
    return status if status >= 0 else 128 - status


def _outlast(_signal: int, _frame: object) -> None:
    """Do nothing: the end of the input ends the command, which would inherit SIG_IGN and not this."""


def _end_with_input(child: subprocess.Popen[bytes], closed: threading.Event) -> None:
    """Wait for the end of the input; then Ctrl-C for the command, and an end to what is left of its group."""
    while os.read(0, 4096):
        pass
    closed.set()
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all of it has ended
        os.killpg(child.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
        os.killpg(child.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
