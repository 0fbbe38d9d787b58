"""Tasks of an agent, replayed from a recorded trace with its tool pauses; the unit is the task."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from bench.core.modality import CountedOutput, Flag, Modality, Options, UnitCount


class AgentOptions(Options):
    """The trace, and whether its pauses are kept: `none` replays the model's own work alone."""

    one_at_a_time: ClassVar[bool] = True
    only_if_set: ClassVar[frozenset[str]] = frozenset({"trace"})

    trace: str | None = None
    """A file of the user's own; `None` for the bundled trace."""
    pauses: Literal["recorded", "none"] = "recorded"

    @property
    def size(self) -> str:
        """`trace agent-tasks recorded pauses`."""
        name = Path(self.trace).stem if self.trace else "bundled"
        return f"trace {name}, {'with' if self.pauses == 'recorded' else 'without'} pauses"

    @property
    def prompt_file(self) -> str | None:
        """The trace, whose tasks are what the engine is given."""
        return str(Path(self.trace).resolve()) if self.trace else None

    def identity(self) -> dict[str, Any]:
        """The options with the trace's name; its content is in the case beside them."""
        own = {"trace": Path(self.trace).stem} if self.trace else {}
        return super().identity() | own


def count(output: CountedOutput) -> UnitCount:
    """Tasks."""
    return UnitCount(output.items)


MODALITY = Modality(
    name="agent",
    order=9,
    unit="task",
    plural="tasks of an agent",
    options=AgentOptions,
    count=count,
    prompts="agent-tasks.yaml",
    packages=("torch", "transformers", "accelerate"),
    flags=(
        Flag("trace", "a recorded trace to replay.", metavar="FILE"),
        Flag("pauses", "keep the trace's pauses for tools, or leave them out."),
    ),
)
