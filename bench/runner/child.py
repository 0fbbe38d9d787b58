"""The parent's side of a worker: start it, ask it, and know how it ended."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import psutil

from bench.errors import EngineError
from bench.runner import worker
from bench.runner.messages import Failed, Request, Unload

Answer = TypeVar("Answer")

UNLOAD_TIMEOUT_S = 8.0
"""A worker that takes longer to free its device is killed; nothing in it is needed any more."""
TURN_S = 1.0
"""How often whoever started a worker that has not answered may do something short meanwhile."""
STOPPED_LOOK_S = 4.0
"""How often such a worker is looked at; stopped at two looks running, it is given up."""


class Child:
    """One worker process for the life of a `with` block; it never outlives the block.

    `environment` holds variables for the child alone, such as CUDA_VISIBLE_DEVICES. `meanwhile` is called
    about once a second while an answer is waited for; it must return in milliseconds and raise nothing.
    """

    def __init__(
        self, environment: Mapping[str, str], meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        self._meanwhile = meanwhile
        handle, name = tempfile.mkstemp(prefix="joulebench-worker-", suffix=".log")
        os.close(handle)
        self._log = Path(name)
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=worker.main, args=(theirs, self._log), name="joulebench-worker", daemon=True
        )
        with _environment(environment):
            self._process.start()
        theirs.close()
        self.trace: str | None = None

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid or 0

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(gently=error is None)

    def ask(self, request: Request, answer: type[Answer]) -> Answer:
        """Send a request and sleep until its answer, however long the work takes.

        Raises EngineError, also when the worker dies, or has been stopped and is not let go on.
        """
        self.begin(request)
        return self.finish(request, answer)

    def begin(self, request: Request) -> None:
        """Send a request and go on at once; `finish` takes its answer."""
        try:
            self._connection.send(request)
        except ConnectionError:
            raise self._death(request) from None

    @property
    def answered(self) -> bool:
        """Whether `finish` would return, or raise, at once."""
        return self._connection.poll()

    def finish(self, request: Request, answer: type[Answer]) -> Answer:
        """Sleep until the answer to the request begun last. Raises EngineError, as `ask` does."""
        try:
            self._wait(request)
            reply = self._connection.recv()
        except (EOFError, ConnectionError):
            raise self._death(request) from None
        if isinstance(reply, Failed):
            self.trace = reply.trace
            raise reply.error
        if not isinstance(reply, answer):
            raise TypeError(f"{type(request).__name__} was answered with {type(reply).__name__}")
        return reply

    def _wait(self, request: Request) -> None:
        looks, look_at = 0, time.monotonic() + STOPPED_LOOK_S
        while looks < 2:
            if self._connection.poll(min(TURN_S, STOPPED_LOOK_S)):
                return
            self._meanwhile()
            if time.monotonic() >= look_at:
                looks = looks + 1 if self._stopped() else 0
                look_at = time.monotonic() + STOPPED_LOOK_S
        raise EngineError(
            f"The worker process was stopped from outside while it handled {type(request).__name__}.",
            f"Find out who stopped it: it was process {self.pid} and had received SIGSTOP.",
            stage="stopped",
        )

    def _stopped(self) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        return False

    def _death(self, request: Request) -> EngineError:
        self._process.join(timeout=5.0)
        code = self._process.exitcode
        how = f"with exit status {code}"
        remedy = "Its last words are in the record, under `failure`."
        if code is not None and code < 0:
            how = f"by signal {-code} ({signal.Signals(-code).name})"
            if -code == signal.SIGKILL:
                remedy = "If nobody ended it, memory ran out: use a smaller batch, dtype or model."
        return EngineError(
            f"The worker process ended {how} while it handled {type(request).__name__}.",
            remedy,
            stage="killed",
        )

    def last_words(self, limit: int = 2000) -> str:
        """The end of what the worker and its libraries printed."""
        with contextlib.suppress(OSError):
            return self._log.read_text(encoding="utf-8", errors="replace")[-limit:]
        return ""

    def close(self, *, gently: bool) -> None:
        """End the worker: ask it to unload, or kill it where there is no time or no sense in asking."""
        if gently and self._process.is_alive():
            with contextlib.suppress(OSError):
                self._connection.send(Unload())
                self._process.join(timeout=UNLOAD_TIMEOUT_S)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._connection.close()
        self._log.unlink(missing_ok=True)


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Variables that a process started inside will inherit."""
    before = {key: os.environ.get(key) for key in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
