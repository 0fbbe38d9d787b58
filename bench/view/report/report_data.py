"""The records of a report, each once, and the newest of each case and machine.

data = gather([measured_below(results)], Settings(grid=choose(None)))
for found, row in data.compared:
    print(found.where, row.scope, row.joules.value)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from bench.compare.machine_column import column_of
from bench.compare.record_set import RecordSet, StoredRecord, is_record
from bench.core.measurement import Measurement
from bench.footprint.bundled_rows import Factor
from bench.footprint.excluded_models import set_aside
from bench.footprint.measured import MeasuredRow, rows_of
from bench.footprint.references import NO_REFERENCES, References
from bench.stats import uncertainty


@dataclass(frozen=True)
class Settings:
    """The reader's choices: grid factor, a data centre's overhead, reference rows."""

    grid: Factor
    pue: Factor | None = None
    references: References = NO_REFERENCES
    shapes: bool = False
    """Whether random weights of true shapes are shown beside people and published figures."""

    def sentences(self) -> Iterator[str]:
        """The settings in words, for every ranking that depends on them."""
        yield self.electricity()
        yield f"{self.overhead()} Scenarios, and the answer from them, add what they state."
        for key, source in self.references.sources.items():
            yield f"Reference rows of {key}: {source.citation}{f' ({source.url})' if source.url else ''}."

    def electricity(self) -> str:
        """Grid factor of all grams that are worked out here."""
        year = f", {self.grid.year}" if self.grid.year else ""
        return f"Electricity: {self.grid.id}, {self.grid.value:g} g CO2e/kWh{year} ({self.grid.source})."

    def overhead(self) -> str:
        """A data centre's overhead on figures of records; the answer and scenarios have their own."""
        if self.pue is None:
            return "Grams of records are of the machine alone, without a data centre's overhead."
        return f"Grams of records have PUE {self.pue.value:g}, applied once at scope host."


@dataclass(frozen=True)
class ReportData:
    """Every record found, newest first, and what could not be read."""

    found: tuple[StoredRecord, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    settings: Settings
    programs: tuple[StoredRecord[Measurement], ...] = ()
    """Measurements of programs and tests around their own work."""

    @cached_property
    def newest(self) -> Sequence[StoredRecord]:
        """The newest `ok` record of each case on each machine: what the figures are drawn from."""
        seen: dict[tuple[object, ...], StoredRecord] = {}
        for each in self.found:
            if each.record.status == "ok":
                seen.setdefault((each.record.case.hash, column_of(each.record)), each)
        return tuple(seen.values())

    @cached_property
    def rows(self) -> Sequence[tuple[StoredRecord, MeasuredRow]]:
        """Joules per unit of the newest records, a row a scope."""
        return tuple((each, row) for each in self.newest for row in rows_of(each.record))

    @cached_property
    def compared(self) -> Sequence[tuple[StoredRecord, MeasuredRow]]:
        """The rows that may be shown beside people, published figures and other models."""
        shapes = self.settings.shapes
        return [(each, row) for each, row in self.rows if set_aside(each.record, shapes=shapes) is None]

    @property
    def aside(self) -> Mapping[str, int]:
        """Number of the newest records that are not compared, by the reason."""
        reasons = (set_aside(each.record, shapes=self.settings.shapes) for each in self.newest)
        return Counter(reason for reason in reasons if reason)

    @property
    def source(self) -> RecordSet:
        """All records as one side of a comparison."""
        return RecordSet("now", self.found, self.problems, self.notes, Path())

    @property
    def headlines(self) -> Sequence[tuple[StoredRecord, MeasuredRow]]:
        """The rows at their record's headline scope alone."""
        return [(each, row) for each, row in self.rows if row.scope == each.record.figures.headline_scope]


def gather(sources: Iterable[RecordSet[Measurement]], settings: Settings) -> ReportData:
    """All records and programs' windows of all sources, newest first; the same file twice counts once."""
    kept = tuple(sources)
    every = {each.digest: each for source in kept for each in source.found}
    newest_first = sorted(every.values(), key=lambda each: each.record.created, reverse=True)
    return ReportData(
        found=tuple(_with_budget(each) for each in newest_first if is_record(each)),
        programs=tuple(each for each in newest_first if not is_record(each)),
        problems=tuple(problem for source in kept for problem in source.problems),
        notes=tuple(note for source in kept for note in source.notes),
        settings=settings,
    )


def _with_budget(found: StoredRecord) -> StoredRecord:
    """The oldest records lack their budget: it is drawn up once here, as every section asks for it."""
    figures = found.record.figures
    if figures.uncertainty is not None:
        return found
    whole = figures.model_copy(update={"uncertainty": uncertainty.of(found.record)})
    return replace(found, record=found.record.model_copy(update={"figures": whole}))
