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
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psutil

from bench.core.temporary import SERVER_SAID, owned_file
from bench.errors import EngineError
from bench.machine.worker_environment import UNTRACKED
from bench.store.own_names import without_own_names
from bench.store.results import write_atomically
from bench.worker.serving import guard
from bench.worker.serving.secrets import ApiKey

LOOK_S = 0.25
END_S = 15.0
"""A server that takes longer to end after SIGTERM is killed: nothing in it is needed any more."""
KILLED_S = 5.0
"""A killed process is gone in milliseconds, except one that a driver keeps."""
LAST_WORDS = 2000
UNWRITTEN_LOG = "joulebench-log-"
"""Beginning of a file in the temporary folder that has what the log should have had."""


def command_line(template: str, places: Mapping[str, object]) -> list[str]:
    """The words of a command with its places filled in; a place stays inside its word."""
    return [word.format_map(dict(places)) for word in shlex.split(template)]


class ServerProcess:
    """A server in a process group of its own, with a log; it outlives neither `end` nor its starter.

    It writes into a temporary file of this user alone, which the next run removes where this one is killed:
    its words may have the key. The log is that without it, from its end on,
    or from when a sentence names it; where it cannot be written, a file in the temporary folder is.
    """

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path, key: ApiKey) -> None:
        self.log = log
        self._spare: Path | None = None
        self._key = key
        self._words = command
        log.parent.mkdir(parents=True, exist_ok=True)
        self._said = owned_file(SERVER_SAID, ".log")
        with self._said.path.open("wb") as output:
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
                self._said.remove()
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
        """The sentence that names its log, which has its words up to now."""
        clean = self._clean()
        if clean is None or not (self._in_log(clean) or self._in_spare(clean)):
            return f"Its log {self.log} could not be written."
        return f"Its log is {self._spare or self.log}."

    def last_words(self) -> str:
        """The end of its log, without the key."""
        with contextlib.suppress(OSError):
            return self._key.scrubbed(self._text())[-LAST_WORDS:]
        return ""

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
            self._write_log()

    def _signal(self, number: signal.Signals) -> None:
        """To its group, and to descendants that left it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
        for process in self._seen.values():
            with contextlib.suppress(psutil.Error):  # psutil compares start times: no later one is hit
                process.send_signal(number)

    def _text(self) -> str:
        """What it has said, also after its end. Raises OSError."""
        path = self._said.path if self._said.path.exists() else self._spare or self.log
        return path.read_text(encoding="utf-8", errors="replace")

    def _clean(self) -> str | None:
        """What it has said, without the key; `None` where that cannot be read."""
        try:
            return without_own_names(self._key.scrubbed(self._text()))
        except OSError:
            return None

    def _write_log(self) -> None:
        """Its log in place of what it has said, or another file where the log cannot be written."""
        clean = self._clean()
        if clean is not None and not self._in_log(clean):
            self._said.remove()  # the temporary folder may be full
            self._in_spare(clean)
        self._said.remove()

    def _in_log(self, clean: str) -> bool:
        """Whether the log could be written; it is tried no more once another file is named."""
        if self._spare is not None:
            return False
        try:
            write_atomically(self.log, clean)
        except OSError:
            return False
        return True

    def _in_spare(self, clean: str) -> bool:
        """Whether a file in the temporary folder, which no later run removes, could be written."""
        try:
            if self._spare is None:
                handle, name = tempfile.mkstemp(prefix=UNWRITTEN_LOG, suffix=".log")
                os.close(handle)
                self._spare = Path(name)
            self._spare.write_text(clean, encoding="utf-8")
        except OSError:
            return False
        return True


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
