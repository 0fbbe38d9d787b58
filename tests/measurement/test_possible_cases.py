"""What a run and the list say of a model that does not fit is one prediction, with a way out that works."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalog.cases import Overrides, Planned, plan
from bench.catalog.loading import load
from bench.catalog.models import Catalogue, Work
from bench.errors import PrerequisiteError
from bench.machine.placement import Placement
from bench.measurement import fitting, listing, possible_cases

CPU = Placement("cpu")


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load(Path(__file__).parents[2] / "models.yaml")


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "available_bytes", lambda _: 25_000_000_000)


def refusal(shipped: Catalogue, name: str, **work: object) -> PrerequisiteError:
    planned = plan(shipped, [name], Overrides(work=Work.model_validate(work), weights="random"))
    with pytest.raises(PrerequisiteError) as caught:
        possible_cases.possible(planned, CPU, lambda _: None, shipped)
    return caught.value


def fits(shipped: Catalogue, name: str, **work: object) -> list[Planned]:
    planned = plan(shipped, [name], Overrides(work=Work.model_validate(work), weights="random"))
    return possible_cases.possible(planned, CPU, lambda _: None, shipped).cases


def test_a_batch_that_is_too_large_is_answered_with_one_that_fits(shipped: Catalogue) -> None:
    error = refusal(shipped, "qwen3-8b", batch=64, new_tokens=2000)
    assert error.remedy == "Use --batch 16."
    assert fits(shipped, "qwen3-8b", batch=16, new_tokens=2000)
    refusal(shipped, "qwen3-8b", batch=32, new_tokens=2000)


def test_options_that_are_too_large_are_said_where_the_list_says_that_the_model_fits(
    shipped: Catalogue,
) -> None:
    error = refusal(shipped, "llama-3.1-8b-instruct", dtype="float32")
    assert listing.why_not_by_default(shipped, "llama-3.1-8b-instruct", CPU) is None
    assert error.remedy == (
        "llama-3.1-8b-instruct fits as models.yaml has it: leave out the options that differ."
    )


def test_the_list_is_named_only_where_it_says_that_the_model_does_not_fit(shipped: Catalogue) -> None:
    error = refusal(shipped, "bloom-176b")
    assert error.remedy == "`python -m bench list` shows what fits."
    reason = listing.why_not_by_default(shipped, "bloom-176b", CPU)
    assert reason is not None
    assert reason in error.message


@pytest.mark.parametrize("name", ["bloom-560m", "sdxl", "flux.2-dev", "wan-2.1-14b", "voice-chain"])
def test_run_and_list_agree_on_a_model_as_the_catalogue_has_it(shipped: Catalogue, name: str) -> None:
    planned = plan(shipped, [name], Overrides())
    reason = listing.why_not_by_default(shipped, name, CPU)
    if reason is None:
        assert possible_cases.possible(planned, CPU, lambda _: None, shipped).cases == planned
    else:
        with pytest.raises(PrerequisiteError, match=r"`python -m bench list` shows what fits\."):
            possible_cases.possible(planned, CPU, lambda _: None, shipped)
