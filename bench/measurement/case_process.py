"""Process that measures one case while others measure theirs, and its reports.

    case = CaseProcess(0, label, cards, plan, results)
    outcome = case.report_to(listener)          # None while it goes on, the outcome, or why there is none

It ends with the process that started it. A terminal's Ctrl-C reaches that one alone, which passes it on.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from bench.core.record import Record
from bench.core.secrets import masked
from bench.errors import INTERNAL_FAULT, BenchError
from bench.measurement.context import BlockDone, RunContext, RunListener
from bench.measurement.outcome import GivenUp, RunOutcome
from bench.measurement.run import run
from bench.meters.gpu import Gpu
from bench.meters.recorder import Recorder
from bench.streams import mask_streams

if TYPE_CHECKING:
    from bench.measurement.case_plan import CasePlan

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LONGEST_END_S = 10.0
"""For how long a process is waited for that has sent its outcome or was interrupted."""


class CaseProcess:
    """A case at work on its cards, in a process of its own."""

    def __init__(self, at: int, label: str, cards: tuple[Gpu, ...], plan: CasePlan, results: Path) -> None:
        self.at, self.label, self.cards = at, label, cards
        # A fresh interpreter: drivers of cards do not outlive a fork.
        spawning = get_context("spawn")
        self.connection, theirs = spawning.Pipe()
        self._process = spawning.Process(target=_measure, args=(plan, results, theirs))
        self._process.start()
        theirs.close()
        self._written: list[tuple[Record, Path | None]] = []

    def report_to(self, listener: RunListener) -> RunOutcome | GivenUp | None:
        """Pass one report on to a listener. Returns the outcome, or why there is none, at its end."""
        try:
            report = self.connection.recv()
        except (EOFError, OSError):  # also in the middle of a report
            self.end()
            if self._written:  # only its samples, and what came after its record, are lost
                return RunOutcome(records=self._written)
            return GivenUp(f"its process ended with status {self._process.exitcode}")
        if isinstance(report, RunOutcome | GivenUp):
            self.end()
            return report
        name, values = report
        if name == "case_done":
            self._written.append(values)
        getattr(listener, name)(*values)
        return None

    def interrupt(self) -> None:
        """Let it end as Ctrl-C ends a run: what is complete is kept."""
        if self._process.is_alive() and self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGINT)

    def end(self) -> None:
        """Wait for its end; it is killed where that takes too long."""
        self._process.join(LONGEST_END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.connection.close()


class _Reports:
    """A `RunListener` that sends its events to the process that started this one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, text: str) -> None:
        """One line worth knowing."""
        self._connection.send(("note", (text,)))

    def follow(self, recorder: Recorder, gpus: Sequence[Gpu]) -> None:
        """Nothing: samples stay in this process."""

    def case_begins(self, label: str, number: int, total: int) -> None:
        """Nothing: the process that started this one has said so."""

    def turn_to(self, label: str, number: int, total: int) -> None:
        """Nothing: there is one case."""

    def stage(self, text: str) -> None:
        """The stage that the case enters."""
        self._connection.send(("stage", (text,)))

    def meanwhile(self) -> None:
        """Nothing to redraw."""

    def block_done(self, done: BlockDone) -> None:
        """A measured block has ended."""
        self._connection.send(("block_done", (done,)))

    def case_done(self, record: Record, path: Path) -> None:
        """The case's last record was written."""
        self._connection.send(("case_done", (record, path)))


def _measure(plan: CasePlan, results: Path, connection: Connection) -> None:
    """Measure a plan of one case, and send its outcome or the reason for none."""
    mask_streams()
    os.setsid()  # a terminal's Ctrl-C is passed on once, by the parent
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)  # sent to all of a job; the parent passes it on as SIGINT
    signal.signal(signal.SIGINT, _interrupt_once)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)  # blocked by the parent while this process started
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        outcome: RunOutcome | GivenUp = run(plan, RunContext(results, _Reports(connection)))
    except KeyboardInterrupt:  # before the case had begun, or after its record
        outcome = RunOutcome(interrupted=True)
    except BenchError as error:
        outcome = GivenUp(masked(str(error)), error.exit_status)
    except Exception as error:  # noqa: BLE001 - the boundary: a fault of ours costs this case alone
        fault = masked(f"a fault in joulebench itself: {type(error).__name__}: {error}.")
        outcome = GivenUp(fault, INTERNAL_FAULT)
    connection.send(outcome)


def _interrupt_once(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, and ignore every later signal: what is complete is being saved."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.default_int_handler(number, frame)


def _end_with_parent() -> None:
    """End this process with the one that started it, however that ends; its worker ends with this one."""
    parent = parent_process()
    assert parent is not None, "started by another process"
    parent.join()
    os.kill(os.getpid(), signal.SIGKILL)
