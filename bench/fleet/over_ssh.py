"""A suite on several machines over ssh, side by side, and their records fetched by rsync: `bench fleet ssh`.

    for done in measure(RemoteRun(hosts=("a", "b"), ...), say): done.host, done.status, done.fetched

Each machine has a checkout of its own and runs `bench run`. What is complete is fetched also from a machine
that failed; the same command goes on, because each machine skips what it has measured.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from bench.errors import PrerequisiteError

SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=30", "-o", "ServerAliveCountMax=4")
"""No question is asked, and a machine that is gone is known within two minutes."""
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
    options: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command for a machine's shell."""
        words = [self.python, "-m", "bench", "run", *self.suite, "--resume", *self.options]
        # The login shell expands a folder such as ~/joulebench, which a quoted one would not be.
        return f"cd {_path(self.folder)} && exec {shlex.join(words)}"


@dataclass(frozen=True)
class HostDone:
    """What became of a machine: status of its run and of the fetching, in words where it failed."""

    host: str
    status: int
    fetched: bool
    reason: str | None = None


def measure(remote: RemoteRun, say: Callable[[str, str], None]) -> Iterator[HostDone]:
    """Run on every machine; `say(host, line)` gets each line of output. Raises PrerequisiteError."""
    with ThreadPoolExecutor(len(remote.hosts)) as pool:
        waiting = [pool.submit(_on, host, remote, say) for host in remote.hosts]
        for future in as_completed(waiting):
            yield future.result()


def _on(host: str, remote: RemoteRun, say: Callable[[str, str], None]) -> HostDone:
    status = _spoken([*SSH, "--", host, remote.command], lambda line: say(host, line))
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


def _spoken(command: list[str], say: Callable[[str], None]) -> int:
    """Run a program, and pass its lines on as they come."""
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                say(line.rstrip())
            return process.wait()
    except FileNotFoundError as error:
        raise PrerequisiteError(f"{command[0]} is not installed.", f"Install {command[0]}.") from error


def _path(folder: str) -> str:
    home, tilde, rest = folder.partition("~/")
    return f"~/{shlex.quote(rest)}" if tilde and not home else shlex.quote(folder)
