"""What is done already, by card: one file in the folder of work, so that the next command goes on from there.

The folder outlives a command and travels: `work/evidence.json`, `work/results/` with the records, and a
folder for each card with what its other parts printed. A part that was begun and never ended (killed, or the
machine went away) counts as a try. What one card has done is not done on another.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import RecordError
from bench.records.store import slug, write_atomically
from tests.evidence.parts import Part

SCHEMA = "joulebench/evidence/2"
FILE = "evidence.json"
RESULTS = "results"
TRIES = 3
"""A part that did not come to its end so often is left alone."""


class Try(BaseModel):
    """What became of one part. `records` are paths below `results/`."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    status: Literal["begun", "done", "inconclusive", "failed", "interrupted"]
    tries: int = Field(ge=1)
    began: str
    estimate_s: float | None = None
    seconds: float | None = None
    exit_status: int | None = None
    said: str = ""
    """The end of what it said where it did not end well; reasons of its records."""
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
        known = self.parts.get(part.name)
        return known is None or (known.status not in ("done", "inconclusive") and known.tries < TRIES)

    def expected_s(self, part: Part) -> float:
        """How long a part will take: as long as it took, else its estimate."""
        known = self.parts.get(part.name)
        return max(part.seconds, known.seconds or 0.0) if known else part.seconds


class State(BaseModel):
    """The cards on which anything was begun, by UUID (several in use at once: joined by `+`)."""

    model_config = ConfigDict(extra="forbid")

    schema_name: Literal["joulebench/evidence/2"] = Field("joulebench/evidence/2", alias="schema")
    rehearsed: bool = False
    """On a stand-in card: nothing of it is a measurement, and it is never mixed with what is."""
    cards: dict[str, CardState] = Field(default_factory=dict)


def folder_of(work: Path, card: str) -> Path:
    """Where the printed answers and logs of one card's parts are kept."""
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
        reason = str(error).splitlines()[0]
        raise RecordError(
            f"{path} is not a state of gpu-evidence: {reason}.", "Remove it to begin anew; records stay."
        ) from error


def save(work: Path, state: State) -> None:
    """Write it, whole or not at all. Raises RecordError."""
    text = json.dumps(state.model_dump(mode="json", by_alias=True), indent=2, allow_nan=False) + "\n"
    try:
        work.mkdir(parents=True, exist_ok=True)
        write_atomically(work / FILE, text)
    except OSError as error:
        raise RecordError(
            f"{work / FILE}: cannot be written: {error.strerror}.", "Name another --work DIR."
        ) from error
