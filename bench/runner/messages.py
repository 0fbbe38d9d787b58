"""What parent and child say to each other: plain frozen values that pickle.

The parent asks one thing at a time and waits, asleep, for the one answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.engines.base import EngineSpec, Inspected, Phase
from bench.engines.memory import Peak
from bench.engines.square_load import Level
from bench.runner.shifting import Shift


@dataclass(frozen=True)
class Load:
    """Load a model; the answer is `Ready`."""

    spec: EngineSpec
    prompts: tuple[str, ...]


@dataclass(frozen=True)
class Produce:
    """Make whole batches: at least `batches` of them, and for at least `seconds`. Answer: `Produced`.

    Before batches the worker rests as `shift` says; never after the last.
    """

    first_prompt: int
    batches: int | None = None
    seconds: float | None = None
    shift: Shift | None = None


@dataclass(frozen=True)
class Inspect:
    """Count and check what the last `Produce` made, save it where asked, let go of it. Answer: `Checked`."""

    save_to: Path | None = None
    stem: str = ""


@dataclass(frozen=True)
class Prepare:
    """Get a generated load ready on a device, in place of a model. Answer: `Prepared`."""

    device: str


@dataclass(frozen=True)
class Prepared:
    """The load is ready on this card, by UUID."""

    uuid: str


@dataclass(frozen=True)
class Step:
    """So much of a load for so long."""

    level: Level
    seconds: float


@dataclass(frozen=True)
class Drive:
    """Do these steps one after the other. Answer: `Driven`."""

    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Driven:
    """When each step began, the device synchronised, and when the last one ended."""

    steps: tuple[Step, ...]
    edges_ns: tuple[int, ...]


@dataclass(frozen=True)
class Unload:
    """Free the device and end."""


@dataclass(frozen=True)
class Batch:
    """One batch: its synchronised edges, items and phases."""

    start_ns: int
    end_ns: int
    items: int
    phases: tuple[Phase, ...]


@dataclass(frozen=True)
class Produced:
    """What a `Produce` made, edge to edge, and how long each rest was."""

    batches: tuple[Batch, ...]
    rests_s: tuple[float, ...] = ()

    @property
    def items(self) -> int:
        """Items over all batches."""
        return sum(batch.items for batch in self.batches)


@dataclass(frozen=True)
class Checked:
    """What was found in the output of the last `Produce`, a batch at a time; files saved; memory it took."""

    found: tuple[Inspected, ...]
    files: tuple[Path, ...]
    peak: Peak | None = None


@dataclass(frozen=True)
class Failed:
    """Something went wrong; the error travels as it is, its traceback as text for --debug."""

    error: Exception
    trace: str


Request = Load | Produce | Inspect | Prepare | Drive | Unload
