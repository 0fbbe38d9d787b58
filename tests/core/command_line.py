"""A command line that stays open: one process of a copy of the package, or beside other packages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

EACH = """
import contextlib, io, json, sys
from bench.cli import invoke
for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = invoke(json.loads(line))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""
"""What it runs: it imports once what each command of its own would import again, for half a second."""


class CommandLine:
    """Answers commands that measure nothing, one after another."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """What came of a command, which has to end with `status`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(arguments), file=self._process.stdin, flush=True)
        returned, out, err = json.loads(self._process.stdout.readline())
        assert returned == status, err + out
        return subprocess.CompletedProcess(arguments, returned, out, err)


@contextmanager
def command_line(folder: Path, environment: Mapping[str, str]) -> Iterator[CommandLine]:
    """A command line in a folder, until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-c", EACH],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield CommandLine(process)
        assert process.stdin is not None
        process.stdin.close()
