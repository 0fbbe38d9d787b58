"""No two rows of one table have the same label."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.catalog.cases import Overrides, plan
from bench.catalog.loading import load
from bench.core.record import Record
from bench.core.repetition import Pair
from bench.view import results, terminal
from bench.view.case_labels import planned_labels, record_labels
from tests.support import factory
from tests.support.main_job.running import CATALOGUE


def options(**more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = factory.case()["options"]
    return plain | more


@pytest.mark.parametrize(
    ("one", "other", "ends"),
    [
        ({"seed": 1}, {"seed": 2}, ("seed 1", "seed 2")),
        (
            {"options": options()},
            {"options": options(scheduler="Euler")},
            ("scheduler default", "scheduler Euler"),
        ),
        (
            {"options": options(style_picture="sha256:0123456789abcdef")},
            {"options": options(style_picture="sha256:f123456789abcdef")},
            ("style_picture sha256:0123456789abc", "style_picture sha256:f123456789abc"),
        ),
        (
            {"workload": {"kind": "concurrency", "load": 4, "producer": "endpoint"}},
            {"workload": {"kind": "rate", "load": 2, "producer": "endpoint"}},
            ("concurrency 4 by endpoint", "rate 2 by endpoint"),
        ),
    ],
)
def test_equal_labels_gain_the_key_that_differs(
    one: dict[str, Any], other: dict[str, Any], ends: tuple[str, str]
) -> None:
    records = [factory.record(case=factory.case(**changes)) for changes in (one, other)]
    assert record_labels(["a b1", "a b1"], records) == [f"a b1 {end}" for end in ends]
    shown = terminal.text([results.section(records)])
    assert all(end in " ".join(shown.split()) for end in ends)


def test_labels_that_differ_stay_as_they_are() -> None:
    records = [factory.record(case=factory.case(seed=seed)) for seed in (1, 2)]
    assert record_labels(["a", "b"], records) == ["a", "b"]


@pytest.mark.parametrize(
    "records",
    [
        [factory.record(created=f"2026-01-0{day}T00:00:00Z") for day in (1, 2)],
        [factory.record(), factory.record()],
        [
            factory.record(pair=Pair(side=side, other="b", other_hash="0" * 16, order="AB"))
            for side in ("A", "B")
        ],
    ],
)
def test_the_same_case_twice_is_told_apart_too(records: list[Record]) -> None:
    first, second = record_labels(["a", "a"], records)
    assert first != second


def test_planned_cases_with_two_seeds_have_two_labels() -> None:
    (item,) = plan(load(CATALOGUE), ["tiny-bloom"], Overrides(weights="random"))
    labels = planned_labels([replace(item.case, seed=seed) for seed in (3, 4)])
    assert [label.rpartition(" seed ")[2] for label in labels] == ["3", "4"]
