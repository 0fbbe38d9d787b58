"""Outcome of a run of cases: its records, and the exit status.

Exit status: 1 where a case failed, 2 where all that failed lacked something the user can provide or asked for
what their models cannot do, also where such cases were left out before the run, 3 where a
figure is invalid or its interval wider than asked for, 130 when interrupted, else 0. The record of
a case that was measured already counts as it did then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.core.record import Record
from bench.errors import INTERNAL_FAULT

OK, FAILED, MISSING, INCONCLUSIVE, INTERRUPTED = 0, 1, 2, 3, 130

GRAVEST_FIRST = (INTERRUPTED, INTERNAL_FAULT, FAILED, MISSING, INCONCLUSIVE)


def gravest(statuses: Iterable[int]) -> int:
    """The exit status of several runs together: that of the gravest; one that is unknown counts as failed."""
    known = {status if status in (OK, *GRAVEST_FIRST) else FAILED for status in statuses}
    return next((status for status in GRAVEST_FIRST if status in known), OK)


class GivenUp(NamedTuple):
    """Reason why a case gave no record, and the status with which a run of it alone would end."""

    reason: str
    exit_status: int = FAILED


@dataclass
class RunOutcome:
    """Outcome of a run. It pickles."""

    records: list[tuple[Record, Path | None]] = field(default_factory=list)
    """Each record and where it was written; `None` where the results folder refused it."""
    skipped: list[tuple[Record, Path]] = field(default_factory=list)
    """The earlier record of each case that was measured already."""
    refused: int = 0
    """Cases that were left out for an option that their model cannot do."""
    given_up: dict[str, GivenUp] = field(default_factory=dict)
    """Cases that gave no record, by label."""
    too_large: dict[str, str] = field(default_factory=dict)
    """Reasons of cases that ran out of memory where half their batch is a case of its own, by label."""
    interrupted: bool = False
    traces: list[str] = field(default_factory=list)
    """Tracebacks of failed workers, for --debug."""

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs whose records these are: one, but where cases were measured by several commands."""
        written = [record for record, path in (*self.skipped, *self.records) if path]
        return tuple(sorted({record.run_id for record in written if record.run_id}))

    @property
    def exit_status(self) -> int:
        """The status the process should end with."""
        if self.interrupted:
            return INTERRUPTED
        if any(path is None for _, path in self.records):
            return MISSING
        failures = [record.failure for record, _ in self.records if record.status == "failed"]
        statuses = [MISSING if failure and failure.missing else FAILED for failure in failures]
        statuses += [case.exit_status for case in self.given_up.values()]
        statuses += [MISSING] if self.refused else []
        if statuses:
            return gravest(statuses)
        of_all = [record for record, _ in (*self.records, *self.skipped)]
        conclusive = all(record.status == "ok" and record.reached_target for record in of_all)
        return OK if conclusive else INCONCLUSIVE
