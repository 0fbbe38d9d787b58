"""Starts the command line as a user would, beside a stand-in GPU or without any."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.record import Record
from bench.store import results as store
from tests.support.main_job.metered import CARDS_VARIABLE, FAULT_VARIABLE, GPU_VARIABLE, PRETEND_VARIABLE
from tests.support.processes import ROOT

CATALOGUE = Path(__file__).with_name("catalogue.yaml")
THREADS = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"}
"""One thread a worker: two of them spin against each other on a small machine."""


@dataclass(frozen=True)
class Done:
    """What came of a command."""

    status: int
    out: str
    err: str
    results: Path

    @property
    def records(self) -> list[Record]:
        """The records it wrote, in the order of their names."""
        return [store.read(path) for path in sorted(self.results.glob("*/*.json"))]


def environment(
    standin: Mapping[str, str] | None = None,
    *,
    gpu: int = 0,
    fault: str | None = None,
    pretend: bool = False,
    temporary: Path | None = None,
    cards: Mapping[int, float] | None = None,
) -> dict[str, str]:
    """Variables for a command: this process' own, a stand-in's, a fault, or no model at all.

    `cards` are the watts at work of several cards by index, in place of one `gpu`.

    Commands that run side by side each need a `temporary` folder of their own, because there the locks lie
    that let one measurement at a time onto a machine.
    """
    variables = os.environ | THREADS | {GPU_VARIABLE: str(gpu)} | dict(standin or {})
    if temporary is not None:
        temporary.mkdir(parents=True, exist_ok=True)
        variables |= {"TMPDIR": str(temporary)}
    variables |= {PRETEND_VARIABLE: "1"} if pretend else {}
    if cards is not None:
        variables |= {CARDS_VARIABLE: ",".join(f"{index}:{watts}" for index, watts in cards.items())}
    return variables | ({FAULT_VARIABLE: fault} if fault else {})


ON_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""A program that makes its standard input the controlling terminal, and then becomes another program."""


def start(
    arguments: list[str],
    results: Path,
    variables: Mapping[str, str],
    models: Path = CATALOGUE,
    folder: Path = ROOT,
    terminal: int | None = None,
    before: Sequence[str] = (),
) -> subprocess.Popen[str]:
    """Start `bench run` in a folder with the test's engines, in a session of its own, on this terminal.

    `before` are words of a command that becomes this one.
    """
    command = [sys.executable, "-m", "tests.support.main_job.metered", "run", *arguments]
    on_terminal = [] if terminal is None else [sys.executable, "-c", ON_TERMINAL]
    return subprocess.Popen(
        [*on_terminal, *before, *command, "--models", str(models), "--results", str(results)],
        cwd=folder,
        env=dict(variables),
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], results: Path, timeout_s: float = 240) -> Done:
    """Wait for a command; it is killed, and the test fails, where it does not end."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"the command did not end:\n{out}\n{err}") from None
    return Done(process.returncode, out, err, results)


def run(arguments: list[str], results: Path, variables: Mapping[str, str], models: Path = CATALOGUE) -> Done:
    """Run a command to its end."""
    return finish(start(arguments, results, variables, models), results)
