"""Labels of cases in one table or list: those that would be alike gain the keys in which they differ.

planned_labels(cases)        # ["tiny-bloom ... seed 0", "tiny-bloom ... seed 1"]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from bench.catalog.cases import Case
from bench.compare.cards_apart import cards_apart
from bench.core.record import Record
from bench.core.workload import Workload
from bench.view.short_names import machine_name

UNSAID = frozenset({"hash", "identity_version", "toy"})
"""Keys of a case that name no difference to a reader."""
LONGEST = 20
"""Characters of a value that are shown; a fingerprint is longer."""
Facts = Mapping[str, Any]


def planned_labels(cases: Sequence[Case]) -> list[str]:
    """Labels of cases that are still to be measured."""
    return distinct([case.label for case in cases], [case.as_mapping for case in cases])


def record_labels(labels: Sequence[str], records: Sequence[Record]) -> list[str]:
    """Labels of records; the same case measured twice gains machine and cards, or else when it was."""
    named = case_labels(labels, records)
    return occasion_labels(_placed(named, records), records)


def case_labels(labels: Sequence[str], records: Sequence[Record]) -> list[str]:
    """Labels of records, those of unlike cases apart."""
    return distinct(labels, [record.case.as_mapping for record in records])


def _placed(labels: Sequence[str], records: Sequence[Record]) -> list[str]:
    """Labels with the machine where equal ones are of several: `sdxl · H200 3b0e GPU 1`."""
    machines = defaultdict[str, set[str]](set)
    for label, record in zip(labels, records, strict=True):
        machines[label].add(str(record.machine.name))
    placed = []
    for label, record, card in zip(labels, records, cards_apart(labels, records), strict=True):
        machine = machine_name(str(record.machine.name)) if len(machines[label]) > 1 else ""
        placed.append(" · ".join(filter(None, (label, f"{machine} {card}".strip()))))
    return placed


def occasion_labels(labels: Sequence[str], records: Sequence[Record]) -> list[str]:
    """Labels of records; equal ones gain their side of a pair, their run, or their time."""

    def occasion(at: int) -> Facts:
        record = records[at]
        side = record.pair.side if record.pair else None
        return {"side": side, "run": record.run_id, "of": record.created, "row": at + 1}

    return distinct(labels, [partial(occasion, at) for at in range(len(records))])


def distinct(labels: Sequence[str], facts: Sequence[Callable[[], Facts]]) -> list[str]:
    """The labels, equal ones with the facts in which they differ.

    One fact is enough where it differs in all of them; the first such one is taken.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for at, label in enumerate(labels):
        groups[label].append(at)
    result = list(labels)
    for label, places in groups.items():
        if len(places) > 1:
            words = _differences([dict(_flat(facts[at]())) for at in places])
            for at, each in zip(places, words, strict=True):
                result[at] = f"{label} {each}".rstrip()
    return result


def _flat(facts: Facts) -> Iterator[tuple[str, str]]:
    """Keys with their values as they are shown; those of nested mappings by their last name."""
    for key, value in facts.items():
        if key == "workload" and isinstance(value, Mapping):
            yield key, Workload.model_validate(value).label
        elif isinstance(value, Mapping):
            yield from _flat(value)
        elif key not in UNSAID:
            yield key, "default" if value is None else str(value)[:LONGEST]


def _differences(groups: Sequence[Mapping[str, str]]) -> list[str]:
    keys = list(dict.fromkeys(key for facts in groups for key in facts))
    values = {key: [facts.get(key, "default") for facts in groups] for key in keys}
    differing = [key for key in keys if len(set(values[key])) > 1]
    alone = next((key for key in differing if len(set(values[key])) == len(groups)), None)
    shown = [alone] if alone else differing
    # A window is named by its own words.
    said = {key: "" if key == "workload" else f"{key} " for key in shown}
    return [" ".join(said[key] + values[key][at] for key in shown) for at in range(len(groups))]
