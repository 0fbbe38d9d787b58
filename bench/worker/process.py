"""Parent's side of a worker: starts it, sends requests, and reports how it ended.

    with WorkerProcess(environment) as child:
        ready = child.ask(LoadModel(spec, prompts), LoadedModel)    # sleeps until the answer
        child.begin(request)                                        # or goes on meanwhile,
        made = child.finish(request, Generated)                     # and takes the answer later

The parent sleeps while the worker works, because its CPU time would be in the figure. A worker that is killed
or stopped, or ends by itself, becomes an EngineError with the cause.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import psutil

from bench.core.temporary import WORKER_LOG, owned_file
from bench.errors import EngineError
from bench.machine.worker_environment import DEFAULTS
from bench.worker import start
from bench.worker.deadline import Deadline
from bench.worker.messages import PROTOCOL, Failed, Request, Unload

Answer = TypeVar("Answer")

UNLOAD_TIMEOUT_S = 8.0
"""A worker that takes longer to free its device is killed; nothing in it is needed any more."""
TURN_S = 1.0
"""Interval at which the caller may do something short while a worker has not answered."""
STOPPED_LOOK_S = 4.0
"""Interval of looks at such a worker; stopped at two looks running, it is given up."""
WORKER = "bench.worker.main"
"""The module whose `main` answers in the worker."""


@dataclass(frozen=True)
class WorkerCode:
    """Program of a worker: an interpreter, and the folders in which it looks for imports first.

    A fault in code that is `named` is reported under that name.
    """

    python: str
    folders: tuple[str, ...]
    named: str | None = None


def own_code() -> WorkerCode:
    """The code of this very process."""
    return WorkerCode(sys.executable, tuple(entry for entry in sys.path if isinstance(entry, str)))


class WorkerProcess:
    """One worker process for the life of a `with` block; it never outlives the block.

    `environment` has variables for the child alone, such as CUDA_VISIBLE_DEVICES. It runs the code of this
    process, or other code that speaks the same protocol. Its output goes to a log file, so that a library's
    chatter never lands in a table. `meanwhile` is called about once a second while an answer is waited for;
    it must return in milliseconds and raise nothing but KeyboardInterrupt. `note` receives the lines that a
    worker sends before the answer to a request that asks for them, such as a pause that the model hub wants.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        code: WorkerCode | None = None,
        meanwhile: Callable[[], object] = lambda: None,
        note: Callable[[str], object] = lambda _: None,
    ) -> None:
        code = code or own_code()
        self._named = code.named
        self._meanwhile = meanwhile
        self._note = note
        self._owned_log = owned_file(WORKER_LOG, ".log")
        self._log = self._owned_log.path
        handle = os.open(self._log, os.O_WRONLY | os.O_APPEND)
        self._connection, theirs = Pipe()
        try:
            self._process = _start(code, theirs.fileno(), self._log, handle, environment)
        except BaseException:
            self._connection.close()
            self._owned_log.remove()
            raise
        finally:
            os.close(handle)
            theirs.close()
        self._greeted = False
        self.trace: str | None = None

    @property
    def connection(self) -> Connection:
        """What becomes readable when the worker answers or ends."""
        return self._connection

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(gently=error is None)

    def ask(self, request: Request, answer: type[Answer]) -> Answer:
        """Send a request and sleep until its answer.

        Raises EngineError, also when the worker dies, has been stopped, or takes too long (`Deadline`).
        """
        self.begin(request)
        return self.finish(request, answer)

    def begin(self, request: Request) -> None:
        """Send a request and go on, at once where the worker is up; `finish` takes its answer."""
        with self._blamed(request):
            self._greet(request)
            self._connection.send(request)

    @contextmanager
    def _blamed(self, request: Request) -> Iterator[None]:
        """Faults inside become an EngineError that names the code, also the end of the pipe."""
        try:
            try:
                yield
            except (EOFError, ConnectionError):
                raise self._death(request) from None
        except EngineError as error:
            if self._named:
                error.message = f"{self._named}: {error.message}"
            raise

    def _greet(self, request: Request) -> None:
        """Hear, once, which protocol the worker speaks. Raises EngineError for another than ours."""
        if self._greeted:
            return
        self._wait(request)
        spoken = self._connection.recv()
        if spoken != PROTOCOL:
            age = "older" if spoken < PROTOCOL else "newer"
            raise EngineError(
                f"Its code is {age} than this program: its workers speak protocol {spoken}, not {PROTOCOL}.",
                "Measure each with its own code, and compare the records.",
                missing=True,
            )
        self._greeted = True

    @property
    def answered(self) -> bool:
        """Whether `finish` would return, or raise, at once."""
        return self._connection.poll()

    def finish(self, request: Request, answer: type[Answer]) -> Answer:
        """Sleep until the answer to the request begun last. Raises EngineError, as `ask` does."""
        with self._blamed(request):
            reply = self._received(request)
            while isinstance(reply, str):
                self._note(reply)
                reply = self._received(request)
            if isinstance(reply, Failed):
                self.trace = reply.trace
                raise reply.error
        if not isinstance(reply, answer):
            raise TypeError(f"{type(request).__name__} was answered with {type(reply).__name__}")
        return reply

    def _received(self, request: Request) -> object:
        self._wait(request)
        received: object = self._connection.recv()
        return received

    def _wait(self, request: Request) -> None:
        watch = AnswerWatch(self.pid, request)
        while not self._connection.poll(min(TURN_S, STOPPED_LOOK_S)):
            self._meanwhile()
            watch.look()

    def _death(self, request: Request) -> EngineError:
        code = self._ended_within(5.0)
        how = f"with exit status {code}"
        remedy = "Its last words are in the record, under `failure`."
        if code is not None and code < 0:
            how = f"by signal {-code} ({signal.Signals(-code).name})"
            if -code == signal.SIGKILL:
                remedy = "Unless you ended it, memory ran out: use a smaller batch, dtype or model."
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
        """End the worker: ask it to unload, or kill it where asking takes too long or is useless."""
        try:
            if gently and self._process.poll() is None:
                with contextlib.suppress(OSError):
                    self._connection.send(Unload())
                    self._ended_within(UNLOAD_TIMEOUT_S)
        finally:  # also where Ctrl-C came while it unloaded
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
            self._connection.close()
            self._owned_log.remove()

    def _ended_within(self, seconds: float) -> int | None:
        """The exit status, negative for a signal; `None` where it still runs after so long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None


class AnswerWatch:
    """Looks at a worker that has not answered a request: is it stopped, or beyond a limit?"""

    def __init__(self, pid: int, request: Request) -> None:
        self._pid = pid
        self._request = request
        self._deadline = Deadline(pid, request)
        self._stopped_looks = 0
        self._look_at = time.monotonic() + STOPPED_LOOK_S

    def look(self) -> None:
        """To be called now and then. Raises EngineError for a worker that is to be given up."""
        if time.monotonic() < self._look_at:
            return
        self._stopped_looks = self._stopped_looks + 1 if self._stopped() else 0
        if self._stopped_looks == 2:
            handled = type(self._request).__name__
            raise EngineError(
                f"The worker process was stopped from outside while it handled {handled}.",
                f"Find out who stopped it: it was process {self._pid} and had received SIGSTOP.",
                stage="stopped",
            )
        self._deadline.check()
        self._look_at = time.monotonic() + STOPPED_LOOK_S

    def _stopped(self) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self._pid).status() == psutil.STATUS_STOPPED
        return False


def _start(
    code: WorkerCode, descriptor: int, log: Path, output: int, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start the worker's program. A program of its own imports no caller's `__main__` a second time."""
    # Linux counts the end of the starting thread as the parent's, so only the main thread may ask for that.
    tied = sys.platform == "linux" and threading.current_thread() is threading.main_thread()
    ends = [str(os.getpid()), str(int(tied))]
    command = [code.python, "-P", start.__file__, str(descriptor), str(log), *ends, str(PROTOCOL), WORKER]
    try:
        return subprocess.Popen(
            [*command, *code.folders],
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**DEFAULTS, **os.environ, **environment},
        )
    except OSError as error:
        raise EngineError(f"The worker could not be started: {error}.", missing=True) from error
