"""Recorded tasks of an agent: what came in before each turn, how long its tools took, what the model wrote.

    task = read_task(text)                     # one task of a trace, as JSON
    task.turns[1].pause_s                      # seconds of the tools before the second turn
    task.context_before(1)                     # everything that the model reads in it

Its form is in docs/councils-agents.md.
A turn that lacks its pause, its input or its output is a hole: such a task cannot be replayed whole.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field, ValidationError

from bench.core.model import Strict
from bench.errors import EngineError

MEND = "Mend the trace, or leave that task out."
Pause = Annotated[float, Field(ge=0, le=86_400)]


class AgentTurn(Strict):
    """One call of the model, and what was new since the one before."""

    input: str
    """Of the first turn the task; then outputs of tools, or an answer of the user."""
    pause_s: Annotated[Pause, Field(strict=False)] | None = None
    """Of all turns but the first: time from the model's last token to this input, when tools ran."""
    output: str
    """What the model wrote, as recorded: later turns read it."""
    output_tokens: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """As the recording model counted them; `null` leaves the count to the tokenizer of the replay."""


class AgentTask(Strict):
    """A task from its first prompt to its last answer."""

    name: str
    system: str = ""
    turns: Annotated[tuple[AgentTurn, ...], Field(min_length=1, strict=False)]

    def context_before(self, turn: int) -> str:
        """All that the model reads in a turn."""
        parts = [f"System: {self.system}"] if self.system else []
        for number, each in enumerate(self.turns[: turn + 1]):
            parts.append(f"{'User' if number == 0 else 'Tool'}: {each.input}")
            if number < turn:
                parts.append(f"Assistant: {each.output}")
        return "\n\n".join([*parts, "Assistant:"])


class TraceHole(NamedTuple):
    """What a task lacks or has wrong: its turn, counted from 1, where it is in one, and a phrase."""

    turn: int | None
    what: str


def read_task(text: str) -> AgentTask:
    """One task. Raises EngineError(stage="load") that names its hole."""
    found = task_or_hole(text)
    if isinstance(found, TraceHole):
        raise EngineError(f"The trace has a hole: {found.what}.", MEND, missing=True)
    return found


def task_or_hole(text: str) -> AgentTask | TraceHole:
    """One task, or the first reason why it cannot be replayed."""
    try:
        task = AgentTask.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return TraceHole(_turn(first["loc"]), f"{_place(first['loc'])}: {first['msg'].lower()}")
    for number, turn in enumerate(task.turns[1:], start=2):
        if turn.pause_s is None:
            return TraceHole(number, f"task {task.name}, turn {number} has no pause_s")
    return task


def _turn(loc: tuple[int | str, ...]) -> int | None:
    index = next((part for part in loc if isinstance(part, int)), None)
    return None if index is None else index + 1


def _place(loc: tuple[int | str, ...]) -> str:
    """`turn 3, output`."""
    turn = _turn(loc)
    key = ", ".join(str(part) for part in loc if part != "turns" and not isinstance(part, int))
    return ", ".join(filter(None, [f"turn {turn}" if turn is not None else "", key])) or "the task"
