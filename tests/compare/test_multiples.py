"""A council over one answer by one member: which record is the member's, the ratio, and what is lacking."""

from __future__ import annotations

from typing import Any

import pytest

from bench.compare.multiples import multiples
from bench.core.observed import Observed
from bench.core.record import Record
from tests.support import factory

OPTIONS = {"new_tokens": 340, "ranking_tokens": 200, "conclusion_tokens": 340}
MEMBER = factory.case()
PART = {
    "model": "bloom-560m",
    "weights": MEMBER["weights"],
    "options": {"prompt_format": "plain", "static_cache": False},
}
OTHER = PART | {"model": "bloom-1b1"}


def council(counts: dict[str, float] | None = None) -> Record:
    """2700 J a question on average."""
    case = factory.case(
        model="two",
        engine="council",
        unit="question",
        options=OPTIONS,
        parts={"first": PART, "second": OTHER, "chairman": PART},
    )
    observed = Observed(counts=counts or {})
    blocks = [factory.block(9 * joules, observed=observed) for joules in (290.0, 295.0, 300.0, 305.0, 310.0)]
    return factory.record(case=case, blocks=blocks)


def test_the_multiple_is_over_the_member_that_was_measured_alone() -> None:
    first, second, chairman = multiples(council(), [factory.record()])
    assert (first.part, first.model, first.alone) == ("first", "bloom-560m", "one answer")
    assert first.ratio is not None
    assert first.ratio.value == pytest.approx(9.0, rel=1e-3)
    assert first.ratio.low is not None
    assert first.ratio.high is not None
    assert first.ratio.low < 9.0 < first.ratio.high
    assert second.ratio is None
    assert second.command == (
        "python -m bench run bloom-1b1 --dtype bfloat16 --batch 1 --weights hub --new-tokens 340"
    )
    assert chairman.ratio is not None


def test_the_command_for_a_member_measures_where_the_whole_was_measured() -> None:
    ran = "python -m bench run two --models my.yaml --batch 1 --gpus 0,1 --results=out --save-outputs"
    whole = council()
    whole.provenance.command = ran
    command = multiples(whole, [])[0].command
    assert command.endswith("--new-tokens 340 --models my.yaml --gpus 0,1 --results=out")
    assert multiples(whole, [])[0].lacking == "is not measured"


def test_a_member_without_a_good_record_is_not_said_to_be_unmeasured() -> None:
    spoilt = factory.record(status="invalid", reasons=["0 of 5 blocks are valid, 5 are needed."])
    (first, *_) = multiples(council(), [spoilt])
    assert first.ratio is None
    assert first.lacking == "has no good record (invalid: 0 of 5 blocks are valid, 5 are needed.)"


def test_the_best_member_by_its_places_comes_first_and_the_chairman_has_none() -> None:
    counts = {"rankings.read": 2.0, "places.first": 4.0, "places.second": 2.0}
    found = multiples(council(counts), [factory.record()])
    assert [(each.part, each.mean_place) for each in found] == [("second", 1.0), ("first", 2.0)]


@pytest.mark.parametrize(
    "changes",
    [
        {"case": factory.case(options=MEMBER["options"] | {"new_tokens": 48})},
        {"case": factory.case(batch=8)},
        {"case": factory.case(dtype="float32")},
        {"case": factory.case(model="bloom-3b")},
        {"case": factory.case(weights=MEMBER["weights"] | {"kind": "random"})},
        {"machine": {"name": "another", "id": "ffffffff", "device": "cuda"}},
        {"status": "invalid"},
    ],
)
def test_a_record_of_other_work_or_another_machine_is_not_its_member(changes: dict[str, Any]) -> None:
    assert all(each.ratio is None for each in multiples(council(), [factory.record(**changes)]))


def test_a_case_of_one_model_has_no_multiple() -> None:
    assert multiples(factory.record(), [factory.record()]) == []
