"""Records named on the command line, for verbs that go through them one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.analysis.listing import load
from bench.cli.compare import tell
from bench.errors import RecordError
from bench.records.schema import Record


def named_records(names: Iterable[str], results: Path) -> Iterator[Record]:
    """The records behind each name, in order. Raises RecordError after those of a name that has a problem."""
    for name in names:
        source = load(name, results, tell)
        for found in source.found:
            yield found.record
        if source.problems:
            raise RecordError("\n".join(source.problems))
