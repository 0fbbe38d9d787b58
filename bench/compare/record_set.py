"""Records read in full: those below a path, or of a parsed name.

    records_below(Path("results/rtx-4090"))          # a folder, searched through; what is hidden is left out
    of_name(parse("main:results/rtx-4090"))          # as committed: `git show`, without a checkout

`record_selection` goes from the text that a user types to records, runs and sides of pairs too.
One file that cannot be read is one sentence in `problems`; the rest is loaded all the same.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeGuard

from pydantic import ValidationError
from typing_extensions import TypeVar

from bench.compare.committed_records import committed
from bench.compare.record_files import FoundText, piped, texts_below
from bench.compare.record_names import RecordName
from bench.core.energy_result import ComparedCommands, EnergyResult, SavedSession
from bench.core.measurement import Measurement
from bench.core.notebook import NotebookTable
from bench.core.record import Record
from bench.errors import RecordError
from bench.footprint.importers import known
from bench.store import results

COMMIT_FIRST = "Commit those of the base first: git add {inside} && git commit"
SAID_ONE_BY_ONE = 3
"""Most notes of one sort on a side that are shown one by one; more become one sentence."""
LFS_POINTER = "version https://git-lfs.github.com/spec/"
PROGRAMS_OWN = re.compile(r'\s*\{\s*"schema":\s*"joulebench/(ab|energy|pytest|watch)/')
"""Measurements of programs, or a session of tests: read where named, passed over in a folder."""
WATCHED = re.compile(r'\s*\{\s*"schema":\s*"joulebench/watch/')


Kind = TypeVar("Kind", bound=Measurement, covariant=True, default=Record)
"""Type that is read: records, unless other measurements are welcome."""


@dataclass(frozen=True)
class StoredRecord(Generic[Kind]):
    """A record, where it was found, and a digest of its text, by which the very same file is known again."""

    record: Kind
    where: str
    digest: str


@dataclass(frozen=True)
class RecordSet(NotebookTable, Generic[Kind]):
    """One side: its label, its records, problems in reading, notes, and its folder."""

    label: str
    found: tuple[StoredRecord[Kind], ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    folder: Path


def records_below(path: Path) -> RecordSet:
    """The records of a file or folder; anything else there is a problem."""
    return records_of(measured_below(path))


def measured_below(path: Path, label: str | None = None) -> RecordSet[Measurement]:
    """The same with other measurements there: a program's windows, the tests of a saved session."""
    return _gathered(label or str(path), texts_below(path), path)


def is_record(stored: StoredRecord[Measurement]) -> TypeGuard[StoredRecord[Record]]:
    """Whether it is of a case that `bench run` measured, and not of a program's own windows."""
    return isinstance(stored.record, Record)


def records_of(source: RecordSet[Measurement]) -> RecordSet:
    """The records of a source; anything else in it becomes a problem with the verbs that read it."""
    records, problems = [], list(source.problems)
    for stored in source.found:
        if is_record(stored):
            records.append(stored)
        else:
            problems.append(
                f"{stored.where}: windows of a program's own ({stored.record.label}), not a record of a "
                "case. Such results are read by compare, show and validate."
            )
    return RecordSet(source.label, tuple(records), tuple(problems), source.notes, source.folder)


def of_name(name: RecordName) -> RecordSet[Measurement]:
    """All measurements of a path, a revision or standard input, of either side."""
    if name.kind == "stdin":
        return _gathered(name.label, iter(piped()), Path())
    if name.kind == "revision":
        texts = iter(committed(name.text, name.inside))
        where = f"{name.text}:{name.inside}"
        empty = f"{where}: no records are committed there. {COMMIT_FIRST.format(inside=name.inside)}"
        return _gathered(name.label, texts, Path(name.inside), empty)
    return measured_below(Path(name.text), name.label)


def twice(where: str, first: str) -> str:
    """Note on a file with the same text as an earlier one."""
    return f"{where}: the same record as {first}; it counts once."


def all_twice(path: Path, notes: Sequence[str]) -> list[str]:
    """The notes of `twice`, or what they come to."""
    return condensed(notes, f"{path}: {len(notes):,} files repeat others word for word; each counts once.")


def condensed(notes: Sequence[str], summary: str) -> list[str]:
    """Few notes as they are; of many, the sentence that sums them up."""
    return list(notes) if len(notes) <= SAID_ONE_BY_ONE else [summary]


def _gathered(
    label: str, texts: Iterator[FoundText], path: Path, empty: str | None = None
) -> RecordSet[Measurement]:
    """Read each text; the same text twice counts once. `empty` is the problem where there is none."""
    by_text: dict[str, list[StoredRecord[Measurement]]] = {}
    problems, notes = [], []
    for where, text in texts:
        try:
            if isinstance(text, RecordError):
                raise text
            digest = digest_of(text)
            if digest in by_text:
                notes.append(twice(where, by_text[digest][0].where))
            else:
                by_text[digest] = found_in(text, where)
        except RecordError as error:
            problems.append(str(error))
    if not by_text and not problems:
        problems.append(empty or f"{path}: this folder has no records.")
    folder = path if path.is_dir() else path.parent
    listed = tuple(each for group in by_text.values() for each in group)
    return RecordSet(label, listed, tuple(problems), tuple(all_twice(path, notes)), folder)


def found_in(text: str, where: str) -> list[StoredRecord[Measurement]]:
    """The measurement in a file's text: a record, a program's result, or the tests of a saved session.

    Raises RecordError, which names the format of another known file.
    """
    if PROGRAMS_OWN.match(text) is None:
        return [record_in(text, where)]
    digest = digest_of(text)
    return [
        StoredRecord(result, f"{where} {result.name}" if result.name else where, f"{digest}-{number}")
        for number, result in enumerate(_results_in(text, where))
    ]


def record_in(text: str, where: str) -> StoredRecord:
    """The record in a file's text. Raises RecordError, which names the format of a known other file."""
    if text.startswith(LFS_POINTER):
        raise RecordError(f"{where}: this is a Git LFS pointer, not the record.", "git lfs pull")
    try:
        return StoredRecord(results.from_json(text, where), where, digest_of(text))
    except RecordError as error:
        if (other := known(text)) is None:
            raise
        what_for = "See `python -m bench footprint import --help`."
        raise RecordError(f"{where}: this is {other}, no record of joulebench.", what_for) from error


def _results_in(text: str, where: str) -> list[EnergyResult]:
    """Measurements of programs or a session of tests. Raises RecordError with the fault."""
    try:
        if WATCHED.match(text):
            return [_watched(text, where)]
        raw = results.parse(text)
        if raw["schema"].startswith("joulebench/ab/"):
            return ComparedCommands.model_validate(raw).results()
        if raw["schema"].startswith("joulebench/pytest/"):
            return SavedSession.model_validate(raw).named_results()
        return [EnergyResult.model_validate(raw)]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"])) or "the file"
        raise RecordError(f"{where}: not what a program or a test measured: {at}: {first['msg']}.") from error
    except ValueError as error:
        raise RecordError(f"{where}: not a JSON file: {error}.") from error


def _watched(text: str, where: str) -> EnergyResult:
    """Result of the command in the lines of `bench watch -o`: the last line has it. Raises RecordError."""
    last = results.parse(text.rstrip().rsplit("\n", 1)[-1])
    if last.get("event") != "end" or last.get("result") is None:
        raise RecordError(
            f"{where}: lines of watch without a command's result.",
            "Write one: watch --runs 5 -o FILE -- COMMAND.",
        )
    result = EnergyResult.model_validate(last["result"])
    return result if result.name else result.model_copy(update={"name": shlex.join(last["command"])})


def digest_of(text: str) -> str:
    """Digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
