"""Watch that ends a load early: a dead server, failed requests, another model, a client that is too late."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from bench.core.workload import Workload
from bench.errors import EngineError
from bench.worker.serving.advice import advice
from bench.worker.serving.client import Answer, ServerClient
from bench.worker.serving.loads import CLOSED, Load
from bench.worker.serving.server_process import ServerProcess

LOOK_S, TURN_S = 0.25, 1.0
IN_ROW = 5
"""Failures one after another that end a case, or twice the load where that is more."""
LATE_S, LATE_GAPS = 1.0, 5.0
"""A client so late with a request, in seconds and in mean gaps of its rate, will not catch up."""


class Silence(NamedTuple):
    """The client whose events are listened for, and for how long none may come."""

    client: ServerClient
    longest_s: float


class LoadWatch:
    """Looks at a load four times a second, however often it is asked to."""

    def __init__(
        self,
        load: Load,
        workload: Workload,
        process: ServerProcess | None,
        models: frozenset[str],
        silence: Silence,
        meanwhile: Callable[[], object],
    ) -> None:
        self._load, self._workload, self._process = load, workload, process
        self._models, self._silence, self._meanwhile = models, silence, meanwhile
        self._begun_ns = time.monotonic_ns()
        self._look_at = self._turn_at = time.monotonic()
        self._seen = 0

    def turn(self) -> None:
        """Raise EngineError(stage="generate") where the load makes no sense any more."""
        now = time.monotonic()
        if now >= self._turn_at:
            self._turn_at = now + TURN_S
            self._meanwhile()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_S
        self._load.raise_faults()
        if self._process is not None:
            self._process.require_alive("generate")
        self._look_at_failures()
        self._look_for_silence()
        self._look_at_models()
        self._look_at_lateness()

    def _look_at_failures(self) -> None:
        failed = [a for a in self._load.answers if a.failure not in (None, CLOSED)]
        if not failed:
            return
        why = f"{failed[-1].failure}: {failed[-1].message}"
        if self._workload.kind == "saturated":
            raise EngineError(
                f"A request failed ({why}); a saturated window may have none that fails.",
                advice(failed[-1].failure),
                stage="generate",
            )
        if self._load.failures_in_row >= max(IN_ROW, 2 * (self._workload.load or 1)):
            raise EngineError(
                f"{self._load.failures_in_row} requests failed one after another ({why}).",
                advice(failed[-1].failure),
                stage="generate",
            )

    def _look_for_silence(self) -> None:
        """Requests that queue have no time of their own, so the load has one as a whole."""
        since_ns = max(self._begun_ns, self._silence.client.heard_ns)
        silent_s = (time.monotonic_ns() - since_ns) / 1e9
        if self._workload.kind == "saturated" and silent_s > self._silence.longest_s:
            waiting = len(self._load.open)
            raise EngineError(
                f"Nothing came from the server for {silent_s:.3g} s, with {waiting} requests open.",
                advice("silent"),
                stage="generate",
            )

    def _look_at_models(self) -> None:
        for answer in self._load.answers[self._seen :]:
            if self._models and not answer.models <= self._models:
                now, before = ", ".join(sorted(answer.models)), ", ".join(sorted(self._models))
                raise EngineError(
                    f"The server answered as model {now}, and as {before} when the case began.",
                    "Give the case a server that keeps its model.",
                    stage="generate",
                )
        ended = [a.end_ns is not None for a in self._load.answers[self._seen :]]
        self._seen += ended.index(False) if False in ended else len(ended)

    def _look_at_lateness(self) -> None:
        last: Answer | None = self._load.answers[-1] if self._load.answers else None
        if last is None or last.due_ns is None:
            return
        late_s, gap_s = (last.sent_ns - last.due_ns) / 1e9, 1 / (self._workload.load or 1)
        if late_s > max(LATE_S, LATE_GAPS * gap_s):
            raise EngineError(
                f"The client sends requests {late_s:.1f} s late: it cannot keep {1 / gap_s:g} a second.",
                "Ask for a lower rate, or leave the processor to the client.",
                stage="generate",
            )
