"""What a run tells whoever watches it. Called only between measured windows, but for `meanwhile`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.core.figures import Estimate
from bench.core.record import Record


@dataclass(frozen=True)
class BlockDone:
    """Where a case stands after a block: all quantities so far, `None` where not known yet."""

    number: int
    at_least: int
    valid: bool
    reasons: tuple[str, ...]
    headline_j: Estimate | None
    unit: str
    power_w: float | None
    seconds_left: float | None


class Watcher(Protocol):
    """Receives events; must return quickly and never raise."""

    def note(self, text: str) -> None:
        """One line worth knowing: which suite and why, what was skipped, what was recovered."""

    def case_begins(self, label: str, number: int, total: int) -> None:
        """A case starts."""

    def stage(self, text: str) -> None:
        """The case enters a stage: loading, warming up, idle, measuring block 3."""

    def meanwhile(self) -> None:
        """About once a second while the worker works, also inside windows: a few milliseconds at most."""

    def block_done(self, done: BlockDone) -> None:
        """A measured block has ended."""

    def case_done(self, record: Record, path: Path) -> None:
        """A record was written."""
