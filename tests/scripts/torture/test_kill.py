"""Trials are the same for the same seed, and the table counts what was lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.torture import kill, parts
from scripts.torture.__main__ import main
from scripts.torture.acts import ACTS, INTERRUPTS, Started
from scripts.torture.kill import Fault, Outcome, not_interrupted, traced, trials
from scripts.torture.parts import PartTally, by_act, summary
from tests.support.main_job.running import environment, finish
from tests.support.processes import wait_until


def test_trials_are_those_of_the_seed_and_have_each_act_in_turn() -> None:
    chosen = trials(16, 1, 10.0)
    assert chosen == trials(16, 1, 10.0)
    assert chosen != trials(16, 2, 10.0)
    assert [trial.what for trial in chosen] == [*ACTS, *ACTS]
    assert all(0 <= trial.after_s <= 10 for trial in chosen)


@pytest.mark.parametrize("what", INTERRUPTS)
def test_a_run_that_goes_on_after_an_interrupt_is_a_fault(what: str) -> None:
    for status in (0, 1, 2, 3, 70):
        assert [fault.kind for fault in not_interrupted(what, status, 9)] == ["words"]
    assert not list(not_interrupted(what, 130, 3))
    assert not list(not_interrupted(what, -2, 0)), "the interpreter had not started"
    assert not list(not_interrupted(what, 0, 10)), "nothing was left to do"
    assert not list(not_interrupted("SIGSTOP, SIGCONT", 0, 3))


def test_a_traceback_counts_where_a_line_of_ours_is_in_it() -> None:
    starting = 'Traceback (most recent call last):\n  File "<frozen site>", line 73\nKeyboardInterrupt\n'
    assert not list(traced("the run", starting))
    for place in ("/home/x/bench/__main__.py", "<string>"):
        ours = starting.replace("<frozen site>", place)
        assert [fault.kind for fault in traced("the run", ours)] == ["words"]


def test_runs_hear_ctrl_c_also_where_the_command_is_in_the_background(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A shell has what it starts there ignore it, and so do children, whom nothing would interrupt."""
    code = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    heard = []

    def play(_given: object) -> PartTally:
        heard.append(subprocess.check_output([sys.executable, "-c", code], text=True).strip())
        return PartTally("disks", 1, 1, 0, 0.0)

    monkeypatch.setattr(parts, "disk", play)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert main(["disks"]) == 0
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == ["True"]


def test_the_table_counts_trials_that_lost_something() -> None:
    one, other = trials(2, 1, 10.0)
    lost = Fault("lost", "1 cases are missing")
    rows = by_act([Outcome(one, True, 3, ()), Outcome(other, False, 2, (lost,))]).splitlines()
    assert rows[0].split() == ["act", "tried", "acted", "survived", "lost", "orphans", "leaks", "words"]
    assert rows[-1].split() == ["all", "together", "2", "1", "1", "1", "0", "0", "0"]


def test_the_table_over_parts_has_their_sum() -> None:
    rows = summary([PartTally("kill", 8, 7, 1, 12.3), PartTally("disks", 45, 45, 0, 37.4)]).splitlines()
    assert [row.split() for row in rows] == [
        ["part", "tried", "survived", "lost", "wall", "time"],
        ["kill", "8", "7", "1", "12", "s"],
        ["disks", "45", "45", "0", "37", "s"],
        ["all", "together", "53", "52", "1", "50", "s"],
    ]


def test_an_orphan_is_found_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kill, "ORPHAN_S", 0.2)
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command, env=os.environ | {"TMPDIR": str(tmp_path)}) as orphan:
        assert [fault.kind for fault in kill._ended(tmp_path)] == ["orphans"]
        assert orphan.wait(5) < 0
    assert not list(kill._ended(tmp_path))


def test_a_child_that_is_not_there_is_not_acted_on(tmp_path: Path) -> None:
    with Started(["--help"], tmp_path, environment(pretend=True)) as run:
        run.process.communicate(timeout=60)
        assert not ACTS["SIGTERM"](run)
        assert not ACTS["SIGKILL of the worker"](run)


def test_a_lost_terminal_is_a_signal_to_the_run(tmp_path: Path) -> None:
    """The same test would wait for ever if the run had no controlling terminal."""
    variables = environment(pretend=True, temporary=tmp_path / "tmp")
    with Started(["tiny-bloom", "--device", "cpu"], tmp_path / "results", variables) as run:
        assert wait_until(lambda: run.child("samples.bin"), 60)
        assert ACTS["loss of the terminal"](run)
        assert finish(run.process, tmp_path / "results", 60).status == 130
