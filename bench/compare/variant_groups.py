"""Variants of one case beside the plain way of doing the same work, with the figures of a comparison.

    for family in families_of(found):
        family.plain.record, [(variant.record, comparison) for variant, comparison in family.variants]

A family is what agrees in everything but the variant, on one card. Of several records of one case the
newest counts; a variant that was measured in turns with the plain way is compared with that very record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.catalog.identity import LABELS
from bench.catalog.variants import WAYS, ways
from bench.compare.comparison import Comparison, of_pairs
from bench.compare.identity import card
from bench.compare.noise import Floors, in_turns
from bench.compare.record_set import StoredRecord
from bench.core.record import Record

MEANT = (*WAYS, *(f"options.{key}" for key in WAYS), "engine.used", "engine.parameters")
"""Fields that may differ between a variant and the plain way: the variant, and its effects."""


@dataclass(frozen=True)
class VariantGroup:
    """The newest record of the plain way, and each variant with its comparison to the plain way."""

    plain: StoredRecord
    variants: tuple[tuple[StoredRecord, Comparison], ...]


def families_of(records: Iterable[StoredRecord], floors: Floors | None = None) -> list[VariantGroup]:
    """Every case of which the plain way and at least one other were measured.

    p-values are corrected over all variants of all of them.
    """
    members: dict[str, list[StoredRecord]] = {}
    for each in sorted(records, key=lambda one: (one.record.created, one.where)):
        members.setdefault(_work(each.record), []).append(each)
    plains = {work: [each for each in family if not named(each.record)] for work, family in members.items()}
    pairs = {
        work: [(_plain(plains[work], other), other) for other in _variants(family)]
        for work, family in members.items()
        if plains[work]
    }
    compared = iter(of_pairs((pair for each in pairs.values() for pair in each), vary=MEANT, floors=floors))
    return [
        VariantGroup(plains[work][-1], tuple((other, next(compared)) for _, other in each))
        for work, each in pairs.items()
        if each
    ]


def _variants(family: Iterable[StoredRecord]) -> Iterable[StoredRecord]:
    """The newest record of each."""
    return {each.record.case.hash: each for each in family if named(each.record)}.values()


def _plain(plains: Sequence[StoredRecord], other: StoredRecord) -> StoredRecord:
    """The plain record that a variant is compared with."""
    return next((each for each in plains if in_turns(each.record, other.record)), plains[-1])


def named(record: Record) -> list[str]:
    """The record's variant in words; nothing for the plain way."""
    return ways(record.case.as_mapping() | record.case.options)


def _work(record: Record) -> str:
    """Everything that a family has in common."""
    left_out = {*WAYS, *LABELS}
    case = {key: value for key, value in record.case.as_mapping().items() if key not in left_out}
    case["options"] = {key: value for key, value in case["options"].items() if key not in left_out}
    return json.dumps([case, card(record)], sort_keys=True, default=str)
