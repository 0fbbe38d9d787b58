"""Records as one side of a comparison."""

from __future__ import annotations

from pathlib import Path

from bench.compare.record_set import RecordSet, StoredRecord
from bench.core.record import Record


def side(*records: Record, label: str = "side") -> RecordSet:
    """Records as they would have been loaded."""
    found = tuple(StoredRecord(each, f"{label}/{n}.json", f"{label}{n}") for n, each in enumerate(records))
    return RecordSet(label, found, (), (), Path(label))
