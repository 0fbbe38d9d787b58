"""Runs the parts that are left, one process a part, until the time is over.

A part is begun only where its estimate fits. At the deadline, or after `LIMIT` times its estimate, it is
ended as by Ctrl-C, so that a run keeps its record. After every part the work is packed, so that a command
that is killed leaves all but the part in hand, and of that the blocks it had measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TextIO

from bench.errors import PrerequisiteError, UsageError
from bench.machine import provenance
from bench.store.results import write_atomically
from bench.view.numbers import duration
from scripts.evidence import outcomes, process
from scripts.evidence import state as states
from scripts.evidence.card import CardInUse
from scripts.evidence.parts import BENCH, Part, call_minutes
from scripts.evidence.process import ROOT, Ended
from scripts.evidence.state import CardState, State, Try

LIMIT = 3.0
"""Times its estimate after which a part is ended: one that hangs must not take the time of all others."""
LEAST_LIMIT_S = 120.0
"""Cold imports of PyTorch take up to a minute of a part that is estimated at 20 s."""
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
        where = ("--results", str(work / part.results), *self.cards, *self.extra.get(part.verb, ()))
        return [sys.executable, "-m", *self.module(part), *part.arguments, *where]

    def module(self, part: Part) -> tuple[str, ...]:
        """The module that has the part's verb; a probe's is started by the rehearsal's own."""
        if part.module != BENCH:
            return ("scripts.evidence.rehearsed", part.verb) if self.rehearsed else (part.module,)
        return (self.modules.get(part.verb, part.module),)

    def card(self) -> CardInUse:
        """The card that parts will run on. Raises PrerequisiteError where there is none."""
        done = subprocess.run(
            [sys.executable, "-m", "scripts.evidence.card", *self.cards],
            cwd=ROOT,
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"It ended with status {done.returncode}."]
            raise PrerequisiteError(lines[-1].removeprefix("Error: "))
        return CardInUse(**json.loads(done.stdout))


class Runner:
    """Runs parts on one card; `pack` is called after each."""

    def __init__(
        self, work: Path, machine: Machine, card: CardInUse, say: TextIO, pack: Callable[[], object]
    ) -> None:
        self._work, self._machine, self._key, self._out, self._pack = work, machine, card.key, say, pack
        self._state = _state(work, machine)
        self._card = self._state.cards.setdefault(
            card.key, CardState(name=card.name, memory_gb=card.memory_gb)
        )

    def run(self, parts: Sequence[Part], deadline_s: float) -> int:
        """Run what is left and fits before `deadline_s` (monotonic); 1 where a part failed, else 0.

        Raises KeyboardInterrupt, and BenchError where the folder of work cannot be used.
        """
        call_s = deadline_s - time.monotonic()
        tried: list[str] = []
        for part in parts:
            self._recover()
            if self._card.open(part) and self._fits(part, deadline_s):
                self._say(f"{part.name}: {part.about}, about {duration(self._card.expected_s(part))}")
                tried.append(part.name)
                self._attempt(part, deadline_s)
            if part.vital and not self._done(part.name):
                self._say(f"  {part.name} is not done, and every other part needs it.")
                break
        self._recover()
        self._say(self.left(parts, call_s))
        return 1 if any(self._failed(name) for name in tried) else 0

    def left(self, parts: Iterable[Part], call_s: float) -> str:
        """What is still to be done, what comes next, and whether a call of this length can do it."""
        asked = list(parts)
        still = [part for part in asked if self._card.open(part)]
        given_up = [part.name for part in asked if self._failed(part.name) and not self._card.open(part)]
        words = [f"Given up after {states.TRIES} tries: {', '.join(given_up)}."] if given_up else []
        if not still:
            return " ".join(["Every part is done." if not given_up else "No part is left.", *words])
        seconds = sum(self._card.expected_s(part) for part in still)
        count = "1 part is" if len(still) == 1 else f"{len(still)} parts are"
        first = f"next comes {still[0].name}, about {duration(self._card.expected_s(still[0]))}"
        return " ".join(
            [f"{count} left, about {duration(seconds)}; {first}.", self._way_on(still, call_s), *words]
        )

    def _way_on(self, still: Sequence[Part], call_s: float) -> str:
        """Whether the same command can go on; where every part is too long for it, the minutes of one."""
        shortest = min(still, key=self._card.expected_s)
        needed_s = self._card.expected_s(shortest)
        if needed_s <= call_s:
            return "The same command goes on from here."
        return f"{shortest.name} needs --minutes {call_minutes(needed_s)}."

    def _fits(self, part: Part, deadline_s: float) -> bool:
        return self._card.expected_s(part) <= deadline_s - time.monotonic()

    def _done(self, name: str) -> bool:
        before = self._card.parts.get(name)
        return before is not None and before.status in ("done", "inconclusive")

    def _failed(self, name: str) -> bool:
        before = self._card.parts.get(name)
        return before is not None and before.status == "failed"

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def _recover(self) -> None:
        """Take in what killed runs had measured, so that no later part's records are mixed with theirs."""
        recovered = outcomes.recover(self._work, self._state)
        for name, tried in recovered.items():
            few = "too few valid blocks before it was killed" if tried.status == "interrupted" else ""
            self._say(f"{name}: {few or f'killed after enough valid blocks: {tried.status}'}")
        if recovered:
            states.save(self._work, self._state)
            self._pack()

    def _attempt(self, part: Part, deadline_s: float) -> None:
        """One part, its outcome kept before and after, so that a killed machine counts as a try."""
        before = self._card.parts.get(part.name)
        tried = Try(
            status="begun",
            tries=before.tries + 1 if before else 1,
            began=provenance.now_utc(),
            estimate_s=part.seconds,
        )
        self._card.parts[part.name] = tried
        states.save(self._work, self._state)
        folder = self._work / part.results
        older = outcomes.records_in(folder)
        begun_s = time.monotonic()
        try:
            self._finish(tried, part, deadline_s)
        finally:
            tried.seconds = time.monotonic() - begun_s
            if tried.status == "begun":
                tried.status = "interrupted"
            if part.measures:
                tried.records = sorted(outcomes.records_in(folder) - older)
                outcomes.judge(tried, folder)
            states.save(self._work, self._state)
            self._pack()
        self._say(f"  {tried.status} after {duration(tried.seconds)}")
        for line in tried.last_output.splitlines()[-3:]:
            self._say(f"  {line}")

    def _finish(self, tried: Try, part: Part, deadline_s: float) -> None:
        """Run the part's process to its end, to its limit, or to an interrupt, which it is handed on."""
        folder = states.folder_of(self._work, self._key)
        left_s = deadline_s - time.monotonic()
        limit_s = max(LEAST_LIMIT_S, LIMIT * part.seconds)
        ended = process.run(
            self._machine.command(part, self._work),
            {**os.environ, **self._machine.variables},
            folder / "logs" / part.name,
            min(left_s, limit_s),
        )
        tried.exit_status = ended.exit_status
        tried.status = _status(ended)
        if part.keep and tried.status in ("done", "inconclusive"):
            write_atomically(folder / part.keep, ended.stdout)
        if tried.status != "done":
            tried.last_output = ended.stderr.strip()[-outcomes.OUTPUT_CHARS :]
        if not ended.in_time:
            reason = f"ended at its limit of {duration(min(left_s, limit_s))}"
            tried.last_output = "\n".join(filter(None, [tried.last_output, reason]))


def _status(ended: Ended) -> Status:
    if not ended.in_time or ended.exit_status is None:
        return "interrupted"
    return OUTCOMES.get(ended.exit_status, "failed")


def _state(work: Path, machine: Machine) -> State:
    """What is done. Raises UsageError where a rehearsal and measurements would share a folder."""
    state = states.load(work)
    if state.cards and state.rehearsed != machine.rehearsed:
        kind = "a rehearsal" if state.rehearsed else "measurements"
        raise UsageError(f"{work} has {kind} already.", "Name another --work DIR.")
    state.rehearsed = machine.rehearsed
    return state
