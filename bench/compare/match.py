"""Matching of the records of two sides.

First those of the same case on the same card, then of the same case, then of the same model (to name what
differs). Of several records of one case on one card the newest counts, with a note.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from bench.catalog.identity import differing
from bench.compare.identity import card
from bench.compare.record_key import by_case_and_card, entry_of, newest
from bench.compare.record_set import RecordSet, StoredRecord
from bench.core.measurement import Measurement


@dataclass
class Matches:
    """Pairs of records, and those that have no other."""

    pairs: list[tuple[StoredRecord[Measurement], StoredRecord[Measurement]]] = field(default_factory=list)
    only_a: list[StoredRecord[Measurement]] = field(default_factory=list)
    only_b: list[StoredRecord[Measurement]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def match(a: RecordSet[Measurement], b: RecordSet[Measurement]) -> Matches:
    """Every record of both sides in one pair, or in none."""
    matches = Matches()
    left, right = _newest(a, matches.notes), _newest(b, matches.notes)
    if len(left) == len(right) == 1:
        matches.pairs.append((left[0], right[0]))
        return matches
    for key in (_work_and_card, _work, _name):
        left, right = _take(matches.pairs, left, right, key)
    matches.only_a, matches.only_b = left, right
    matches.pairs.sort(key=lambda pair: (pair[0].record.label, pair[0].where))
    return matches


def _newest(source: RecordSet[Measurement], notes: list[str]) -> list[StoredRecord[Measurement]]:
    """One record a case and card; several are not pooled, because the code may have changed between them."""
    by_entry = {entry_of(stored): stored for stored in source.found}
    chosen, remarks = newest(source.label, by_entry, by_case_and_card)
    notes += remarks
    return [by_entry[entry] for entry in chosen]


def _take(
    pairs: list[tuple[StoredRecord[Measurement], StoredRecord[Measurement]]],
    left: Sequence[StoredRecord[Measurement]],
    right: Sequence[StoredRecord[Measurement]],
    key: Callable[[StoredRecord[Measurement]], Hashable],
) -> tuple[list[StoredRecord[Measurement]], list[StoredRecord[Measurement]]]:
    """Pair what has the same key, the likest cases first; returns what is left of both."""
    rest: dict[Hashable, list[StoredRecord[Measurement]]] = {}
    for other in right:
        rest.setdefault(key(other), []).append(other)
    lonely = []
    for stored in left:
        candidates = rest.get(key(stored))
        if not candidates:
            lonely.append(stored)
            continue
        other = min(
            candidates,
            key=lambda other: len(differing(stored.record.identity(), other.record.identity())),
        )
        candidates.remove(other)
        pairs.append((stored, other))
    return lonely, [other for others in rest.values() for other in others]


def _work_and_card(stored: StoredRecord[Measurement]) -> Hashable:
    return stored.record.work_key, card(stored.record)


def _work(stored: StoredRecord[Measurement]) -> Hashable:
    return stored.record.work_key


def _name(stored: StoredRecord[Measurement]) -> Hashable:
    return stored.record.work_name
