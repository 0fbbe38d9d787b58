"""A suite on several machines over ssh, side by side, and their records fetched by rsync: `bench fleet ssh`.

    for done in measure(RemoteRun(hosts=("a", "b"), ...), say): done.host, done.status, done.fetched

Each machine has a checkout of its own and runs `bench run`, which ends with its connection (`until_closed`).
What is complete is fetched also from a machine that failed or was interrupted; the same command goes on,
because each machine skips what it has measured.
"""

from __future__ import annotations

import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import PrerequisiteError
from bench.fleet import until_closed
from bench.machine.expected_gpus import ExpectedGpus

SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=30", "-o", "ServerAliveCountMax=4")
"""No question is asked, and a machine that is gone is known within two minutes."""
LATE_S = 15.0
"""Beyond the grace of a run: for the way there and back."""
UNREACHABLE = 255
"""Status of ssh itself."""


@dataclass(frozen=True, kw_only=True)
class RemoteRun:
    """What is run where; `folder` is the checkout on each machine."""

    hosts: tuple[str, ...]
    suite: tuple[str, ...]
    folder: str
    python: str
    results: Path
    gpus: ExpectedGpus | None = None
    container: tuple[str, ...] = ()
    """Words that start a container, before the interpreter in it: `apptainer exec --nv image.sif`."""
    options: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command for a machine's shell."""
        guard = Path(until_closed.__file__).read_text(encoding="utf-8")
        expected = ["--expect-gpu", str(self.gpus)] if self.gpus is not None else []
        run = [self.python, "-m", "bench", "run", *self.suite, "--resume", *expected, *self.options]
        # The guard is inside the container, where its signals reach the run.
        words = [*self.container, self.python, "-I", "-c", guard, *run]
        # The login shell expands a folder such as ~/joulebench, which a quoted one would not be.
        return f"cd {_path(self.folder)} && exec {shlex.join(words)}"


@dataclass(frozen=True)
class HostDone:
    """What became of a machine: status of its run and of the fetching, in words where it failed."""

    host: str
    status: int
    fetched: bool
    reason: str | None = None


@dataclass
class _Connections:
    """The connections that are open. Their input is held open, because a run ends with it."""

    open: list[subprocess.Popen[str]] = field(default_factory=list)
    ended: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, process: subprocess.Popen[str]) -> None:
        """Hold one, unless all of them are to end."""
        with self.lock:
            self.open.append(process)
            if self.ended:
                _close(process)

    def end(self) -> None:
        """Close the input of each, which its machine takes for Ctrl-C."""
        with self.lock:
            self.ended = True
            for process in self.open:
                _close(process)

    def kill(self) -> None:
        """End the connections themselves."""
        with self.lock:
            for process in self.open:
                process.kill()


def _close(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.close()


def measure(remote: RemoteRun, say: Callable[[str, str], None]) -> Iterator[HostDone]:
    """Run on every machine; `say(host, line)` gets each line of output. Raises PrerequisiteError.

    Ctrl-C ends the runs as theirs does, and what is complete is fetched.
    """
    connections = _Connections()
    with ThreadPoolExecutor(len(remote.hosts)) as pool:
        waiting = {pool.submit(_on, host, remote, say, connections) for host in remote.hosts}
        try:
            for future in as_completed(waiting):
                waiting.discard(future)
                yield future.result()
        except KeyboardInterrupt:
            yield from _interrupted(connections, waiting)


def _interrupted(connections: _Connections, waiting: set[Future[HostDone]]) -> Iterator[HostDone]:
    """End the runs, wait until they have written what is complete, and no longer than that may take."""
    connections.end()
    late = threading.Timer(until_closed.GRACE_S + LATE_S, connections.kill)
    late.start()
    for future in as_completed(waiting):
        yield future.result()
    late.cancel()


def _on(host: str, remote: RemoteRun, say: Callable[[str, str], None], connections: _Connections) -> HostDone:
    status = _spoken([*SSH, "--", host, remote.command], lambda line: say(host, line), connections)
    remote.results.mkdir(parents=True, exist_ok=True)
    source = f"{host}:{remote.folder.rstrip('/')}/results/"
    copy = ["rsync", "-a", "--exclude=.partial", "--exclude=.lock", "-e", shlex.join(SSH), "--", source]
    fetched = _spoken([*copy, f"{remote.results}/"], lambda line: say(host, line)) == 0
    reason = None
    if status == UNREACHABLE:
        reason = "ssh cannot reach it, or lost it"
    elif not fetched:
        reason = "its records could not be fetched"
    return HostDone(host, status, fetched, reason)


def _spoken(command: list[str], say: Callable[[str], None], connections: _Connections | None = None) -> int:
    """Run a program out of reach of the terminal's Ctrl-C, and pass its lines on as they come."""
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if connections is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
        ) as process:
            if connections is not None:
                connections.add(process)
            assert process.stdout is not None
            for line in process.stdout:
                say(line.rstrip())
            return process.wait()
    except FileNotFoundError as error:
        raise PrerequisiteError(f"{command[0]} is not installed.", f"Install {command[0]}.") from error


def _path(folder: str) -> str:
    home, tilde, rest = folder.partition("~/")
    return f"~/{shlex.quote(rest)}" if tilde and not home else shlex.quote(folder)
