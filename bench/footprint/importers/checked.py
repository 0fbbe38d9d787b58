"""A foreign file as it is given, and what is taken from it: names, numbers, energies, each checked.

    file.number(entry, "num_gpus", at="configuration 3")      # 1.0; one sentence where it is none

A reader takes only known fields: a line or a phase whose energy is negative, no number or beyond reason is
left out by name, never counted as zero. A file of which nothing is left is an error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import RecordError
from bench.footprint.bundled_rows import Published
from bench.store.results import slug

MOST = 1e15
"""Upper bound on every energy, time or count of a benchmark, in any unit."""


@dataclass(frozen=True)
class Asked:
    """Facts of a file that the user gives because the file lacks them."""

    items: int | None = None
    unit: str | None = None
    task: str | None = None
    system: str | None = None
    source: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class File:
    """A file: its digest, its content as parsed, and what the user gave."""

    path: Path
    sha256: str
    content: Any
    """Parsed JSON; of a CSV file a list of rows as mappings."""
    asked: Asked
    left_out: list[str] = field(default_factory=list)
    """Lines that could not be taken, one sentence each."""

    def each(self, parts: Iterable[Callable[[], Iterator[Published]]]) -> Iterator[Published]:
        """The rows of each part that can be read. Raises the first error where none can."""
        taken, first = False, None
        for part in parts:
            try:
                rows = list(part())
            except RecordError as error:
                first = first or error
                self.left_out.append(f"{error.message} It is left out.")
                continue
            taken = True
            yield from rows
        if first is not None and not taken:
            raise first

    @property
    def key(self) -> str:
        """By what its rows name it as their source."""
        return f"{slug(self.path.stem)}.{self.sha256[:8]}"

    def wrong(self, what: str, remedy: str | None = None) -> RecordError:
        """The error that names the file."""
        return RecordError(f"{self.path}: {what}.", remedy)

    def words(self, entry: Mapping[str, Any], key: str, at: str) -> str:
        """A text that has to be there."""
        found = entry.get(key)
        if not isinstance(found, str) or not found.strip():
            raise self.wrong(f"{at}: `{key}` is {_seen(found)}, no text")
        return " ".join(found.split())

    def number(self, entry: Mapping[str, Any], key: str, at: str) -> float:
        """A number that has to be there, not negative."""
        found = entry.get(key)
        try:
            value = math.nan if isinstance(found, bool) or found is None else float(found)
        except (TypeError, ValueError, OverflowError):
            value = math.nan
        if not 0 <= value <= MOST:
            raise self.wrong(f"{at}: `{key}` is {_seen(found)}, no number from 0 to {MOST:g}")
        return value

    def conditions(self, entry: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, float | str]:
        """Conditions of a row: of `names` (theirs to ours) those that are there, whole numbers or words."""
        found: dict[str, float | str] = {}
        for theirs, ours in names.items():
            value = entry.get(theirs)
            if isinstance(value, str) and value.strip():
                found[ours] = " ".join(value.split())
            elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                found[ours] = float(value)
        return found

    def row(self, name: str, energy: float, **about: Any) -> Published:
        """A reference row of this file. An energy of 0 becomes `None`, with a note."""
        note = about.pop("note", None)
        if energy == 0:
            note = " ".join(
                filter(None, ("The file has 0: nothing was metered, so the figure is absent.", note))
            )
        return Published(
            id=f"{self.key}.{name}",
            value=energy or None,
            source=self.key,
            note=note,
            **about,
        )


def _seen(found: object) -> str:
    """The value there, short enough for a sentence."""
    if found is None:
        return "missing"
    text = " ".join(str(found).split())
    return f'"{text[:40]}…"' if len(text) > 40 else f'"{text}"'
