"""A worker that never answers: one that does nothing and one that never ends are told from one at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from bench.errors import EngineError, UsageError
from bench.worker import deadline
from bench.worker.deadline import VARIABLE, Deadline
from bench.worker.messages import Generate, Hello, Request

ASLEEP = "import time; time.sleep(60)"
BUSY = "while True: pass"
WITH_BUSY_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three seconds in which also one of forty processes on two cores gets its hundredth of a second."""
    monkeypatch.setattr(deadline, "IDLE_S", 3.0)
    monkeypatch.setattr(deadline, "WORKING_S", 0.01)


def outcome(code: str, seconds: float, request: Request | None = None) -> str | None:
    """The sentence about a process within some seconds; `None` without one."""
    with subprocess.Popen([sys.executable, "-S", "-c", code], start_new_session=True) as process:
        limits = Deadline(process.pid, request or Generate(seconds=1.0, first_prompt=0))
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                limits.check()
                time.sleep(0.05)
        except EngineError as error:
            return f"{error.stage}: {error.message}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    return None


def test_one_that_does_nothing_is_given_up() -> None:
    expected = "deadline: The worker process did nothing for 3 s while it handled Generate."
    assert outcome(ASLEEP, 60.0) == expected
    assert outcome(ASLEEP, 3.5, Hello()) is None, "only what works is expected to"


@pytest.mark.parametrize("code", [BUSY, WITH_BUSY_CHILD])
def test_one_at_work_is_not_and_neither_is_one_whose_child_is(code: str) -> None:
    assert outcome(code, 4.0) is None


def test_one_that_never_ends_is_given_up_after_the_time_that_was_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "0.5")
    assert "was not done with Generate after 2 s" in str(outcome(BUSY, 60.0))
    monkeypatch.setenv(VARIABLE, "soon")
    with pytest.raises(UsageError, match="is not a number of seconds above 0"):
        deadline.longest_generation_s()
