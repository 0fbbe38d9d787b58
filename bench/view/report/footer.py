"""The line beneath a picture: its records by nature, its sources by name, its conditions, and its date.

    footer([(found, "estimated")], ["Tomlinson et al. 2024"], settings.electricity())

Only records with a mark in that very picture count. "Measured" is a figure of a meter: what a model of
power gives is estimated, and random weights are a shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from bench import __version__
from bench.compare.record_set import StoredRecord
from bench.core.record import Record
from bench.footprint.excluded_models import is_shape, is_toy
from bench.view.content import clean
from bench.view.short_names import machine_name

Mark = tuple[StoredRecord, str]
"""Record with a mark in a picture, and the kind of its figure: measured, estimated or mixed."""

UNMEASURED = "What is known without measuring: published figures."
KINDS = {
    "measured": "Measured",
    "estimated": "Estimated by a model of power, not metered",
    "mixed": "Measured in part, the rest estimated",
}
METERED = "Joules are of the machine alone, without a data centre's overhead."
NAMED = 6
"""Sources that a footer names. The picture's CSV has all."""


def footer(marks: Iterable[Mark], sources: Iterable[str], *conditions: str) -> str:
    """All that a picture rests on, in sentences."""
    parts = [basis(list(marks)), sources_sentence(list(dict.fromkeys(sources))), *conditions, made_by()]
    return " ".join(filter(None, parts))


def basis(marks: Sequence[Mark]) -> str:
    """`Measured: 2 cases on 2 machines, the newest of 2026-11-20.`, a sentence a kind and nature."""
    groups: dict[tuple[str, str], dict[str, StoredRecord]] = {}
    for found, kind in marks:
        groups.setdefault((kind, _weights(found.record)), {})[found.digest] = found
    sentences = [
        _counted(KINDS.get(kind, kind), weights, list(groups[kind, weights].values()))
        for kind, weights in sorted(groups, key=lambda each: (list(KINDS).index(each[0]), each[1]))
    ]
    return " ".join(sentences) or UNMEASURED


def _counted(kind: str, weights: str, found: Sequence[StoredRecord]) -> str:
    count, machines = len(found), {machine_name(str(each.record.machine.name)) for each in found}
    where = next(iter(machines)) if len(machines) == 1 else f"{len(machines)} machines"
    newest = max(each.record.created for each in found)[:10]
    unclear = sum(each.record.verdict == "inconclusive" for each in found)
    text = f"{kind}: {count} case{'s' * (count > 1)}{weights} on {clean(where, 40)}, "
    text += f"the newest of {newest}" if count > 1 else f"of {newest}"
    if unclear:
        text += ", inconclusive" if count == 1 else f"; {unclear} inconclusive"
    return f"{text}."


def _weights(record: Record) -> str:
    if is_toy(record):
        return " of toy models, whose joules mean nothing,"
    return " of random weights, a shape and not a model," if is_shape(record) else ""


def nature(record: Record, kind: str) -> str:
    """Words that a label needs: `a shape, estimated, inconclusive`; empty of a metered one of a model."""
    return ", ".join(_natures(record, kind))


def _natures(record: Record, kind: str) -> Iterator[str]:
    if is_toy(record):
        yield "a toy"
    elif is_shape(record):
        yield "a shape"
    if kind != "measured":
        yield "partly estimated" if kind == "mixed" else kind
    if record.verdict == "inconclusive":
        yield "inconclusive"


def sources_sentence(names: Sequence[str]) -> str:
    """`Sources: A, B and C.`; more than a picture has room for are counted."""
    if not names:
        return ""
    kept, more = list(names[:NAMED]), len(names) - NAMED
    if more > 0:
        return f"Sources: {', '.join(kept)} and {more} more in the CSV."
    last = kept.pop()
    return f"Sources: {' and '.join(filter(None, (', '.join(kept), last)))}."


def made_by(today: date | None = None) -> str:
    """`joulebench 0.1.0, 28 November 2026.`"""
    day = today or date.today()
    return f"joulebench {__version__}, {day.day} {day:%B %Y}."
