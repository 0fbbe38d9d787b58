"""Systems that the papers name, and what answers for each: what `list --systems` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.footprint.listing import RepresentedSystem
from bench.view.content import Cell, Section, columns, table
from bench.view.numbers import NOT_KNOWN

ASIDE = ("published figures", "how")
COLUMNS = columns("system", "represented", "per", "by model", *ASIDE, aside=ASIDE)


def sections(rows: Sequence[RepresentedSystem]) -> Iterator[Section | str]:
    """One table of all systems."""
    by = Counter(row.by for row in rows)
    yield (
        f"{len(rows)} systems that the papers name: {by['can be run']} can be run, {by['stand-in']} have an "
        f"open stand-in that can, {by['sourced']} have only a published figure (sourced), and of "
        f"{by['no published figure']} there is no published figure."
    )
    yield Section("", (table(COLUMNS, map(_row, rows)),))
    yield "Measure one with: python -m bench run MODEL"
    yield "Published figures in full: python -m bench footprint published"


def _row(row: RepresentedSystem) -> tuple[Cell, ...]:
    return (
        row.system.name,
        row.by,
        ", ".join(row.units) or NOT_KNOWN,
        ", ".join(row.models),
        ", ".join(row.system.figures),
        row.system.how,
    )
