"""Records named on the command line, for verbs that go through them one by one.

named_records(("latest", "main:results"), results)    # `bench.compare.record_names` is the grammar
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.cli.notes import tell
from bench.compare import record_files
from bench.compare.record_names import parse
from bench.compare.record_selection import load, load_all
from bench.compare.record_set import RecordSet, StoredRecord
from bench.core.measurement import Measurement
from bench.core.record import Record
from bench.errors import RecordError, UsageError
from bench.footprint import measured
from bench.footprint.excluded_models import is_toy
from bench.footprint.measured import NOT_A_TOY, MeasuredRow, row_of
from bench.footprint.rates import EnergyRate, of_published, of_record
from bench.footprint.scenarios.inputs import figure

NAMES = "a file, a folder, REVISION:PATH, a run's id, latest, or - for standard input"


def named_records(names: Iterable[str], results: Path) -> Iterator[Record]:
    """The records behind each name, in order. Raises RecordError after those of a name that has a problem."""
    for name in names:
        yield from (found.record for found in _found(name, results))


def named_measurements(names: Iterable[str], results: Path) -> Iterator[Measurement]:
    """The same with what programs and tests metered around their own work."""
    for name in names:
        source = load_all(name, results, tell)
        yield from (found.record for found in source.found)
        _refuse_problems(source)


def named_rows(names: tuple[str, ...], results: Path, *, shapes: bool) -> measured.MeasuredRows:
    """The rows of the records behind each name, and what was left out; without a name, all of `results`.

    Nothing is there where `results` is not.
    """
    named = [load(name, results, tell) for name in names] or _all_of(results)
    found = measured.rows_in(
        ((each.where, each.record) for source in named for each in source.found), shapes=shapes
    )
    problems = [text for source in named for text in (*source.problems, *source.notes)]
    return measured.MeasuredRows(found.rows, [*problems, *found.left_out])


def kept_record(name: str, results: Path) -> StoredRecord:
    """The one record behind a name, with its place. Raises UsageError where several are there."""
    found = list(_found(name, results))
    if len(found) != 1:
        shown = ", ".join(each.where for each in found[:3])
        raise UsageError(
            f"{name}: {len(found)} records are there, and one belongs here.", f"Name one of them: {shown}."
        )
    return found[0]


def named_row(name: str, results: Path, scope: str | None, unit: str) -> MeasuredRow:
    """Joules per unit of the record behind a name: of several, the newest that has them, with a note.

    Raises UsageError where no record has them, with the reason.
    """
    found = sorted(_found(name, results), key=lambda each: each.record.created, reverse=True)
    if found and all(each.record.status == "ok" and is_toy(each.record) for each in found):
        raise UsageError(f"{name}: {len(found)} of {len(found)} records are of toy models.", NOT_A_TOY)
    if len(found) == 1:
        return row_of(found[0].record, found[0].where, scope)
    fitting = [each for each in found if each.record.case.unit == unit and not is_toy(each.record)]
    reasons: list[UsageError] = []
    for each in fitting:
        try:
            row = row_of(each.record, each.where, scope)
        except UsageError as error:
            reasons.append(error)
        else:
            tell(f"{name}: {len(found)} records; taken is the newest of a {unit}: {row.label}, {each.where}")
            return row
    if reasons:
        raise reasons[0]
    units = ", ".join(sorted({each.record.case.unit for each in found}))
    raise UsageError(
        f"{name}: none of {len(found)} records has joules per {unit} of a model of true size.",
        f"Units there: {units}.",
    )


def named_rates(names: Iterable[str], results: Path, scope: str | None) -> dict[str, list[EnergyRate]]:
    """Joules per token, page or image of records and of published figures, by place or id.

    Of a name with several records, those without joules are left out with a note. Raises UsageError where
    nothing is left, and for a scope without a record.
    """
    rates: dict[str, list[EnergyRate]] = {}
    of_records = False
    for name in names:
        if _is_figure(name):
            rates[name] = [of_published(name)]
        else:
            of_records = True
            rates |= {place: of_record(row, place) for place, row in _usable(name, results, scope)}
    if scope is not None and not of_records:
        raise UsageError(
            "--scope picks among the scopes of a record, and no record is named.", "Leave it out."
        )
    return rates


def _found(name: str, results: Path) -> Iterator[StoredRecord]:
    source = load(name, results, tell)
    yield from source.found
    _refuse_problems(source)


def _refuse_problems(source: RecordSet[Measurement]) -> None:
    if source.problems:
        raise RecordError("\n".join(source.problems))


def _all_of(results: Path) -> list[RecordSet]:
    """All records of the results folder; empty, without a complaint, if the folder does not exist."""
    source = load(str(results), results, tell) if results.is_dir() else None
    return [source] if source and (source.found or any(record_files.files(results))) else []


def _is_figure(name: str) -> bool:
    """Whether a name is a bundled figure's id. Raises UsageError if it is not a record's name either."""
    if os.path.lexists(name):
        return False
    try:
        figure(name)
    except UsageError as error:
        unknown = error
    else:
        return True
    try:
        parse(name)
    except UsageError as error:
        if Path(name).suffix == ".json" or os.sep in name:
            raise
        raise UsageError(
            f"{name}: no such file or folder, and no published figure has this id.", unknown.remedy
        ) from error
    return False


def _usable(name: str, results: Path, scope: str | None) -> Iterator[tuple[str, MeasuredRow]]:
    """Place and joules per unit of the records behind a name. Raises UsageError where there are none."""
    found = list(_found(name, results))
    left_out: list[UsageError] = []
    for each in found:
        try:
            yield each.where, row_of(each.record, each.where, scope)
        except UsageError as error:
            left_out.append(error)
    if left_out and len(left_out) == len(found):
        raise left_out[0]
    for reason in left_out:
        tell(f"left out: {reason}")
