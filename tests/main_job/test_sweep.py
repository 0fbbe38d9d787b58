"""A sweep that was stopped and is started again ends with each case measured once."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from bench.compare.record_selection import load
from tests.support.main_job.running import environment, finish, run, start
from tests.support.processes import wait_until

SWEEP = ["tiny-bloom", "--device", "cpu", "--sweep", "batch=1,2", "--order", "interleaved"]


@pytest.mark.slow
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_the_same_command_goes_on_where_it_was_stopped(tmp_path: Path, signal_number: signal.Signals) -> None:
    process = start(SWEEP, tmp_path, environment(pretend=True))
    # One case is whole, and the next has blocks.
    assert wait_until(
        lambda: list(tmp_path.glob("*/*.json")) and list(tmp_path.glob("*/.partial/*.json")), 90
    )
    os.killpg(process.pid, signal_number)
    stopped = finish(process, tmp_path)
    if signal_number == signal.SIGINT:
        assert stopped.err.endswith("Interrupted. Run the same command again to go on.\n")
        assert [record.verdict for record in stopped.records].count("interrupted") == 1
    dry = run([*SWEEP, "--dry-run"], tmp_path, environment(pretend=True))
    assert dry.out.count("(measured already)") == 1
    told = dry.out.count("(interrupted, will be measured again)")
    assert told == (signal_number == signal.SIGINT)  # what was killed is recovered by the next run
    assert "1 of 2 cases were measured already and would be skipped." in dry.err

    again = run(SWEEP, tmp_path, environment(pretend=True))
    assert again.status == 0, again.err
    assert "1 of 2 cases were measured already and are skipped; --again measures them anew." in again.err
    whole = [record for record in again.records if record.ended and record.ended.by == "target"]
    assert Counter(record.case.batch for record in whole) == {1: 1, 2: 1}
    # One sweep: the command that went on did so under the same run, which a comparison finds by its id.
    (run_id,) = {record.run_id for record in whole}
    assert f"Run {run_id}; compare it: " in again.err
    listed = load(str(run_id), tmp_path, lambda _: None)
    assert sorted(stored.record.case.batch for stored in listed.found) == [1, 2]
    places = sorted((record.sweep.number, record.sweep.total) for record in whole if record.sweep)
    assert places == [(1, 2), (2, 2)]
    assert all(f"b{batch} 48 tokens" in again.out for batch in (1, 2))

    before = len(again.records)
    nothing = run(SWEEP, tmp_path, environment(pretend=True))
    assert (nothing.status, len(nothing.records)) == (0, before)
    assert "2 of 2 cases were measured already" in nothing.err
    assert all(f"b{batch} 48 tokens" in nothing.out for batch in (1, 2))
