"""Axes become cases: every combination once, less what is excluded, in an order that a seed repeats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.catalog.axes import Exclusion, SweepAxes
from bench.catalog.cases import Overrides, Planned, plan
from bench.catalog.models import Catalogue, Measure, Work
from bench.catalog.sweep import MOST_CASES, longest_s, refuse_unasked, roughly
from bench.errors import UsageError
from tests.catalog.sample import changed, loaded

DOC = "    doc: Two pages and an image."


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return loaded(tmp_path)


def asked(
    axes: dict[str, list[Any]], *exclude: dict[str, Any], work: dict[str, Any] | None = None, **more: Any
) -> Overrides:
    """What the command line asks for."""
    return Overrides(
        work=Work.model_validate(work or {}),
        sweep=SweepAxes.model_validate(axes),
        exclude=tuple(Exclusion.model_validate(each) for each in exclude),
        **more,
    )


def planned(catalogue: Catalogue, overrides: Overrides, *names: str) -> list[Planned]:
    return plan(catalogue, list(names) or ["writer"], overrides)


def seen(items: Sequence[Planned]) -> list[tuple[int, str]]:
    return [(item.case.batch, item.case.dtype) for item in items]


def test_every_combination_is_a_case_and_the_last_axis_is_fastest(catalogue: Catalogue) -> None:
    found = planned(catalogue, asked({"dtype": ["float16", "float32"], "batch": [1, 8]}))
    assert seen(found) == [(1, "float16"), (8, "float16"), (1, "float32"), (8, "float32")]
    places = [item.sweep for item in found]
    assert [place and (place.number, place.total, place.order) for place in places] == [
        (number, 4, "blocked") for number in (1, 2, 3, 4)
    ]
    assert places[1] is not None
    assert places[1].axes == {"dtype": "float16", "batch": 8}


def test_a_case_that_is_named_alone_is_of_no_sweep(catalogue: Catalogue) -> None:
    assert [item.sweep for item in planned(catalogue, asked({}), "short")] == [None] * 3


def test_a_size_sets_both_sides(catalogue: Catalogue) -> None:
    found = planned(catalogue, asked({"size": ["64", "128x64"]}), "painter")
    assert [item.case.options.size for item in found] == ["64x64 4 steps", "128x64 4 steps"]


def test_an_axis_reaches_the_cases_that_have_such_a_key(catalogue: Catalogue) -> None:
    found = planned(catalogue, asked({"steps": [2, 3]}), "writer", "painter")
    assert [item.case.name for item in found] == ["writer", "painter", "painter"]


def test_cases_that_two_points_have_in_common_are_measured_once(catalogue: Catalogue) -> None:
    twice = planned(catalogue, asked({"batch": [2, 2, None]}), "short", "writer")
    labels = [item.case.label for item in twice]
    assert len(labels) == len(set(labels)) == 4  # writer 2, its own 1 and 8, painter 2


def test_none_leaves_a_key_to_the_model(catalogue: Catalogue) -> None:
    found = planned(catalogue, asked({"new_tokens": [None, 5]}))
    assert [dict(item.case.options)["new_tokens"] for item in found] == [200, 5]


def test_an_exclusion_goes_by_what_the_case_is_and_not_by_how_it_came_to_be(catalogue: Catalogue) -> None:
    axes: dict[str, list[Any]] = {"batch": [1, 8], "dtype": [None, "float32"]}
    found = planned(catalogue, asked(axes, {"batch": 8, "dtype": "bfloat16"}))
    assert seen(found) == [(1, "bfloat16"), (1, "float32"), (8, "float32")]
    of_model = planned(catalogue, asked(axes, {"model": "painter", "batch": [1, 8]}), "writer", "painter")
    assert {item.case.name for item in of_model} == {"writer"}


def test_a_suite_and_its_cases_have_axes_and_the_case_wins(tmp_path: Path) -> None:
    text = changed(
        DOC, f"{DOC}\n    sweep: {{batch: [1, 2], steps: [2, 4]}}\n    exclude: {{steps: 2, batch: 2}}"
    )
    text = changed("{model: painter}", "{model: painter, sweep: {batch: [2, 3]}}", text)
    found = planned(loaded(tmp_path, text), asked({}), "short")
    shown = [(item.case.name, item.case.batch, dict(item.case.options).get("steps")) for item in found]
    writers = [("writer", 1, None), ("writer", 2, None), ("writer", 8, None)]
    assert shown == [*writers, ("painter", 3, 2), ("painter", 2, 4), ("painter", 3, 4)]


def test_the_command_line_wins_over_the_axes_of_the_file(tmp_path: Path) -> None:
    catalogue = loaded(tmp_path, changed(DOC, f"{DOC}\n    sweep: {{batch: [1, 2], seed: [0, 1]}}"))
    fixed = planned(catalogue, asked({}, work={"batch": 7}), "short")
    assert {item.case.batch for item in fixed} == {7}
    assert {item.case.seed for item in fixed} == {0, 1}
    swept = planned(catalogue, asked({"batch": [3, 4]}), "short")
    assert {item.case.batch for item in swept} == {3, 4}


def test_an_interleaved_order_is_the_seeds_and_is_recorded(catalogue: Catalogue) -> None:
    axes = {"batch": list(range(1, 9))}
    one, same, other = (
        [item.case.batch for item in planned(catalogue, asked(axes, order="interleaved", order_seed=seed))]
        for seed in (1, 1, 2)
    )
    assert one == same != other
    assert sorted(one) == sorted(other) == axes["batch"]
    first = planned(catalogue, asked(axes, order="interleaved", order_seed=2))[0].sweep
    assert first is not None
    assert (first.order, first.order_seed, first.number, first.total) == ("interleaved", 2, 1, 8)


def test_a_suites_order_holds_for_its_own_cases(tmp_path: Path) -> None:
    axes = "sweep: {batch: [1, 2, 3, 4, 5, 6]}"
    text = changed(DOC, f"{DOC}\n    {axes}\n    order: interleaved\n    order_seed: 4")
    found = planned(loaded(tmp_path, text), asked({}), "hub-writer", "short")
    assert found[0].case.name == "hub-writer"
    batches = [item.case.batch for item in found[1:] if item.case.name == "writer" and item.case.batch < 7]
    assert sorted(batches) == [1, 2, 3, 4, 5, 6]
    assert batches != sorted(batches)


@pytest.mark.parametrize(
    ("axes", "exclude", "says"),
    [
        ({"steps": [1, 2]}, [], "--sweep steps means nothing here"),
        ({"batch": [1, 2]}, [{"batch": 3}], "--exclude batch=3 leaves out nothing."),
        ({"batch": [1, 2]}, [{"batch": [1, 2]}], "The exclusions leave out every case."),
    ],
)
def test_what_changes_nothing_or_leaves_nothing_is_a_mistake(
    catalogue: Catalogue, axes: dict[str, list[Any]], exclude: list[dict[str, Any]], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        planned(catalogue, asked(axes, *exclude))


def test_too_many_combinations_are_counted_and_not_built(catalogue: Catalogue) -> None:
    axes = {"batch": list(range(1, 4001)), "seed": list(range(4000)), "new_tokens": list(range(1, 1001))}
    with pytest.raises(UsageError) as caught:
        planned(catalogue, asked(axes))
    # 10 + 60 + 120 s and two looks of 13 s at most, and 900 s of blocks: 1106 s a case.
    assert "has 16,000,000,000 cases (up to about 560,000 years)" in str(caught.value)
    assert f"more than {MOST_CASES:,}" in str(caught.value)
    assert caught.value.exit_status == 2


def test_a_sweep_of_more_than_a_hundred_cases_is_not_begun_unasked() -> None:
    each = Measure(max_seconds=900, warmup_max_seconds=60, idle_seconds=10, settle_seconds=3)
    assert longest_s(each) == 986
    refuse_unasked([each] * 100)
    with pytest.raises(UsageError, match=r"has 101 cases, which take up to about 1\.2 days beside loading"):
        refuse_unasked([each] * 101)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (90, "1.5 min"), (7200, "2 h"), (1e5, "1.2 days"), (4e9, "130 years")],
)
def test_a_length_is_said_roughly(seconds: float, text: str) -> None:
    assert roughly(seconds) == text
