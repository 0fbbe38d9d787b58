"""What is done already, by card: one file in the folder of work, from which the next command goes on.

The folder outlives a command and travels: `work/evidence.json`, `work/results/` with the records,
`work/trial/` with records of shortened cases, and a folder for each card with the output of its other parts.
A part that was begun and never ended (killed, or the machine went away) counts as a try. A part done on one
card is not done on another.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import RecordError
from bench.store.results import slug, write_atomically
from scripts.evidence.parts import CALL_MINUTES, Part, longest_s

SCHEMA = "joulebench/evidence/3"
FILE = "evidence.json"
TRIES = 3
"""Tries after which a part that never came to its end is not begun again."""
RANKS = {"done": 3, "inconclusive": 2, "failed": 1, "interrupted": 1, "begun": 0}
"""Which of two tries of one part counts where two states are merged: the higher, then the later one."""


class Try(BaseModel):
    """What became of one part. `records` are paths below the part's results folder."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    status: Literal["begun", "done", "inconclusive", "failed", "interrupted"]
    tries: int = Field(ge=1)
    began: str
    estimate_s: float | None = None
    seconds: float | None = None
    exit_status: int | None = None
    last_output: str = ""
    """The end of its standard error where it did not end well, or the reasons of its records."""
    records: list[str] = Field(default_factory=list)


class CardState(BaseModel):
    """Every part that was ever begun on one card, by name."""

    model_config = ConfigDict(extra="forbid")

    name: str
    memory_gb: float | None = None
    parts: dict[str, Try] = Field(default_factory=dict)

    def open(self, part: Part) -> bool:
        """Whether a part is still to be done."""
        if part.left_out is not None:
            return False
        before = self.parts.get(part.name)
        return before is None or (before.status not in ("done", "inconclusive") and before.tries < TRIES)

    def expected_s(self, part: Part) -> float:
        """Seconds a part will take: its estimate, or what it took where that was longer.

        The length of an interrupted try is the time it was given, not the time it needs.
        """
        before = self.parts.get(part.name)
        if before is None or before.seconds is None or before.status == "interrupted":
            return part.seconds
        return max(part.seconds, min(before.seconds, longest_s(CALL_MINUTES)))

    def take(self, name: str, other: Try) -> None:
        """Keep the better of two tries of one part, with the tries of both counted once."""
        ours = self.parts.get(name)
        better = other if ours is None or _order(other) > _order(ours) else ours
        tries = max(other.tries, ours.tries if ours else 0)
        self.parts[name] = better.model_copy(update={"tries": tries})


def _order(one: Try) -> tuple[int, str]:
    return RANKS[one.status], one.began


class State(BaseModel):
    """The cards on which anything was begun, by UUID (several in use at once: joined by `+`)."""

    model_config = ConfigDict(extra="forbid")

    schema_name: Literal["joulebench/evidence/3"] = Field("joulebench/evidence/3", alias="schema")
    rehearsed: bool = False
    """Whether the card is a stand-in: nothing is a measurement, and it is never mixed with measurements."""
    cards: dict[str, CardState] = Field(default_factory=dict)

    def take(self, other: State) -> None:
        """Take in what another folder of work has done."""
        for key, card in other.cards.items():
            ours = self.cards.setdefault(key, CardState(name=card.name, memory_gb=card.memory_gb))
            for name, tried in card.parts.items():
                ours.take(name, tried)


def folder_of(work: Path, card: str) -> Path:
    """Where the output and the logs of one card's parts are kept."""
    return work / "cards" / slug(card)


def load(work: Path) -> State:
    """The state of a folder of work; a new one where there is none. Raises RecordError."""
    path = work / FILE
    try:
        return State.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return State.model_validate({"schema": SCHEMA})
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}.") from error
    except (ValidationError, ValueError) as error:
        raise RecordError(
            f"{path} is not a state of gpu-evidence: {first_reason(error)}.",
            "Remove it to begin anew; records stay.",
        ) from error


def first_reason(error: ValueError) -> str:
    """The place and the kind of the first mistake in a file."""
    if not isinstance(error, ValidationError):
        return str(error).splitlines()[0]
    first = error.errors(include_url=False)[0]
    place = ".".join(str(key) for key in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def to_json(state: State) -> str:
    """A state as text."""
    return json.dumps(state.model_dump(mode="json", by_alias=True), indent=2, allow_nan=False) + "\n"


def save(work: Path, state: State) -> None:
    """Write it, whole or not at all. Raises RecordError."""
    try:
        work.mkdir(parents=True, exist_ok=True)
        write_atomically(work / FILE, to_json(state))
    except OSError as error:
        raise RecordError(
            f"{work / FILE}: cannot be written: {error.strerror}.", "Name another --work DIR."
        ) from error
