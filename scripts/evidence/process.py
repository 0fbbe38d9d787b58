"""Runs the process of one part: its output goes into files as it comes, and it ends at its time limit.

    ended = run(command, environment, Path("logs/sensor"), limit_s=120)   # logs/sensor.stdout, .stderr
    ended.exit_status, ended.in_time

At the limit it gets the signal of Ctrl-C, which ends a `bench run` with its record kept, then SIGTERM, then
SIGKILL.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import RecordError

ROOT = Path(__file__).resolve().parents[2]
GRACE_S = {signal.SIGINT: 25.0, signal.SIGTERM: 5.0, signal.SIGKILL: 5.0}
"""Seconds a part gets to end after each signal."""


@dataclass(frozen=True)
class Ended:
    """How a process ended. `exit_status` is `None` where not even SIGKILL ended it."""

    exit_status: int | None
    in_time: bool
    stdout: str
    stderr: str


def run(command: Sequence[str], environment: Mapping[str, str], log: Path, limit_s: float) -> Ended:
    """Run a command to its end or its limit. Raises RecordError, and KeyboardInterrupt once it has ended."""
    out, err = (log.with_name(f"{log.name}.{kind}") for kind in ("stdout", "stderr"))
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with out.open("wb") as out_file, err.open("wb") as err_file, _children_heed_interrupts():
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                # A group, so that a part is ended with all its processes; not a session of its own, which
                # would outlive a command that is ended from outside.
                process_group=0,
            )
    except OSError as error:
        raise RecordError(f"{error.filename}: {error.strerror}.", "Name another --work DIR.") from error
    in_time = True
    try:
        process.wait(max(1.0, limit_s))
    except subprocess.TimeoutExpired:
        in_time = False
        _end(process)
    except KeyboardInterrupt:
        _end(process)
        raise
    return Ended(process.returncode, in_time, _text(out), _text(err))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    signals: dict[signal.Signals, Callable[[int, int], None]] = {
        signal.SIGINT: os.killpg,
        signal.SIGTERM: os.kill,
        signal.SIGKILL: os.killpg,
    }
    for number, send in signals.items():
        with contextlib.suppress(ProcessLookupError):
            send(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S[number])
            return


@contextlib.contextmanager
def _children_heed_interrupts() -> Iterator[None]:
    """Let a child begin with SIGINT not ignored, also where this process was begun by nohup or with `&`.

    An ignored signal stays ignored across exec; one with a handler gets its default back.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
