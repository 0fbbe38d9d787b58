"""Several workers that are asked at the same time, from one thread: it sleeps until one of them has answered.

at_once = WorkersAtOnce(workers, meanwhile)
first, second = at_once.ask({0: Generate(0, 5), 1: Generate(5, 5)}, Generated)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait

from bench.errors import EngineError
from bench.worker import process
from bench.worker.messages import Request
from bench.worker.process import Answer, AnswerWatch, WorkerProcess


class WorkersAtOnce:
    """Workers of which each gives an answer.

    The first fault ends the wait: what the others still do is of no use without it. It is named by the place
    of its worker, which `failed` has then.
    """

    def __init__(self, workers: Sequence[WorkerProcess], meanwhile: Callable[[], object]) -> None:
        self._workers = workers
        self._meanwhile = meanwhile
        self.failed: WorkerProcess | None = None

    def ask(self, requests: Mapping[int, Request], answer: type[Answer]) -> list[Answer]:
        """The answers to requests by the place of their worker, in that order. Raises EngineError."""
        for at, request in requests.items():
            with self._named(at):
                self._workers[at].begin(request)
        found: dict[int, Answer] = {}
        watches = {at: AnswerWatch(self._workers[at].pid, request) for at, request in requests.items()}
        while left := [at for at in requests if at not in found]:
            ready = wait([self._workers[at].connection for at in left], process.TURN_S)
            for at in left:
                with self._named(at):
                    if self._workers[at].answered:
                        found[at] = self._workers[at].finish(requests[at], answer)
                    else:
                        watches[at].look()
            if not ready:
                self._meanwhile()
        return [found[at] for at in requests]

    @contextmanager
    def _named(self, at: int) -> Iterator[None]:
        try:
            yield
        except EngineError as error:
            self.failed = self._workers[at]
            error.message = f"Replica {at + 1} of {len(self._workers)}: {error.message}"
            raise
