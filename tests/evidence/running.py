"""Does the parts that are left, one process a part, until the time is over.

A part is begun only where its estimate fits. At the deadline it gets the signal of a Ctrl-C, which ends a run
with its partial record kept; nothing that it had measured is lost, and it is begun anew the next time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from bench.errors import UsageError
from bench.records.store import write_atomically
from bench.report.numbers import duration
from bench.runner import provenance
from tests.evidence import state as states
from tests.evidence.parts import BENCH, Part
from tests.evidence.state import RESULTS, State, Try

ROOT = Path(__file__).resolve().parents[2]
GRACE_S = 25.0
"""What a run gets to end after the signal, before it is killed."""
SAID_CHARS = 600
OUTCOMES = {0: "done", 3: "inconclusive", 130: "interrupted"}
"""By exit status; any other is `failed`. Inconclusive is a result: a record with a wide interval."""


@dataclass(frozen=True)
class Machine:
    """How parts are run here: for which cards, with what arguments, modules and variables."""

    cards: Sequence[str] = ()
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    rehearsed: bool = False

    def command(self, part: Part, work: Path) -> list[str]:
        """The command line of one part."""
        where = ("--results", str(work / RESULTS), *self.cards, *self.extra.get(part.verb, ()))
        return [sys.executable, "-m", *self.module(part), *part.arguments, *where]

    def module(self, part: Part) -> tuple[str, ...]:
        """The module that has the part's verb; a probe's is started by the rehearsal's own."""
        if part.module != BENCH:
            return ("tests.evidence.rehearsed", part.verb) if self.rehearsed else (part.module,)
        return (self.modules.get(part.verb, part.module),)


def run(parts: Sequence[Part], work: Path, machine: Machine, seconds: float, say: TextIO) -> int:
    """Do what is left and fits into `seconds`; the exit status of it all. Raises KeyboardInterrupt."""
    deadline_s = time.monotonic() + seconds
    state, skipped = _state(work, machine), 0
    for part in parts:
        left_s = deadline_s - time.monotonic()
        if not state.open(part):
            if part.vital and state.parts[part.name].status == "failed":
                break
            continue
        if state.expected_s(part) > left_s:
            skipped += 1
            continue
        print(f"{part.name}: {part.about}, about {duration(state.expected_s(part))}", file=say, flush=True)
        tried = _attempt(part, state, work, machine, deadline_s)
        print(f"  {tried.status} after {duration(tried.seconds)}", file=say, flush=True)
        for line in tried.said.splitlines()[-3:]:
            print(f"  {line}", file=say, flush=True)
        if part.vital and tried.status == "failed":
            print("  Nothing after it would make sense.", file=say, flush=True)
            break
    failed = [name for name, each in state.parts.items() if each.status == "failed"]
    print(_left(parts, state, skipped), file=say, flush=True)
    return 1 if failed else 0


def _state(work: Path, machine: Machine) -> State:
    """What is done. Raises UsageError where a rehearsal and measurements would share a folder."""
    state = states.load(work)
    if state.parts and state.rehearsed != machine.rehearsed:
        held = "a rehearsal" if state.rehearsed else "measurements"
        raise UsageError(f"{work} holds {held} already.", "Name another --work DIR.")
    state.rehearsed = machine.rehearsed
    return state


def _left(parts: Iterable[Part], state: State, skipped: int) -> str:
    still = [part for part in parts if state.open(part)]
    if not still:
        return "Every part is done."
    seconds = sum(state.expected_s(part) for part in still)
    why = ", did not fit into the time left" if skipped else ""
    parts_left = "1 part is" if len(still) == 1 else f"{len(still)} parts are"
    return f"{parts_left} left, about {duration(seconds)}{why}: the same command goes on from here."


def _attempt(part: Part, state: State, work: Path, machine: Machine, deadline_s: float) -> Try:
    """One part, its outcome kept before and after, so that a killed machine counts as a try."""
    known = state.parts.get(part.name)
    tried = Try(status="begun", tries=known.tries + 1 if known else 1, began=provenance.now_utc())
    state.parts[part.name] = tried
    states.save(work, state)
    before = _records(work)
    begun_s = time.monotonic()
    try:
        _finish(tried, part, work, machine, deadline_s)
    finally:
        tried.seconds = time.monotonic() - begun_s
        tried.records = sorted(_records(work) - before) if part.measures else []
        if tried.status == "begun":
            tried.status = "interrupted"
        states.save(work, state)
    return tried


def _finish(tried: Try, part: Part, work: Path, machine: Machine, deadline_s: float) -> None:
    """Run the part's process to its end, to the deadline, or to an interrupt, which it is handed on."""
    process = subprocess.Popen(
        machine.command(part, work),
        cwd=ROOT,
        env=os.environ | dict(machine.variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=max(1.0, deadline_s - time.monotonic()))
    except subprocess.TimeoutExpired:
        out, err = _ended(process)
        tried.status = "interrupted"
    except KeyboardInterrupt:
        _ended(process)
        raise
    else:
        tried.status = OUTCOMES.get(process.returncode, "failed")  # type: ignore[assignment]
    tried.exit_status = process.returncode
    logs = work / "logs"
    logs.mkdir(exist_ok=True)
    write_atomically(logs / f"{part.name}.txt", f"{out}\n-- stderr --\n{err}")
    if tried.status in ("done", "inconclusive"):
        if part.keep:
            write_atomically(work / part.keep, out)
    else:
        tried.said = err.strip()[-SAID_CHARS:]


def _ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """End a part as a Ctrl-C does, and by force where that takes too long."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=GRACE_S)
    return "", "It could not be ended."


def _records(work: Path) -> set[str]:
    """Records so far, as paths below `results/`."""
    results = work / RESULTS
    return {str(path.relative_to(results)) for path in results.glob("*/*.json")}
