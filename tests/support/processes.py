"""Fresh interpreters beside a stand-in, and waiting for what another process does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from tests.standin import StandIn

ROOT = Path(__file__).resolve().parents[2]


def run_python(
    standin: StandIn, code: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> tuple[str, str]:
    """Standard output and error of a fresh Python that finds the stand-in, and `cwd` as its home."""
    variables = (
        os.environ | standin.environment() | {"PYTHONPATH": str(ROOT), "HOME": str(cwd)} | dict(env or {})
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=variables,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def wait_until(condition: Callable[[], object], timeout_s: float) -> bool:
    """Whether the condition came true in time; looked at every 10 ms."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def has_ended(process: psutil.Process) -> bool:
    """Gone, or waiting to be reaped by an init that does not."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
