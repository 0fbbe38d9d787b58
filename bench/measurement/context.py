"""Context of a run beside its plan: results folder, listener, and stop signal.

    run(plan, RunContext(Path("results"), listener))

A listener is called only between measured windows, but for `meanwhile`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Generic, Protocol, TypeVar

from bench.core.figures import Estimate
from bench.core.record import Record
from bench.meters.gpu import Gpu
from bench.meters.recorder import Recorder


@dataclass(frozen=True)
class BlockDone:
    """Progress of a case after a block: all quantities so far, `None` if unknown yet."""

    number: int
    at_least: int
    valid: bool
    reasons: tuple[str, ...]
    headline_j: Estimate | None
    unit: str
    power_w: float | None
    seconds_left: float | None


class NoteListener(Protocol):
    """Receives sentences; must return quickly and never raise."""

    def note(self, text: str) -> None:
        """One line worth knowing: which suite and why, what was skipped, what was recovered."""


class RunListener(NoteListener, Protocol):
    """Receives events of cases as they are measured; must return quickly and never raise."""

    def follow(self, recorder: Recorder, gpus: Sequence[Gpu]) -> None:
        """These cards are sampled from now on."""

    def case_begins(self, label: str, number: int, total: int) -> None:
        """A case starts."""

    def turn_to(self, label: str, number: int, total: int) -> None:
        """The next events are of this case, which is measured beside others."""

    def stage(self, text: str) -> None:
        """The case enters a stage: loading, warming up, idle, measuring block 3."""

    def meanwhile(self) -> None:
        """About once a second while the worker works, also inside windows: a few milliseconds at most."""

    def block_done(self, done: BlockDone) -> None:
        """A measured block has ended."""

    def case_done(self, record: Record, path: Path) -> None:
        """The last record of a case was written; its samples are packed after this."""


class StopSignal(Protocol):
    """Set from elsewhere where a run is to end; `threading.Event` and `multiprocessing.Event` are some."""

    def is_set(self) -> bool:
        """Whether the run is to end."""

    def wait(self, timeout: float) -> bool:
        """Sleep for `timeout` seconds, or until it is set; return whether it is."""


Listener = TypeVar("Listener", bound=NoteListener, covariant=True)


@dataclass(frozen=True)
class RunContext(Generic[Listener]):
    """Results folder, listener and stop signal: the part of a run that stays in its process."""

    results: Path
    listener: Listener
    stop: StopSignal = field(default_factory=Event)

    def check_stop(self) -> None:
        """Raise KeyboardInterrupt, as Ctrl-C does, where the run is to end."""
        if self.stop.is_set():
            raise KeyboardInterrupt
