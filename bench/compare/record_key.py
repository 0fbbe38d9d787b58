"""Key of a record: the fields for choosing among many records, so that only the chosen are read in full.

    kept, notes = newest("base", entries, by_case_and_card)

An entry follows from its record alone: built from the record or from an index, it is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import astuple
from typing import NamedTuple, TypeVar

from bench.compare.identity import card
from bench.compare.machine_column import place
from bench.compare.record_set import StoredRecord, condensed
from bench.core.measurement import Measurement


class RecordKey(NamedTuple):
    """One record in a listing. `where` is its file, as a person would type it."""

    where: str
    digest: str
    created: str
    run_id: str | None
    label: str
    hash: str
    card: str
    machine: str
    place: str
    """The column of a ranking, as one text."""
    ranked: bool
    """Whether it has a figure to be ranked by."""
    side: str | None
    """`A` or `B` where it was measured in turns with another."""
    twin: bool
    """Whether it is one side of an A/A pair, which measures the machine's noise."""
    older: int = 0
    """Number of older records with the same `ALIKE` fields that this key represents."""


ALIKE = ("hash", "card", "place", "ranked", "side")
"""Fields that distinguish records in a choice, beside their run and whether they are of an A/A pair."""


def entry_of(stored: StoredRecord[Measurement]) -> RecordKey:
    """The entry of a record that was read."""
    record = stored.record
    headline, pair = record.headline(), record.pair
    return RecordKey(
        where=stored.where,
        digest=stored.digest,
        created=record.created,
        run_id=record.run_id,
        label=record.label,
        hash=record.work_key,
        card=card(record),
        machine=str(record.machine.name),
        place="\n".join(astuple(place(record))),
        ranked=record.status == "ok" and headline is not None and headline.value > 0,
        side=pair.side if pair else None,
        twin=record.status == "ok" and pair is not None and pair.other_hash == record.work_key,
    )


def by_case_and_card(entry: RecordKey) -> Hashable:
    """Key by which a comparison has one record."""
    return entry.hash, entry.card


def by_case_and_place(entry: RecordKey) -> Hashable:
    """Key by which a ranking has one record; one without a figure must not hide one that has it."""
    return entry.hash, entry.place, entry.ranked


T = TypeVar("T")


def grouped(items: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """Items of the same key together, in the order in which each key is first met."""
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def newest(
    label: str, entries: Iterable[RecordKey], key: Callable[[RecordKey], Hashable]
) -> tuple[list[RecordKey], list[str]]:
    """One record per key, with notes on the others: they are not pooled, since the code may have changed."""
    chosen, notes, older = [], [], 0
    for group in grouped(entries, key):
        one = max(group, key=lambda entry: (entry.created, entry.where))
        chosen.append(one)
        records = sum(1 + entry.older for entry in group)
        if records > 1:
            older += records - 1
            both = {"A", "B"} <= {entry.side for entry in group}
            more = f" The sides of pairs are {label}@A and {label}@B." if both else ""
            notes.append(f"{label}: {records} records of {one.label}; the newest, {one.where}, counts.{more}")
    many = f"{label}: {older:,} older records are left out; the newest of each case and card counts."
    return chosen, condensed(notes, many)
