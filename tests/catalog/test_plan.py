"""From names a person types to cases: what wins, what is measured once, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.catalog.cases import Case, Overrides, plan
from bench.catalog.models import Catalogue, Measure, Work
from bench.core.modalities.text import TextOptions
from bench.errors import UsageError
from tests.catalog.sample import changed, loaded


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return loaded(tmp_path)


def cases(catalogue: Catalogue, *names: str, **overrides: Any) -> list[Case]:
    """The planned cases; keyword arguments are what the command line sets for the work."""
    return [
        item.case for item in plan(catalogue, list(names), Overrides(work=Work.model_validate(overrides)))
    ]


def text(case: Case) -> TextOptions:
    """The options of a case of pages."""
    assert isinstance(case.options, TextOptions)
    return case.options


def refused(catalogue: Catalogue, *names: str, overrides: Overrides | None = None) -> str:
    """What is said to names or overrides that make no sense."""
    with pytest.raises(UsageError) as caught:
        plan(catalogue, list(names), overrides or Overrides())
    assert caught.value.exit_status == 2
    return str(caught.value)


def test_the_catalogues_default_holds_where_nobody_says_otherwise(catalogue: Catalogue) -> None:
    [case] = cases(catalogue, "hub-writer")
    assert (text(case).new_tokens, case.dtype, case.batch) == (340, "bfloat16", 1)


def test_defaults_are_those_of_the_models_engine(catalogue: Catalogue) -> None:
    [case] = cases(catalogue, "painter")
    assert (case.batch, "new_tokens" in dict(case.options)) == (2, False)


def test_a_model_wins_over_the_catalogue(catalogue: Catalogue) -> None:
    [case] = cases(catalogue, "writer")
    assert text(case).new_tokens == 200


def test_a_suites_case_wins_over_the_model(catalogue: Catalogue) -> None:
    [case] = cases(catalogue, "made-up")
    assert text(case).new_tokens == 16


def test_the_command_line_wins_over_everything(catalogue: Catalogue) -> None:
    [case] = cases(catalogue, "made-up", new_tokens=8, dtype="float32")
    assert (text(case).new_tokens, case.dtype) == (8, "float32")


def test_zero_and_false_on_the_command_line_are_wishes_too(tmp_path: Path) -> None:
    catalogue = loaded(tmp_path, changed("{model: painter}", "{model: painter, seed: 7, compile: true}"))
    *_, case = cases(catalogue, "short", seed=0, compile=False)
    assert (case.seed, dict(case.options)["compile"]) == (0, False)


def test_a_command_line_option_changes_only_the_cases_it_can(catalogue: Catalogue) -> None:
    writer, *_, painter = cases(catalogue, "short", steps=9)
    assert ("steps" in dict(writer.options), dict(painter.options)["steps"]) == (False, 9)


def test_how_it_is_measured_follows_command_line_then_suite_then_catalogue(catalogue: Catalogue) -> None:
    asked = Overrides(measure=Measure(target=0.1))
    first = plan(catalogue, ["short"], asked)[0].measure
    assert (first.target, first.max_seconds, first.min_blocks) == (0.1, 20, 5)
    assert plan(catalogue, ["writer"], Overrides())[0].measure.max_seconds == 900


def test_cases_come_in_the_order_of_the_names(catalogue: Catalogue) -> None:
    assert [case.name for case in cases(catalogue, "painter", "hub-writer")] == ["painter", "hub-writer"]


def test_a_case_named_twice_is_measured_once(catalogue: Catalogue) -> None:
    """`writer` alone is the first case of `short`; with one batch size for all, the second is as well."""
    assert len(cases(catalogue, "short", "writer", "short")) == 3
    assert len(cases(catalogue, "short", batch=4)) == 2


def test_a_suites_case_keeps_the_name_of_its_suite(catalogue: Catalogue) -> None:
    assert [case.suite for case in cases(catalogue, "short")] == ["short"] * 3
    assert cases(catalogue, "writer")[0].suite is None


@pytest.mark.parametrize(
    ("typed", "meant"), [("shrt", "short"), ("Writer", "writer"), ("hubwriter", "hub-writer")]
)
def test_an_unknown_name_suggests_the_nearest(typed: str, meant: str, catalogue: Catalogue) -> None:
    assert refused(catalogue, typed) == f'Unknown suite or model "{typed}". Did you mean "{meant}"?'


def test_a_name_near_to_nothing_lists_what_there_is(catalogue: Catalogue) -> None:
    assert refused(catalogue, "zzz").endswith("Known: hub-writer, made-up, painter, short, writer.")


@pytest.mark.parametrize(
    ("name", "work", "option"),
    [
        ("writer", {"steps": 4}, "--steps means nothing here: it is a key of image, "),
        ("painter", {"new_tokens": 4}, "--new-tokens means nothing here"),
        ("painter", {"static_cache": False}, "--static-cache means nothing here"),
        ("writer", {"width": 64}, "--size means nothing here"),
        ("writer", {"guidance": 0.0}, "--guidance means nothing here"),
    ],
)
def test_an_option_that_changes_no_case_is_refused(
    name: str, work: dict[str, Any], option: str, catalogue: Catalogue
) -> None:
    assert option in refused(catalogue, name, overrides=Overrides(work=Work.model_validate(work)))


def test_an_option_that_is_needed_and_nowhere_set_is_named(tmp_path: Path) -> None:
    catalogue = loaded(tmp_path, changed("{width: 64, height: 64, steps: 4, guidance: 7.5}", "{width: 64}"))
    assert refused(catalogue, "painter") == (
        '"painter" has no steps or size. Give --steps and --size, or set height, steps in models.yaml.'
    )


def test_weights_come_from_the_hub_where_there_are_any_else_they_are_random(catalogue: Catalogue) -> None:
    writer, painter = cases(catalogue, "writer", "painter")
    assert (writer.weights.kind, writer.weights.hub_id, writer.weights.revision) == (
        "hub",
        "bigscience/bloom-560m",
        "ac2ae5fab2ce3f9f40dc79b5ca9f637430d24971",
    )
    assert (painter.weights.kind, painter.weights.architecture) == ("random", "tiny-stable-diffusion")
    assert (painter.weights.hub_id, writer.weights.architecture) == (None, None)


def test_a_suite_of_random_weights_uses_no_hub(catalogue: Catalogue) -> None:
    [case] = cases(catalogue, "made-up")
    assert (case.weights.kind, case.weights.hub_id) == ("random", None)


def test_a_case_may_choose_other_weights_than_its_suite(tmp_path: Path) -> None:
    catalogue = loaded(tmp_path, changed("- model: writer", "- weights: hub\n        model: writer"))
    assert cases(catalogue, "made-up")[0].weights.kind == "hub"


def test_the_command_line_chooses_the_weights_of_every_case(catalogue: Catalogue) -> None:
    random = plan(catalogue, ["short"], Overrides(weights="random"))
    assert {item.case.weights.kind for item in random} == {"random"}
    [local] = plan(catalogue, ["writer"], Overrides(weights="path", weights_path="/models/mine"))
    assert (local.case.weights.kind, local.case.weights.path) == ("path", "/models/mine")


def test_weights_a_model_does_not_have_are_refused_with_those_it_has(catalogue: Catalogue) -> None:
    hub = refused(catalogue, "painter", overrides=Overrides(weights="hub"))
    assert hub == '"painter" has no weights on a hub. Use --weights random for it.'
    random = refused(catalogue, "hub-writer", overrides=Overrides(weights="random"))
    assert random == 'No architecture is stored for "hub-writer". Use --weights hub for it.'


def test_weights_that_are_not_the_models_own_are_said_in_its_label(catalogue: Catalogue) -> None:
    labels = {
        kind: plan(catalogue, ["writer"], Overrides(weights=kind))[0].case.label
        for kind in ("hub", "random", "path")
    }
    assert labels == {
        "hub": "writer bfloat16 batch 1 200 tokens",
        "random": "writer random weights bfloat16 batch 1 200 tokens",
        "path": "writer local weights bfloat16 batch 1 200 tokens",
    }
