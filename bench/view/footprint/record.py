"""Sections of `footprint record`: what follows from a record's joules, step by step, and people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from bench.footprint.assess import AssessedRow
from bench.footprint.bundled_rows import Factor
from bench.footprint.caveats import FOOTPRINTS_LEAVE_OUT
from bench.footprint.excluded_models import TOY, is_toy
from bench.footprint.measured import MeasuredRow
from bench.view import beside_people
from bench.view.content import Section, SectionPart
from bench.view.sourced import amount, chains_table, from_whom, given, keys_of, left_out, references


def sections(found: Sequence[AssessedRow], grid: Factor) -> Iterator[Section | str]:
    """Chains of every row, people beside each record, and the grid factor."""
    if not found:
        yield "These records have no joules per unit: they failed, or nothing could be metered."
    for each in found:
        row, title = each.row, f"{each.row.record.label}, per {each.row.unit}, scope {each.row.scope}"
        absent = tuple(f"{name}: not computed: {reason}" for name, reason in each.absent.items())
        parts: tuple[SectionPart, ...] = (*_standing(row), chains_table(each.chains))
        yield Section(f"{title}, {row.kind}, weights {row.weights}", parts, absent)
    for _, group in groupby(found, key=lambda each: id(each.row.record)):
        of_record = list(group)
        grams = {each.row.scope: each.chains["electricity"].result for each in of_record}
        yield beside_people.section(of_record[0].row.record, grams)
    year = f" {grid.year}" if grid.year else ""
    yield Section("Grid", (f"{grid.id}{year}, {given(grid)}, {from_whom(grid)}.",))
    yield references(keys_of(chain for each in found for chain in each.chains.values()))
    yield left_out(FOOTPRINTS_LEAVE_OUT)


def _standing(row: MeasuredRow) -> Iterator[str]:
    """The joules, and their equivalents."""
    record = row.record
    if is_toy(record):
        yield f"This is {TOY}."
    if record.status != "ok":
        yield f"{record.status}: {'; '.join(record.distinct_reasons)}"
    yield f"{amount(row.joules)} (interval: {row.interval}); {row.conditions}"
