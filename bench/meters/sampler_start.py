"""Start of the sampling process: an interpreter that imports this package and no caller's program."""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from bench.errors import MeterError

START = """
import sys
file, parent, *sys.path = sys.argv[1:]
from multiprocessing.connection import Connection
from pathlib import Path
from bench.meters import sampling
sampling.main(Path(file), Connection(0), int(parent))
"""
"""Program of the sampling process: it finds this very package, wherever it is started from."""


def start_sampler(file: Path, theirs: Connection) -> subprocess.Popen[bytes]:
    """Start the sampler, with its end of the pipe as stdin, and in a process group of its own.

    A terminal's Ctrl-C goes to the foreground group and so never reaches it, not even while it starts.
    """
    path = [entry for entry in sys.path if isinstance(entry, str)]
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", START, str(file), str(os.getpid()), *path],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,  # stdout is for results
            process_group=0,
        )
    except OSError as error:
        raise MeterError(f"The recorder could not be started: {error}.") from error
    finally:
        theirs.close()
