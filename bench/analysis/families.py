"""Variants of one case beside the plain way of doing the same work, with the figures of a comparison.

    for family in families_of(found):
        family.plain.record, [(variant.record, comparison) for variant, comparison in family.variants]

A family is what agrees in everything but the variant, on one card. Of several records of one case the
newest counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.analysis.compare import Comparison, compare
from bench.analysis.identity import card
from bench.analysis.sources import Found, Source
from bench.catalog.identity import LABELS
from bench.catalog.variants import WAYS, ways
from bench.records.schema import Record

MEANT = (*WAYS, *(f"options.{key}" for key in WAYS), "engine.used", "engine.parameters")
"""What may differ between a variant and the plain way: the variant, and what it does to the loaded model."""


@dataclass(frozen=True)
class Family:
    """The plain way, and each variant with its comparison to it."""

    plain: Found
    variants: tuple[tuple[Found, Comparison], ...]


def families_of(found: Iterable[Found]) -> Iterator[Family]:
    """Every case of which the plain way and at least one other were measured."""
    members: dict[str, dict[str, Found]] = {}
    for each in sorted(found, key=lambda one: (one.record.created, one.where)):
        members.setdefault(_work(each.record), {})[str(each.record.case["hash"])] = each
    for family in members.values():
        plain = next((each for each in family.values() if not named(each.record)), None)
        others = [each for each in family.values() if each is not plain]
        if plain is not None and others:
            yield Family(plain, tuple((each, _compared(plain, each)) for each in others))


def named(record: Record) -> list[str]:
    """The record's variant in words; nothing for the plain way."""
    return ways(record.case | record.case["options"])


def _work(record: Record) -> str:
    """Everything that a family has in common."""
    left_out = {*WAYS, *LABELS}
    case = {key: value for key, value in record.case.items() if key not in left_out}
    case["options"] = {key: value for key, value in case["options"].items() if key not in left_out}
    return json.dumps([case, card(record)], sort_keys=True, default=str)


def _compared(plain: Found, other: Found) -> Comparison:
    sides = (Source(each.where, (each,), (), (), Path(each.where).parent) for each in (plain, other))
    return compare(*sides, vary=MEANT).comparisons[0]
