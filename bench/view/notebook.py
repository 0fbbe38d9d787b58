"""Results as a notebook displays them: the tables of their verbs, the details folded.

html(window)           # also of a record, a result, a set of records, a comparison
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.compare import gate
from bench.compare.across import AcrossMachines
from bench.compare.comparison import ComparisonResult
from bench.compare.record_set import RecordSet, is_record
from bench.core.measurement import Measurement
from bench.core.record import Record
from bench.measurement.api import Window
from bench.view import across, comparison, fragment, record, results
from bench.view.content import Cell, Fold, Section, SectionPart, Written, pairs
from bench.view.numbers import NOT_KNOWN, by_width


def html(result: object) -> str:
    """A piece of HTML for a result of any of these types. Raises TypeError for another."""
    return fragment.html(_parts(result))


def _parts(result: object) -> Iterable[Section | SectionPart]:
    match result:
        case Window():
            return [_window(result)]
        case Measurement():
            return _measurement(result)
        case RecordSet():
            return [results.section([each.record for each in result.found if is_record(each)], notes=False)]
        case ComparisonResult():
            return comparison.sections(result, gate.judge(result, (), (), strict=False))
        case AcrossMachines():
            return across.sections(result)
    raise TypeError(f"{type(result).__name__} has no table for notebooks")


def _window(window: Window) -> SectionPart:
    """Values of a window, or that it has not ended."""
    if not window.closed:
        return "A window that has not ended: its values are there after the `with` block."
    absent = window.absent
    named = (
        ("J", window.energy_j, "energy_j"),
        ("J net", window.net_j, "net_j"),
        (f"J per {window.unit}", window.energy_per_unit_j, "energy_per_unit_j"),
        (f"J net per {window.unit}", window.net_per_unit_j, "net_per_unit_j"),
    )
    rows: list[tuple[str, Cell]] = [(what, _value(value, absent.get(name))) for what, value, name in named]
    rows += [("s", _value(window.duration_s, None)), ("scope", f"{window.scope}, {window.kind}")]
    rows.append(("valid", "yes" if window.valid else f"no: {' '.join(window.reasons)}"))
    return pairs(rows)


def _value(value: float | None, reason: str | None) -> Cell:
    """A number without an interval, or a dash and the reason."""
    return (
        f"{NOT_KNOWN} {reason or ''}".rstrip()
        if value is None
        else Written(by_width(value, None, None), value)
    )


def _measurement(found: Measurement) -> Iterator[Section | SectionPart]:
    """Sections of `bench show`: those behind the figures folded."""
    yield "" if isinstance(found, Record) else str(found)
    parts = list(record.sections(found))
    titles = [part.title if isinstance(part, Section) else "" for part in parts]
    visible = titles.index(record.FIGURES) + 1 if record.FIGURES in titles else len(parts)
    yield from parts[:visible]
    for part in parts[visible:]:
        if isinstance(part, Section):
            yield Fold(part.title or "Blocks", (*part.parts, *part.notes))
