"""Cards that a run asks for: others, too few and too many are refused with what was seen."""

from __future__ import annotations

import pytest

from bench.catalog.case_place import CasePlace
from bench.errors import PrerequisiteError, UsageError
from bench.machine.expected_gpus import parse, require, why_elsewhere, why_other_node

H100 = "NVIDIA H100 80GB HBM3"


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ("H100", [H100]),
        ("h100:2", [H100, H100]),
        ("H100 80GB", [H100] * 8),
        ("rtx4090:1", ["NVIDIA GeForce RTX 4090"]),
        ("a100-sxm4", ["NVIDIA A100-SXM4-40GB"]),
    ],
)
def test_cards_that_were_asked_for_are_taken(asked: str, seen: list[str]) -> None:
    require(parse(asked), seen)


@pytest.mark.parametrize(
    ("asked", "seen", "says"),
    [
        ("H100", ["NVIDIA L4"], "asks for H100, and this job has 1 NVIDIA L4"),
        ("H100:2", [H100], f"asks for H100:2, and this job has 1 {H100}"),
        ("H100:1", [H100, H100], f"this job has 2 {H100}"),
        ("H100", [H100, "NVIDIA L4"], f"this job has 1 {H100}, 1 NVIDIA L4"),
        ("H100", [], "this job has no card"),
    ],
)
def test_other_cards_are_refused(asked: str, seen: list[str], says: str) -> None:
    with pytest.raises(PrerequisiteError, match=says):
        require(parse(asked), seen)


@pytest.mark.parametrize("text", ["", ":2", "H100:", "H100:0", "H100:two", " "])
def test_what_names_no_card_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not MODEL or MODEL:COUNT"):
        parse(text)


@pytest.mark.parametrize(
    ("gpu", "seen", "why"),
    [
        (None, [], None),
        ("h100", [H100, "NVIDIA L4"], None),
        ("h100:2", [H100, H100, H100], None),
        (
            "h100:2",
            [H100, "NVIDIA L4"],
            f"it is for h100:2, and 1 {H100}, 1 NVIDIA L4 can be used",
        ),
        ("l4", [], "it is for l4, and no card can be used"),
    ],
)
def test_a_case_is_for_machines_with_at_least_its_cards(
    gpu: str | None, seen: list[str], why: str | None
) -> None:
    assert why_elsewhere(CasePlace(gpu=gpu), seen) == why
    assert why_elsewhere(None, seen) is None


def test_a_case_is_for_nodes_with_all_of_its_labels() -> None:
    place = CasePlace(labels={"rack": "a", "cooling": "water"})
    assert why_other_node(place, {"rack": "a", "cooling": "water", "more": "x"}) is None
    assert why_other_node(place, {"rack": "b", "cooling": "water"}) == (
        "it is for a node with rack=a, and this one has rack=b"
    )
    assert why_other_node(place, {"rack": "a"}) == (
        "it is for a node with cooling=water, and this one has no label cooling"
    )
    assert why_other_node(None, {}) is None
