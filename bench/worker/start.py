"""The program that becomes a worker.

    python -P start.py DESCRIPTOR LOG PARENT TIED PROTOCOL MODULE [FOLDER]...

It is a script and imports `bench` from the first FOLDER that has it, which may be another checkout's, run by
another interpreter. So it uses only two names of the package: `PROTOCOL`, which it sends to its parent
before anything else, and MODULE's `main`, which answers where both have the same protocol.

It ends with its parent, also in the middle of its work: a thread waits for the end of the pipe. Native code
that loads a model can keep every thread from running (4 s were seen), so on Linux the system kills the
worker, where TIED is 1.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import threading
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

OLDER_MESSAGES = "bench.runner.messages"
"""Place of `PROTOCOL` up to its version 4."""


PR_SET_PDEATHSIG = 1
LOOK_MS = 2000
"""Interval of looks at the parent: a fork of it may hold the pipe open."""


def main(
    descriptor: str, log: str, parent: str, tied: str, protocol: str, module: str, *folders: str
) -> None:
    """Greet the parent and answer it until it is done, or gone."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # a terminal's Ctrl-C goes to all; the parent ends its worker
    os.set_inheritable(int(descriptor), False)
    if tied == "1":
        _end_with_parent()
    watcher = threading.Thread(target=_watch, args=(int(descriptor), int(parent), Path(log)), daemon=True)
    watcher.start()
    sys.path[:0] = folders
    try:
        connection = Connection(int(descriptor))
        spoken = protocol_of_checkout()
        connection.send(spoken)
        if spoken == int(protocol):
            import_module(module).main(connection)
    except (EOFError, ConnectionError):  # the parent was killed; it can neither read the log nor remove it
        Path(log).unlink(missing_ok=True)


def _end_with_parent() -> None:
    """Have Linux kill this process when the thread that started it ends: the parent's main thread."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _watch(descriptor: int, parent: int, log: Path) -> None:
    """Wait for the end of the pipe or of the parent, and end this process in the middle of its work."""
    pipe = select.poll()
    pipe.register(descriptor, 0)  # hang-up alone: the main thread reads
    while os.getppid() == parent and not pipe.poll(LOOK_MS):
        pass
    log.unlink(missing_ok=True)
    os._exit(1)


def protocol_of_checkout() -> int:
    """The version that the imported `bench` uses; 0 where it had none yet."""
    try:
        messages = import_module("bench.worker.messages")
    except ModuleNotFoundError as error:
        if error.name not in ("bench.worker", "bench.worker.messages"):
            raise
        messages = import_module(OLDER_MESSAGES)
    return int(getattr(messages, "PROTOCOL", 0))


if __name__ == "__main__":
    main(*sys.argv[1:])
