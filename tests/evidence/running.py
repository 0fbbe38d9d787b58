"""Does the parts that are left, one process a part, until the time is over.

A part is begun only where its estimate fits. At the deadline it gets the signal of a Ctrl-C, which ends a run
with its record kept; nothing that it had measured is lost. After every part what is done is packed, so that a
command that is killed leaves all but the part in hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TextIO

from bench.errors import PrerequisiteError, RecordError, UsageError
from bench.records import store
from bench.records.store import write_atomically
from bench.report.numbers import duration
from bench.runner import provenance
from tests.evidence import state as states
from tests.evidence.card import Card
from tests.evidence.parts import BENCH, Part
from tests.evidence.state import RESULTS, CardState, State, Try

ROOT = Path(__file__).resolve().parents[2]
GRACE_S = 25.0
"""What a run gets to end after the signal, before it is killed."""
SAID_CHARS = 600
Status = Literal["done", "inconclusive", "failed", "interrupted"]
OUTCOMES: dict[int, Status] = {0: "done", 3: "inconclusive", 130: "interrupted"}
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

    def card(self) -> Card:
        """The card that parts will run on. Raises PrerequisiteError where there is none."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.evidence.card", *self.cards],
            cwd=ROOT,
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"It ended with status {done.returncode}."]
            raise PrerequisiteError(
                lines[-1].removeprefix("Error: "),
                "scripts/gpu-evidence rehearse --out DIR goes through every part without one.",
            )
        return Card(**json.loads(done.stdout))


class Runner:
    """Does parts on one card; `pack` is called after each."""

    def __init__(
        self, work: Path, machine: Machine, card: Card, say: TextIO, pack: Callable[[], object]
    ) -> None:
        self._work, self._machine, self._key, self._out, self._pack = work, machine, card.key, say, pack
        self._state = _state(work, machine)
        self._card = self._state.cards.setdefault(
            card.key, CardState(name=card.name, memory_gb=card.memory_gb)
        )

    def run(self, parts: Sequence[Part], deadline_s: float) -> int:
        """Do what is left and fits before `deadline_s` (monotonic); 1 where a part failed, else 0.

        Raises KeyboardInterrupt.
        """
        tried: list[str] = []
        for part in parts:
            if self._card.open(part) and self._fits(part, deadline_s):
                self._say(f"{part.name}: {part.about}, about {duration(self._card.expected_s(part))}")
                tried.append(part.name)
                self._attempt(part, deadline_s)
            if part.vital and self._failed(part.name):
                self._say("  Nothing after it would make sense.")
                break
        self._say(self.left(parts))
        return 1 if any(self._failed(name) for name in tried) else 0

    def left(self, parts: Iterable[Part]) -> str:
        """What is still to be done, and what comes next."""
        still = [part for part in parts if self._card.open(part)]
        given_up = [part.name for part in parts if self._failed(part.name) and not self._card.open(part)]
        words = [f"Given up after {states.TRIES} tries: {', '.join(given_up)}."] if given_up else []
        if not still:
            return " ".join(["Every part is done." if not given_up else "No part is left.", *words])
        seconds = sum(self._card.expected_s(part) for part in still)
        count = "1 part is" if len(still) == 1 else f"{len(still)} parts are"
        first = f"next comes {still[0].name}, about {duration(self._card.expected_s(still[0]))}"
        goes_on = f"{count} left, about {duration(seconds)}; {first}. The same command goes on from here."
        return " ".join([goes_on, *words])

    def _fits(self, part: Part, deadline_s: float) -> bool:
        return self._card.expected_s(part) <= deadline_s - time.monotonic()

    def _failed(self, name: str) -> bool:
        known = self._card.parts.get(name)
        return known is not None and known.status == "failed"

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def _attempt(self, part: Part, deadline_s: float) -> None:
        """One part, its outcome kept before and after, so that a killed machine counts as a try."""
        known = self._card.parts.get(part.name)
        tried = Try(
            status="begun",
            tries=known.tries + 1 if known else 1,
            began=provenance.now_utc(),
            estimate_s=part.seconds,
        )
        self._card.parts[part.name] = tried
        states.save(self._work, self._state)
        before = _records(self._work)
        begun_s = time.monotonic()
        try:
            self._finish(tried, part, deadline_s)
        finally:
            tried.seconds = time.monotonic() - begun_s
            tried.records = sorted(_records(self._work) - before) if part.measures else []
            if tried.status == "begun":
                tried.status = "interrupted"
            if part.measures:
                _judge(tried, self._work)
            states.save(self._work, self._state)
            self._pack()
        self._say(f"  {tried.status} after {duration(tried.seconds)}")
        for line in tried.said.splitlines()[-3:]:
            self._say(f"  {line}")

    def _finish(self, tried: Try, part: Part, deadline_s: float) -> None:
        """Run the part's process to its end, to the deadline, or to an interrupt, which it is handed on."""
        process = subprocess.Popen(
            self._machine.command(part, self._work),
            cwd=ROOT,
            env={**os.environ, **self._machine.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            # A group, so that a part is ended with all its processes; not a session of its own, which would
            # outlive a command that is ended from outside.
            process_group=0,
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
            tried.status = OUTCOMES.get(process.returncode, "failed")
        tried.exit_status = process.returncode
        folder = states.folder_of(self._work, self._key)
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "logs" / f"{part.name}.txt", f"{out}\n-- stderr --\n{err}")
        if part.keep and tried.status in ("done", "inconclusive"):
            write_atomically(folder / part.keep, out)
        if tried.status != "done":
            tried.said = err.strip()[-SAID_CHARS:]


def _judge(tried: Try, work: Path) -> None:
    """By its records: a part with an invalid one failed, and one that was cut short may have a good one."""
    reasons, statuses, reached = [], [], []
    for name in tried.records:
        try:
            record = store.read(work / RESULTS / name)
        except RecordError as error:
            reasons.append(str(error))
            statuses.append("failed")
            continue
        statuses.append(record.status)
        reached.append(record.reached_target)
        reasons += [] if record.status == "ok" else [f"{record.label}: {record.why}"]
    if reasons:
        tried.status = "failed" if tried.status != "interrupted" else tried.status
        tried.said = "\n".join(reasons)[-SAID_CHARS:]
    elif statuses and tried.status == "interrupted":
        tried.status = "done" if all(reached) else "inconclusive"


def _state(work: Path, machine: Machine) -> State:
    """What is done. Raises UsageError where a rehearsal and measurements would share a folder."""
    state = states.load(work)
    if state.cards and state.rehearsed != machine.rehearsed:
        held = "a rehearsal" if state.rehearsed else "measurements"
        raise UsageError(f"{work} holds {held} already.", "Name another --work DIR.")
    state.rehearsed = machine.rehearsed
    return state


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
