"""What a process that was started for it runs: a plan that came to it, with work of known watts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.core.record import Record
from bench.measurement.case_plan import CasePlan
from bench.measurement.context import BlockDone, RunContext
from bench.measurement.outcome import RunOutcome
from bench.measurement.run import run
from bench.meters.gpu import Gpu
from bench.meters.recorder import Recorder
from bench.worker import process


class Quiet:
    """A listener that keeps what it was told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def follow(self, recorder: Recorder, gpus: Sequence[Gpu]) -> None:
        """It shows nothing."""

    def case_begins(self, label: str, number: int, total: int) -> None:
        """It shows nothing."""

    def turn_to(self, label: str, number: int, total: int) -> None:
        """It shows nothing."""

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def meanwhile(self) -> None:
        """It shows nothing."""

    def block_done(self, done: BlockDone) -> None:
        """It shows nothing."""

    def case_done(self, record: Record, path: Path) -> None:
        """It shows nothing."""


def measured(plan: CasePlan, results: Path) -> tuple[RunOutcome, list[str]]:
    """What the plan comes to in this process, and the stages that were told."""
    process.WORKER = "tests.support.main_job.worker"
    listener = Quiet()
    return run(plan, RunContext(results, listener)), listener.stages
