"""What a trial does to a run: signals to its processes, and the loss of its terminal.

Each act answers whether it befell the run: a process that has not started yet, or has ended, cannot
be killed.
"""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

import psutil

from tests.support.main_job.running import start

PAUSED_S, SECOND_INTERRUPT_S = 2.0, 0.3


class Started:
    """A run on a terminal of its own, for the life of a `with` block."""

    def __init__(self, arguments: list[str], results: Path, variables: Mapping[str, str]) -> None:
        self._terminal: int | None
        self._terminal, theirs = pty.openpty()
        try:
            self.process = start(arguments, results, variables, terminal=theirs)
        finally:
            os.close(theirs)

    def __enter__(self) -> Started:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        """Close the terminal: the system sends SIGHUP."""
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None

    def child(self, file: str) -> psutil.Process | None:
        """The child that has a file of this name open; `None` where there is none at this moment."""
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if any(file in opened.path for opened in child.open_files()):
                    return child
        return None


Act = Callable[[Started], bool]


def _kill_child(file: str) -> Act:
    def act(run: Started) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            if (child := run.child(file)) is not None:
                child.kill()
                return True
        return False

    return act


def _kill_parent(run: Started) -> bool:
    run.process.kill()
    return True


def _kill_all(run: Started) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(run.process.pid)
        for process in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        return True
    return False


def _signal_group(*numbers: signal.Signals, pause_s: float = 0.0) -> Act:
    """Signals to the process group, as a terminal sends them, one after the other."""

    def act(run: Started) -> bool:
        reached = False
        with contextlib.suppress(ProcessLookupError):
            for number in numbers:
                os.killpg(run.process.pid, number)
                reached = True
                time.sleep(pause_s)
        return reached

    return act


def _hang_up(run: Started) -> bool:
    run.hang_up()
    return True


INTERRUPTS = ("SIGTERM", "Ctrl-C twice", "loss of the terminal")
"""Acts after which a run goes on with no further case."""
ACTS: dict[str, Act] = {
    "SIGKILL of the worker": _kill_child("joulebench-worker-"),
    "SIGKILL of the recorder": _kill_child("samples.bin"),
    "SIGKILL of the parent": _kill_parent,
    "SIGKILL of all": _kill_all,
    "SIGSTOP, SIGCONT": _signal_group(signal.SIGSTOP, signal.SIGCONT, pause_s=PAUSED_S),
    "SIGTERM": _signal_group(signal.SIGTERM),
    "Ctrl-C twice": _signal_group(signal.SIGINT, signal.SIGINT, pause_s=SECOND_INTERRUPT_S),
    "loss of the terminal": _hang_up,
}
