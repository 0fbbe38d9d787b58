"""Selection of records by the names that a user types; only the chosen are read in full.

    listing = listed("results", Path("results"), tell)
    side = listing.newest(by_case_and_card)          # a RecordSet: the newest record a case and card

`record_names` is the grammar of names.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Generic

from bench.compare import record_files, record_set
from bench.compare.index import Tell, open_index
from bench.compare.index.store import KEPT_FROM
from bench.compare.record_key import RecordKey, entry_of, grouped, newest
from bench.compare.record_names import LATEST, RecordName, no_side, parse, sided
from bench.compare.record_set import Kind, RecordSet, StoredRecord, records_of
from bench.core.measurement import Measurement
from bench.errors import RecordError, UsageError
from bench.store import results as store

NEWEST_RUNS = 3


@dataclass(frozen=True)
class RecordSelection(Generic[Kind]):
    """A side before the choice: its label, its records' entries, what could not be read, its folder."""

    label: str
    entries: tuple[RecordKey, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    folder: Path
    read: Callable[[RecordKey], StoredRecord[Kind]]

    def newest(self, key: Callable[[RecordKey], Hashable]) -> RecordSet[Kind]:
        """The newest record of each key, read in full, and notes on the others."""
        chosen, notes = newest(self.label, self.entries, key)
        return self.source(chosen, notes)

    def source(self, chosen: Iterable[RecordKey], notes: Iterable[str] = ()) -> RecordSet[Kind]:
        """The chosen records, read in full."""
        records = tuple(map(self.read, chosen))
        return RecordSet(self.label, records, self.problems, (*self.notes, *notes), self.folder)


def listed(text: str, results: Path, tell: Tell) -> RecordSelection[Measurement]:
    """All that was measured behind any name of `record_names`; runs are looked for below `results`."""
    name = parse(text)
    path = Path(name.text)
    if name.kind == "path" and path.is_dir():
        return _of_side(replace(folder(path, tell), label=name.label), name, text)
    return _whole(name, text, results, tell)


def _of_side(
    selection: RecordSelection[Measurement], name: RecordName, text: str
) -> RecordSelection[Measurement]:
    """The records of the side that is named, or all where none is."""
    if name.side is None:
        return selection
    kept = tuple(entry for entry in selection.entries if entry.side == name.side)
    none = () if kept else (no_side(sided(text)[0], name.side),)
    # A run's id may have been named by its beginning only.
    label = (
        f"{selection.label}@{name.side}"
        if name.kind == "run" and selection.label != name.label
        else name.label
    )
    return replace(selection, label=label, entries=kept, problems=selection.problems + none)


def load(text: str, results: Path, tell: Tell) -> RecordSet:
    """All records behind any name of `record_names`, read in full."""
    return records_of(load_all(text, results, tell))


def load_all(text: str, results: Path, tell: Tell) -> RecordSet[Measurement]:
    """All that was measured behind any name of `record_names`, read in full."""
    selection = _whole(parse(text), text, results, tell)
    return selection.source(selection.entries)


def _whole(name: RecordName, text: str, results: Path, tell: Tell) -> RecordSelection[Measurement]:
    """All measurements of a name, older ones of a long folder included."""
    if name.kind == "run":
        return _of_side(_run(name, results, tell), name, text)
    return _of_side(of_source(record_set.of_name(name)), name, text)


def folder(path: Path, tell: Tell, *, each_run: bool = False) -> RecordSelection:
    """All records below a folder; by its index where they are many, and then only what may be chosen."""
    few = len(list(islice(record_files.files(path), KEPT_FROM))) < KEPT_FROM
    if few:
        return of_source(record_set.records_below(path))
    with open_index(path, tell) as index:
        entries, problems = index.entries(each_run=each_run), index.problems()
        notes = [record_set.twice(*both) for both in index.repeated()]
    notes_of_twice = record_set.all_twice(path, notes)
    return RecordSelection(str(path), tuple(entries), tuple(problems), tuple(notes_of_twice), path, _read)


def of_source(source: RecordSet[Kind]) -> RecordSelection[Kind]:
    """A side whose records are at hand."""
    entries = {entry_of(stored): stored for stored in source.found}
    return RecordSelection(
        source.label, tuple(entries), source.problems, source.notes, source.folder, entries.__getitem__
    )


def _read(entry: RecordKey) -> StoredRecord:
    """The record of an entry, from its own file. Raises RecordError."""
    text = record_files.text_of(entry.where)
    if record_set.digest_of(text) != entry.digest:
        raise RecordError(f"{entry.where}: it was written to in this very moment.", "Call again.")
    return StoredRecord(store.from_json(text, entry.where), entry.where, entry.digest)


def _run(name: RecordName, results: Path, tell: Tell) -> RecordSelection:
    """The records of the newest run, or of the one run whose id begins so."""
    text = name.text
    below = folder(results, tell, each_run=True) if results.is_dir() else None
    ids = _runs(below.entries) if below else []
    fitting = ids[-1:] if text == LATEST else [each for each in ids if each.startswith(text)]
    if below is None or len(fitting) != 1:
        shown = ", ".join((fitting or ids)[-NEWEST_RUNS:][::-1])
        reason = f"{len(fitting)} runs begin so" if fitting else f"no file or folder, and no run in {results}"
        raise UsageError(f"{text}: {reason}.", f"The newest: {shown}." if shown else "None there has an id.")
    kept = _without_repeated(entry for entry in below.entries if entry.run_id == fitting[0])
    unlabelled = name.label in (text, f"{text}@{name.side}")
    label = fitting[0] if unlabelled else name.label
    return replace(below, label=label, entries=kept, problems=(), notes=())


def _runs(entries: Iterable[RecordKey]) -> list[str]:
    """Ids of runs by their latest record: a run that was gone on with today is newer than yesterday's."""
    latest: dict[str, str] = {}
    for entry in entries:
        if entry.run_id:
            latest[entry.run_id] = max(entry.created, latest.get(entry.run_id, ""))
    return sorted(latest, key=lambda run_id: (latest[run_id], run_id))


def _without_repeated(entries: Iterable[RecordKey]) -> tuple[RecordKey, ...]:
    """Entries of one run without those of a case that it measured again: interrupted first, whole later."""
    groups = grouped(entries, lambda entry: (entry.hash, entry.card, entry.machine, entry.side))
    return tuple(max(group, key=lambda entry: (entry.created, entry.where)) for group in groups)
