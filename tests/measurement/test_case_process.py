"""Process of a case: what it had written is kept, however the process ends."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from bench.measurement import case_process
from bench.measurement.case_plan import CasePlan
from bench.measurement.case_process import CaseProcess
from bench.measurement.outcome import GivenUp, RunOutcome
from tests.measurement.spawned import Quiet
from tests.support import factory

PLAN = CasePlan(cases=())


def write_and_die(plan: CasePlan, results: Path, connection: Connection) -> None:
    """Report a record, and be killed before the outcome is sent."""
    del plan
    connection.send(("case_done", (factory.record(), results / "a.json")))
    os.kill(os.getpid(), signal.SIGKILL)


def die(plan: CasePlan, results: Path, connection: Connection) -> None:
    """Be killed at work."""
    del plan, results
    connection.send(("stage", ("blocks",)))
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_record_that_was_written_before_its_process_died_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_process, "_measure", write_and_die)
    case = CaseProcess(0, "tiny", (), PLAN, tmp_path)
    assert case.report_to(Quiet()) is None
    ended = case.report_to(Quiet())
    assert isinstance(ended, RunOutcome)
    assert ended.records == [(factory.record(), tmp_path / "a.json")]


def test_a_process_that_died_at_work_says_its_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_process, "_measure", die)
    case = CaseProcess(0, "tiny", (), PLAN, tmp_path)
    assert case.report_to(Quiet()) is None
    assert case.report_to(Quiet()) == GivenUp("its process ended with status -9", 1)
