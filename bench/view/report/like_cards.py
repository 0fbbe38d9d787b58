"""Records that are drawn for all cards of their model: of a case, the one with the median joules.

    representatives(found)       # {"1f0c...": "H200, median of 4", "77ab...": "RTX 4090 3b0e"}

A chart of 48 machines with a row each shows four models and hides the other eight; the tables have all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from bench.compare.machine_column import CardModel, card_model
from bench.compare.record_set import StoredRecord
from bench.core.record import Record
from bench.view.short_names import machine_name


def representatives(found: Iterable[StoredRecord]) -> Mapping[str, str]:
    """What is drawn, by digest: the model of its cards, or the machine of a record without a like one."""
    groups: dict[tuple[str, CardModel, object], list[StoredRecord]] = defaultdict(list)
    for each in found:
        record = each.record
        key = record.case.hash, card_model(record), record.figures.headline_scope
        groups[key].append(each)
    limits = defaultdict[str, set[str]](set)
    for _, model, _ in groups:
        limits[model.name].add(model.limits)
    return dict(
        _representative(model, alike, limited=len(limits[model.name]) > 1)
        for (_, model, _), alike in groups.items()
    )


def _representative(model: CardModel, alike: list[StoredRecord], *, limited: bool) -> tuple[str, str]:
    if len(alike) == 1:
        return alike[0].digest, machine_name(str(alike[0].record.machine.name))
    middle = sorted(alike, key=lambda each: _joules(each.record))[(len(alike) - 1) // 2]
    name = machine_name(model.name) + (f" {model.limits}" if limited else "")
    return middle.digest, f"{name}, median of {len(alike)}"


def _joules(record: Record) -> float:
    headline = record.headline()
    return headline.value if headline else 0.0
