"""Kept outputs of a record as drafts, each with its prompt's number.

Outputs of a run with `--save-outputs` are in the order in which they were made: block, batch, item. Blocks
that do not count, and warm-up, which is never kept, have no drafts.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.core.record import Record
from bench.core.untrusted import bytes_in, inside
from bench.errors import RecordError, UsageError

_NUMBERED = re.compile(r"-block(\d+)-(\d+)-(\d+)\.[a-z0-9]+$")


@dataclass(frozen=True)
class Draft:
    """One output; `number` counts all kept ones, so that it is also the number of its prompt."""

    number: int
    path: Path

    @cached_property
    def content(self) -> bytes:
        """The file."""
        try:
            return bytes_in(self.path)
        except OSError as error:
            raise RecordError(f"{self.path}: cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise RecordError(f"{self.path}: {error}.") from error

    @property
    def text(self) -> str:
        """The text of a page. Raises UsageError for an output of another kind."""
        if self.path.suffix != ".txt":
            raise UsageError(
                f"{self.path.name} is not a text, and this check reads texts.", "Use command= or python=."
            )
        return self.content.decode("utf-8", errors="replace")

    @property
    def digest(self) -> str:
        """By which the very same output is known again."""
        return hashlib.sha256(self.content).hexdigest()


def kept(record: Record, place: Path) -> list[Draft]:
    """The drafts of a record that was read at `place`. Raises UsageError where none were kept."""
    numbered = [(match, name) for name in record.outputs if (match := _NUMBERED.search(name))]
    numbered.sort(key=lambda found: tuple(map(int, found[0].groups())))
    valid = [block.valid and not block.warmup for block in record.blocks]
    drafts = [
        Draft(number, _beside(place, name))
        for number, (match, name) in enumerate(numbered)
        if int(match[1]) < len(valid) and valid[int(match[1])]
    ]
    if not drafts:
        raise UsageError(f"{place}: no outputs were kept.", "Measure it again with --save-outputs.")
    return drafts


def _beside(place: Path, name: str) -> Path:
    """Where an output is. Raises RecordError: a record of others might name any file of this machine."""
    path = inside(place.parent, name) if "\0" not in name else None
    if path is None:
        raise RecordError(f"{place}: its output {name!r} is not beside it.")
    if path.exists() and not path.is_file():  # a pipe would be read for ever
        raise RecordError(f"{place}: its output {name!r} is not a file.")
    return path


def distinct(drafts: list[Draft]) -> list[Draft]:
    """Each output once: greedy decoding answers the same prompt with the same text."""
    return list({draft.digest: draft for draft in reversed(drafts)}.values())[::-1]
