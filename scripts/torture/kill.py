"""Kill, stop or interrupt a run of several cases at a random moment, and resume it by the same command.

A trial checks that in the end every case is complete and was measured once, that complete records are as they
were, that no process lives 5 s after the run, and that only locks are in the temporary folder.
"""

from __future__ import annotations

import contextlib
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from bench.core.record import Record
from bench.errors import RecordError
from bench.measurement.outcome import INTERRUPTED
from bench.store import results as store
from scripts.torture.acts import ACTS, INTERRUPTS, Started
from tests.support.main_job.running import environment, finish, start

CASES = ["tiny-bloom", "--sweep", "batch=1,2,3,4,5", "--sweep", "new_tokens=24,48"]
ARGUMENTS = [*CASES, "--device", "cpu", "--resume"]
CASE_COUNT = 10
ORPHAN_S = 5.0
ENDS_S = 400.0
"""Longest time for a run to end, or to go on to its own end, after what was done to it."""
LOCKS = "joulebench-locks"
JUDGED = (0, 3)
"""Whether enough good blocks are left is up to the load of the machine that plays the trial."""

OURS = re.compile(r'File "(?:<string>|[^"]*/bench/)')
"""A line of our modules, or of a program of ours that another process was given as a text."""

FaultKind = Literal["lost", "orphans", "leaks", "words"]
"""A lost, changed or doubled case; a living process; a file left behind; a traceback or a wrong status."""


@dataclass(frozen=True)
class Trial:
    """What is done to a run, and how many seconds after its start."""

    what: str
    after_s: float

    def __str__(self) -> str:
        return f"{self.what} after {self.after_s:.2f} s"


@dataclass(frozen=True)
class Fault:
    """A broken promise."""

    kind: FaultKind
    text: str


@dataclass(frozen=True)
class Outcome:
    """What a trial lost or left behind; without faults where it kept every promise.

    `acted` is `False` where the run had ended by then, or had not yet started what was to be killed.
    """

    trial: Trial
    acted: bool
    complete_before: int
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        acted = f"{self.complete_before} complete before" if self.acted else "not acted"
        return f"{self.trial!s:44} {acted:18} {'; '.join(fault.text for fault in self.faults) or 'kept'}"


def trials(count: int, seed: int, longest_s: float, acts: Sequence[str] = tuple(ACTS)) -> list[Trial]:
    """Trials at random moments, each act in its turn; the same for the same seed."""
    chance = random.Random(seed)
    names = list(acts)
    return [Trial(names[number % len(names)], chance.uniform(0.0, longest_s)) for number in range(count)]


def play(trial: Trial, folder: Path) -> Outcome:
    """Play one trial in an empty folder."""
    results, temporary = folder / "results", folder / "tmp"
    variables = environment(pretend=True, temporary=temporary)
    with Started(ARGUMENTS, results, variables) as run:
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.process.wait(trial.after_s)
        complete_then = len(list(results.glob("*/*.json")))
        acted = run.process.poll() is None and ACTS[trial.what](run)
        try:
            first = finish(run.process, results, ENDS_S)
        except AssertionError as error:
            fault = Fault("words", f"the run did not end: {error}")
            return Outcome(trial, acted, 0, (fault, *_ended(temporary)))
    faults = [*_ended(temporary), *traced("the run", first.err)]
    faults += not_interrupted(trial.what, first.status, complete_then) if acted else []
    before = {path: path.read_bytes() for path in results.glob("*/*.json")}
    complete = sum(map(_complete, _records(results, faults)))
    second = finish(start(ARGUMENTS, results, variables), results, ENDS_S)
    if second.status not in JUDGED:
        faults.append(Fault("words", f"the resumed run ended with {second.status}: {second.err[-300:]}"))
    faults += traced("the resumed run", second.err)
    changed = [path.name for path, content in before.items() if _bytes(path) != content]
    faults += [Fault("lost", f"{name} was changed") for name in changed]
    faults += [*_left(results, temporary), *_counted(_records(results, faults))]
    return Outcome(trial, acted, complete, tuple(faults))


def not_interrupted(what: str, status: int, complete_then: int) -> Iterator[Fault]:
    """An interrupt that did not end a run with cases left: perhaps it was started deaf to it.

    A signal ends an interpreter that still starts; its status is negative.
    """
    if what in INTERRUPTS and status != INTERRUPTED and status >= 0 and complete_then < CASE_COUNT:
        yield Fault("words", f"{what} did not end the run, whose status was {status}")


def _ended(temporary: Path) -> Iterator[Fault]:
    """Wait `ORPHAN_S` for the end of all processes of a trial; the rest are killed, and are faults."""
    deadline = time.monotonic() + ORPHAN_S
    while (left := processes_of(temporary)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            command = " ".join(process.cmdline()[:5])
            process.kill()
            yield Fault("orphans", f"orphan after {ORPHAN_S:.0f} s: {command}")


def processes_of(temporary: Path) -> list[psutil.Process]:
    """Living processes of the trial, by its temporary folder in their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            zombie = process.status() == psutil.STATUS_ZOMBIE
            if not zombie and process.environ().get("TMPDIR") == str(temporary):
                found.append(process)
    return found


def traced(whose: str, printed: str) -> Iterator[Fault]:
    """A traceback with a line of ours; an interrupt of an interpreter that still starts prints its own."""
    if "Traceback" in printed and OURS.search(printed):
        yield Fault("words", f"{whose} printed a traceback: {printed[-300:]}")


def _records(results: Path, faults: list[Fault]) -> list[Record]:
    found = []
    for path in sorted(results.glob("*/*.json")):
        try:
            found.append(store.read(path))
        except RecordError as error:
            faults.append(Fault("lost", str(error)))
    return found


def _complete(record: Record) -> bool:
    """Whether a case came to its own end, or was interrupted once its target was reached, which answers it.

    One with spoilt blocks did, and has its reasons.
    """
    ended = record.ended
    if record.status not in ("ok", "invalid") or ended is None:
        return False
    reached = ended.achieved is not None and ended.achieved <= ended.target
    return ended.by != "interrupt" or (record.status == "ok" and reached)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _left(results: Path, temporary: Path) -> Iterator[Fault]:
    halves = [*results.glob("*/.partial/*"), *results.glob("*/.*.tmp")]
    leaks = [path for path in temporary.glob("joulebench-*") if path.name != LOCKS]
    for path in (*halves, *leaks):
        yield Fault("leaks", f"left behind: {path.name}")


def _counted(records: list[Record]) -> Iterator[Fault]:
    """Cases that are missing in the end, or were measured whole twice."""
    done = {record.case.hash for record in records if _complete(record)}
    whole = Counter(record.case.hash for record in records if _complete(record) and record.status == "ok")
    if len(done) != CASE_COUNT:
        yield Fault("lost", f"{CASE_COUNT - len(done)} cases are missing")
    for name, count in whole.items():
        if count > 1:
            yield Fault("lost", f"measured {count} times: {name}")
