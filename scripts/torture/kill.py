"""Kill, stop or interrupt a run of several cases at a random moment, and resume it by the same command.

A trial checks that in the end every case is complete and was measured once, that complete records are as they
were, that no process lives 5 s after the run, and that only locks are in the temporary folder.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.core.record import Record
from bench.errors import RecordError
from bench.store import results as store
from tests.support.main_job.running import environment, finish, start

CASES = ["tiny-bloom", "--sweep", "batch=1,2,3", "--sweep", "new_tokens=24,48"]
ARGUMENTS = [*CASES, "--device", "cpu", "--resume"]
CASE_COUNT = 6
ORPHAN_S = 5.0
ENDS_S = 400.0
"""Longest time for a run to end, or to go on to its own end, after what was done to it."""
LOCKS = "joulebench-locks"
JUDGED = (0, 3)
"""Whether enough good blocks are left is up to the load of the machine that plays the trial."""


@dataclass(frozen=True)
class Trial:
    """What is done to a run, and how many seconds after its start."""

    what: str
    after_s: float

    def __str__(self) -> str:
        return f"{self.what} after {self.after_s:.2f} s"


@dataclass(frozen=True)
class Outcome:
    """What a trial lost or left behind; empty where it kept every promise."""

    trial: Trial
    complete_before: int
    faults: tuple[str, ...]


def _child(parent: psutil.Process, file: str) -> psutil.Process | None:
    """The child that has a file of this name open; `None` where there is none at this moment."""
    for child in parent.children():
        with contextlib.suppress(psutil.Error):
            if any(file in opened.path for opened in child.open_files()):
                return child
    return None


def _kill_child(file: str) -> Callable[[psutil.Process], None]:
    def act(parent: psutil.Process) -> None:
        if (child := _child(parent, file)) is not None:
            child.kill()

    return act


def _kill_all(parent: psutil.Process) -> None:
    for process in (parent, *parent.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _pause(parent: psutil.Process) -> None:
    os.killpg(parent.pid, signal.SIGSTOP)
    time.sleep(2.0)
    os.killpg(parent.pid, signal.SIGCONT)


def _interrupt_twice(parent: psutil.Process) -> None:
    os.killpg(parent.pid, signal.SIGINT)
    time.sleep(0.3)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(parent.pid, signal.SIGINT)


def _signal_group(number: signal.Signals) -> Callable[[psutil.Process], None]:
    return lambda parent: os.killpg(parent.pid, number)


ACTS: dict[str, Callable[[psutil.Process], None]] = {
    "SIGKILL of the worker": _kill_child("joulebench-worker-"),
    "SIGKILL of the recorder": _kill_child("samples.bin"),
    "SIGKILL of the parent": lambda parent: parent.kill(),
    "SIGKILL of all": _kill_all,
    "SIGSTOP, SIGCONT": _pause,
    "SIGTERM": _signal_group(signal.SIGTERM),
    "Ctrl-C twice": _interrupt_twice,
    "loss of the terminal": _signal_group(signal.SIGHUP),
}


def trials(count: int, seed: int, longest_s: float) -> list[Trial]:
    """Trials at random moments, each act in its turn; the same for the same seed."""
    chance = random.Random(seed)
    names = list(ACTS)
    return [Trial(names[number % len(names)], chance.uniform(0.0, longest_s)) for number in range(count)]


def play(trial: Trial, folder: Path) -> Outcome:
    """Play one trial in an empty folder."""
    results, temporary = folder / "results", folder / "tmp"
    variables = environment(pretend=True, temporary=temporary)
    process = start(ARGUMENTS, results, variables)
    faults = []
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(trial.after_s)
    if process.poll() is None:
        ACTS[trial.what](psutil.Process(process.pid))
    try:
        first = finish(process, results, ENDS_S)
    except AssertionError as error:
        return Outcome(trial, 0, (f"the run did not end: {error}", *_ended(temporary)))
    faults += _ended(temporary) + _traced("the run", first.err)
    before = {path: path.read_bytes() for path in results.glob("*/*.json")}
    complete = sum(map(_complete, _records(results, faults)))
    second = finish(start(ARGUMENTS, results, variables), results, ENDS_S)
    if second.status not in JUDGED:
        faults.append(f"the resumed run ended with {second.status}: {second.err[-300:]}")
    faults += _traced("the resumed run", second.err)
    faults += [f"{path.name} was changed" for path, text in before.items() if _bytes(path) != text]
    faults += _left(results, temporary) + _counted(_records(results, faults))
    return Outcome(trial, complete, tuple(faults))


def _ended(temporary: Path) -> list[str]:
    """Wait `ORPHAN_S` for the end of all processes of a trial; the rest are killed, and are faults."""
    deadline = time.monotonic() + ORPHAN_S
    while (left := processes_of(temporary)) and time.monotonic() < deadline:
        time.sleep(0.1)
    faults = [f"orphan after {ORPHAN_S:.0f} s: {' '.join(process.cmdline()[:5])}" for process in left]
    for process in left:
        process.kill()
    return faults


def processes_of(temporary: Path) -> list[psutil.Process]:
    """Living processes of the trial, by its temporary folder in their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            zombie = process.status() == psutil.STATUS_ZOMBIE
            if not zombie and process.environ().get("TMPDIR") == str(temporary):
                found.append(process)
    return found


def _traced(whose: str, printed: str) -> list[str]:
    return [f"{whose} printed a traceback: {printed[-300:]}"] if "Traceback" in printed else []


def _records(results: Path, faults: list[str]) -> list[Record]:
    found = []
    for path in sorted(results.glob("*/*.json")):
        try:
            found.append(store.read(path))
        except RecordError as error:
            faults.append(str(error))
    return found


def _complete(record: Record) -> bool:
    """Whether a case came to its own end. One with spoilt blocks did, and has its reasons."""
    interrupted = record.ended is not None and record.ended.by == "interrupt"
    return record.status in ("ok", "invalid") and not interrupted


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _left(results: Path, temporary: Path) -> list[str]:
    halves = [*results.glob("*/.partial/*"), *results.glob("*/.*.tmp")]
    leaks = [path for path in temporary.glob("joulebench-*") if path.name != LOCKS]
    return [f"left behind: {path.name}" for path in (*halves, *leaks)]


def _counted(records: list[Record]) -> list[str]:
    """Cases that are missing in the end, or were measured whole twice."""
    done = {record.case.hash for record in records if _complete(record)}
    whole = Counter(record.case.hash for record in records if _complete(record) and record.status == "ok")
    missing = [f"{CASE_COUNT - len(done)} cases are missing"] if len(done) != CASE_COUNT else []
    return missing + [f"measured {count} times: {name}" for name, count in whole.items() if count > 1]
