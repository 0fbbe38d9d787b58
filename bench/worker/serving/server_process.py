"""A server that is started for a case: its command, its health, its log, and the end of all its processes.

server = ServerProcess(command, environment, log, key)
server.require_alive("load")
server.end(gently=True)
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from bench.errors import EngineError
from bench.machine.worker_environment import UNTRACKED
from bench.worker.serving import guard
from bench.worker.serving.secrets import ApiKey
from bench.worker.serving.server_log import ServerLog

LOOK_S = 0.25
END_S = 15.0
"""A server that takes longer to end after SIGTERM is killed: nothing in it is needed any more."""
KILLED_S = 5.0
"""A killed process is gone in milliseconds, except one that a driver keeps."""


def command_line(template: str, places: Mapping[str, object]) -> list[str]:
    """The words of a command with its places filled in; a place stays inside its word."""
    return [word.format_map(dict(places)) for word in shlex.split(template)]


class ServerProcess:
    """A server in a process group of its own, with a log; it outlives neither `end` nor its starter."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path, key: ApiKey) -> None:
        self.log_name = log.name
        self._log = ServerLog(log, key)
        self._words = command
        with self._log.said.open("wb") as output:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env={**UNTRACKED, **os.environ, **environment},
                    start_new_session=True,
                )
            except OSError as error:
                self._log.drop()
                raise EngineError(
                    f"The server's command could not be started: {command[0]}: {error.strerror}.",
                    "Install it, or correct `serve: {command: ...}` in models.yaml.",
                    missing=True,
                ) from error
        self._guard = _guarded(self._process)
        self._seen: dict[int, psutil.Process] = {}

    @property
    def pids(self) -> tuple[int, ...]:
        """The server and all that it started."""
        self._look()
        return tuple(pid for pid, process in self._seen.items() if process.is_running())

    def _look(self) -> None:
        """Remember its descendants: one whose parent has ended is found by no later look.

        It reads the list of all processes, which takes milliseconds: never inside a window.
        """
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(self._process.pid)
            self._seen |= {process.pid: process for process in (root, *root.children(recursive=True))}

    def ended(self) -> str | None:
        """How it ended; `None` while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        return f"by signal {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"

    def require_alive(self, stage: str) -> None:
        """Raise EngineError where it has ended."""
        if (how := self.ended()) is not None:
            raise EngineError(f"The server ended {how}.", self.see_log, stage=stage)

    @property
    def see_log(self) -> str:
        """The sentence that names its log."""
        return self._log.see

    def last_words(self) -> str:
        """The end of its log, without the key."""
        return self._log.last_words()

    def end(self, *, gently: bool) -> None:
        """End it and all that it started; its log stays, without the key."""
        self._look()
        try:
            if gently:
                self._signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(END_S)
        finally:  # also where Ctrl-C came meanwhile
            self._look()
            self._signal(signal.SIGKILL)
            self._process.wait()
            psutil.wait_procs(list(self._seen.values()), KILLED_S)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._guard.communicate(b"ended", KILLED_S)
            self._log.end()

    def _signal(self, number: signal.Signals) -> None:
        """To its group, and to descendants that left it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
        for process in self._seen.values():
            with contextlib.suppress(psutil.Error):  # psutil compares start times: no later one is hit
                process.send_signal(number)


def _guarded(server: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Start the guard of a server's group; where that fails, end the server. Raises EngineError."""
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, str(server.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        raise EngineError(f"The server's guard could not be started: {error.strerror}.") from error
