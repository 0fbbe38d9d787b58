"""Sections of `footprint published`: what others have published, by scope, beside measured figures."""

from __future__ import annotations

from collections.abc import Iterator

from bench.core.quantities import Joules
from bench.footprint.bundled_rows import SCOPES, Published
from bench.footprint.caveats import BRIEFLY
from bench.footprint.figure_units import condition_text
from bench.footprint.listing import Axis, PublishedFigures, by_axis, without_a_figure
from bench.footprint.measured import MeasuredRow
from bench.view.content import Cell, Column, Section, columns, table
from bench.view.numbers import NOT_KNOWN
from bench.view.sourced import from_whom, left_out, references
from bench.view.spans import span

EACH = "#J each"
HEADS = (
    "system",
    "kind",
    "#value",
    "per",
    EACH,
    "hardware, conditions",
    "what it counts",
    "year",
    "source",
    "note",
)
ASIDE = ("hardware, conditions", "what it counts", "source")
BRIEF = 7
"""Rows without `--all`."""
SHOWN = {
    "steps": "steps",
    "resolution": "size",
    "width_px": "width",
    "frames": "frames",
    "fps": "fps",
    "batch": "batch",
    "precision": "dtype",
}
"""Conditions that are shown, and what they are called; `--json` has them all."""


def brief(found: PublishedFigures) -> Iterator[Section | str]:
    """Measured figures and the first published ones, in a few lines."""
    rows, measured, _, unit, _ = found
    ours = [_measured(row) for row in measured.rows]
    theirs = [_published(row, found.joules(row), {row.note or "": 0}) for row in rows]
    kept = [cells[:5] for cells in (*ours, *theirs)][:BRIEF]
    yield "What others have published, unranked: compare within one scope, unit and hardware. The first:"
    yield Section("", (table(_columns(unit)[:5], kept),))
    yield from (f"left out: {reason}" for reason in measured.left_out)
    yield f"{BRIEFLY} All {len(rows)} published figures, with conditions and sources: --all"


def sections(found: PublishedFigures) -> Iterator[Section | str]:
    """A table a scope, notes and ids, systems without a figure, and sources."""
    rows, measured, modality, unit, imported = found
    yield (
        "What others have published, unranked. Figures of different scope count different things: compare "
        "within one, and look at the conditions even there."
    )
    if unit is not None and not rows:
        yield f"No figure per {unit} is published, of the modality and scope asked for."
    grouped = by_axis(rows)
    notes = {
        note: number for number, note in enumerate(dict.fromkeys(row.note for row in rows if row.note), 1)
    }
    for scope in SCOPES:
        mine = [row for row in measured.rows if row.scope == scope]
        plain_axis = Axis(scope)
        axes = [axis for axis in grouped if axis.scope == scope and axis != plain_axis]
        for axis in ([plain_axis] if mine or plain_axis in grouped else []) + axes:
            ours = map(_measured, mine if axis == plain_axis else [])
            theirs = (_published(row, found.joules(row), notes) for row in grouped.get(axis, []))
            yield Section(axis.about, (table(_columns(unit), (*ours, *theirs)),))
    yield from (f"left out: {reason}" for reason in measured.left_out)
    yield Section("Notes", tuple(f"{number}  {note}" for note, number in notes.items()))
    ids = table(columns("id", "system", "scope"), ((row.id, row.system, row.scope) for row in rows))
    yield Section("Ids, whole, as `footprint cost` and `footprint projection` take them", (ids,))
    without = ((system.name, system.kind, system.how) for system in without_a_figure(modality))
    heads = columns("system", "kind", "what can be done instead")
    yield Section("No published figure", (table(heads, without),))
    yield references((row.source for row in rows), imported.sources)
    yield left_out()


def _columns(unit: str | None) -> tuple[Column, ...]:
    """Columns, with the joules of the unit asked for."""
    heads = (head if unit is None or head != EACH else f"#J/{unit}" for head in HEADS)
    return columns(*heads, aside=ASIDE)


def _measured(row: MeasuredRow) -> tuple[Cell, ...]:
    return (
        row.record.label,
        f"{row.kind}, random weights" if row.weights == "random" else row.kind,
        f"{span(row.joules.range)} J",
        row.unit,
        row.joules.value,
        row.conditions,
        f"{row.scope}; interval {row.interval}",
        row.record.created[:4],
        row.source,
        "",
    )


def _published(row: Published, joules: Joules | None, notes: dict[str, int]) -> tuple[Cell, ...]:
    return (
        row.system,
        "published",
        _value(row),
        row.unit if row.count == 1 else f"{row.count} × {row.unit}",
        None if joules is None else joules.value,
        _conditions(row),
        row.boundary,
        str(row.year or NOT_KNOWN),
        from_whom(row),
        "" if row.note is None else str(notes[row.note]),
    )


def _conditions(row: Published) -> str:
    """Hardware, and what the joules depend on most."""
    named = (
        f"{name} {condition_text(row.conditions[key])}"
        for key, name in SHOWN.items()
        if key in row.conditions
    )
    return ", ".join([row.hardware or "hardware not stated", *named])


def _value(row: Published) -> str:
    """As the source has it, with the bounds that it states."""
    value, low, high = (
        NOT_KNOWN if each is None else f"{each:,g}" for each in (row.value, row.low, row.high)
    )
    bounds = f" ({low} to {high})" if (low, high) != (NOT_KNOWN, NOT_KNOWN) else ""
    return f"{value}{bounds} {row.value_unit}"
