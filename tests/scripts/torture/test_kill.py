"""Trials are the same for the same seed, and the table counts what was lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.torture import kill
from scripts.torture.__main__ import table
from scripts.torture.kill import ACTS, Outcome, trials


def test_trials_are_those_of_the_seed_and_have_each_act_in_turn() -> None:
    chosen = trials(16, 1, 10.0)
    assert chosen == trials(16, 1, 10.0)
    assert chosen != trials(16, 2, 10.0)
    assert [trial.what for trial in chosen] == [*ACTS, *ACTS]
    assert all(0 <= trial.after_s <= 10 for trial in chosen)


def test_the_table_counts_trials_that_lost_something() -> None:
    one, other = trials(2, 1, 10.0)
    rows = table([Outcome(one, 3, ()), Outcome(other, 2, ("a case is missing",))], 12.3).splitlines()
    assert rows[-2].split() == ["all", "together", "2", "1", "1"]
    assert rows[-1] == "wall time: 12 s"


def test_an_orphan_is_found_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kill, "ORPHAN_S", 0.2)
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command, env=os.environ | {"TMPDIR": str(tmp_path)}) as orphan:
        assert len(kill._ended(tmp_path)) == 1
        assert orphan.wait(5) < 0
    assert kill._ended(tmp_path) == []
