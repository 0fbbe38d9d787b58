"""Process of a case: what it had written is kept, however the process ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from bench.errors import EngineError
from bench.measurement import case_process, session
from bench.measurement.case_plan import CasePlan
from bench.measurement.case_process import CaseProcess, _Reports
from bench.measurement.context import RunContext
from bench.measurement.outcome import GivenUp, RunOutcome
from bench.measurement.run import run
from bench.store import results as stored_results
from scripts.faults.machine import Machine, planned
from tests.measurement.spawned import Quiet
from tests.standin import StandIn
from tests.support import factory

PLAN = CasePlan(cases=())
LIBRARY_VARIABLE = "TEST_STANDIN_LIBRARY"
"""Where a started process finds the stand-in for NVML."""


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


def kill(*_: object) -> None:
    """End this process as the kernel does where memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def measure_here(plan: CasePlan, results: Path, reports: _Reports) -> None:
    """Measure by the real session, in virtual time."""
    standin = StandIn(Path(os.environ[LIBRARY_VARIABLE]), results / "child.control")
    with Machine(standin, results):
        run(plan, RunContext(results / "results", reports))


def die_while_packing(plan: CasePlan, results: Path, connection: Connection) -> None:
    """Be killed while the samples of a record are packed."""
    pytest.MonkeyPatch().setattr(session, "with_trace", kill)
    measure_here(plan, results, _Reports(connection))


class OutOfMemoryThenKilled(_Reports):
    """A second block for which memory does not suffice; that of half the batch kills the process."""

    seen = 0

    def stage(self, text: str) -> None:
        super().stage(text)
        if text == "measuring block 2":
            self.seen += 1
            if self.seen == 1:
                raise EngineError("Out of memory.", stage="generate", out_of_memory=True)
            kill()


def die_at_half_the_batch(plan: CasePlan, results: Path, connection: Connection) -> None:
    """Be killed at work on half the batch, after the failed record of all of it was written."""
    measure_here(plan, results, OutOfMemoryThenKilled(connection))


def ended(
    measure: Callable[[CasePlan, Path, Connection], None],
    batch: int,
    folder: Path,
    library: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> RunOutcome | GivenUp:
    """What comes of a case whose process runs `measure`."""
    monkeypatch.setattr(case_process, "_measure", measure)
    monkeypatch.setenv(LIBRARY_VARIABLE, str(library))
    item = planned()
    plan = CasePlan((replace(item, case=item.case.with_batch(batch)),), gpus="0", device="cpu")
    case = CaseProcess(0, "tiny", (), plan, folder)
    while (end := case.report_to(Quiet())) is None:
        pass
    return end


def test_a_record_whose_samples_were_being_packed_is_measured(
    standin_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = ended(die_while_packing, 1, tmp_path, standin_library, monkeypatch)
    assert isinstance(end, RunOutcome), end
    ((record, path),) = end.records
    assert path is not None
    assert record.status == "ok"
    assert stored_results.read(path) == record
    assert record.absent["trace"] == "the run was interrupted before it was written"


def test_a_failed_record_is_not_the_outcome_where_half_the_batch_was_tried(
    standin_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = ended(die_at_half_the_batch, 4, tmp_path, standin_library, monkeypatch)
    assert end == GivenUp("its process ended with status -9", 1)
    failed = [stored_results.read(path) for path in tmp_path.glob("results/*/*.json")]
    assert [(each.status, each.case.batch) for each in failed] == [("failed", 4)]


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
