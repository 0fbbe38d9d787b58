"""The program that becomes a worker: `python -P start.py DESCRIPTOR LOG PROTOCOL MODULE [FOLDER]...`.

It is a script and imports `bench` from the first FOLDER that has it, which may be another checkout's, run by
another interpreter. So it uses only two names of the package: `PROTOCOL`, which it sends to its parent
before anything else, and MODULE's `main`, which answers where both have the same protocol.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

OLDER_MESSAGES = "bench.runner.messages"
"""Place of `PROTOCOL` up to its version 4."""


def main(descriptor: str, log: str, protocol: str, module: str, *folders: str) -> None:
    """Greet the parent and answer it until it is done, or gone."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # a terminal's Ctrl-C goes to all; the parent ends its worker
    os.set_inheritable(int(descriptor), False)
    sys.path[:0] = folders
    try:
        connection = Connection(int(descriptor))
        spoken = protocol_of_checkout()
        connection.send(spoken)
        if spoken == int(protocol):
            import_module(module).main(connection)
    except (EOFError, ConnectionError):  # the parent was killed; it can neither read the log nor remove it
        Path(log).unlink(missing_ok=True)


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
