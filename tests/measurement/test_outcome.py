"""Exit status and runs of an outcome, as its records have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.core.record import Record
from bench.core.repetition import StopInfo
from bench.measurement.outcome import RunOutcome, gravest
from tests.support import factory

WHERE = Path("a.json")


def ended(by: str = "target", achieved: float = 0.01) -> StopInfo:
    return StopInfo.model_validate({"by": by, "target": 0.02, "max_seconds": 60.0, "achieved": achieved})


@pytest.mark.parametrize("measured_now", [True, False])
@pytest.mark.parametrize(("achieved", "status"), [(0.01, 0), (0.05, 3)])
def test_a_case_that_is_skipped_counts_as_it_did_when_it_was_measured(
    achieved: float, status: int, measured_now: bool
) -> None:
    record = factory.record(ended=ended("max_seconds", achieved))
    outcome = RunOutcome([(record, WHERE)]) if measured_now else RunOutcome(skipped=[(record, WHERE)])
    assert outcome.exit_status == status


def test_a_failed_case_is_more_than_an_inconclusive_one_that_was_skipped() -> None:
    failed = factory.record(status="failed", blocks=[], failure={"stage": "load", "message": "No."})
    skipped = factory.record(ended=ended("max_seconds", 0.05))
    assert RunOutcome([(failed, WHERE)], [(skipped, WHERE)]).exit_status == 1


def test_an_interrupted_case_is_called_so_and_its_file_has_failed_for_older_programs() -> None:
    record = factory.record(
        status="failed",
        blocks=[],
        ended=ended("interrupt"),
        failure={"stage": "interrupted", "message": "The run was interrupted."},
    )
    assert (record.verdict, record.status) == ("interrupted", "failed")
    assert factory.record(status="failed", blocks=[], ended=ended("failure")).verdict == "failed"


def test_records_of_one_run_have_one_id_and_those_that_were_not_written_none() -> None:
    def of(run_id: str | None) -> Record:
        return factory.record(run_id=run_id)

    assert RunOutcome([(of("b"), WHERE)], [(of("a"), WHERE), (of("a"), WHERE)]).run_ids == ("a", "b")
    assert RunOutcome([(of("b"), None)], [(of(None), WHERE)]).run_ids == ()


@pytest.mark.parametrize(
    ("statuses", "together"),
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 3], 3),
        ([3, 2, 0], 2),
        ([3, 1, 2], 1),
        ([1, 70], 70),
        ([70, 130], 130),
        ([3, -9], 1),
        ([255, 0], 1),
    ],
)
def test_several_runs_end_with_the_status_of_the_gravest(statuses: list[int], together: int) -> None:
    assert gravest(statuses) == together
