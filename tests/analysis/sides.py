"""Records as one side of a comparison."""

from __future__ import annotations

from pathlib import Path

from bench.analysis.sources import Found, Source
from bench.core.record import Record


def side(*records: Record, label: str = "side") -> Source:
    """Records as they would have been loaded."""
    found = tuple(Found(each, f"{label}/{n}.json", f"{label}{n}") for n, each in enumerate(records))
    return Source(label, found, (), (), Path(label))
