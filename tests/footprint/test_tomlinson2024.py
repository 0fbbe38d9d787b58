"""The paper's figures and ratios, worked out again from its inputs."""

from __future__ import annotations

import pytest

from bench.footprint import reference, tomlinson2024
from bench.footprint.humans import significant
from bench.footprint.tomlinson2024 import RatioCheck

CHECKS = tomlinson2024.ratios()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.vector.id)
def test_every_ratio_in_print_is_met_or_says_why_not(check: RatioCheck) -> None:
    assert check.ratio == pytest.approx(check.vector.exact, abs=0.1)
    assert check.agrees is check.vector.agrees
    assert check.agrees or check.vector.why


def test_all_thirteen_ratios_are_there_and_ten_agree() -> None:
    assert (len(CHECKS), sum(check.agrees for check in CHECKS)) == (13, 10)


def test_a_ratio_that_an_input_was_fitted_to_is_only_consistent() -> None:
    """The hours of an image are known from its ratios alone."""
    verdicts = {check.vector.id: check.verdict for check in CHECKS}
    fitted = {name for name, verdict in verdicts.items() if verdict == "consistent"}
    assert fitted == {check.vector.id for check in CHECKS if ".image." in check.vector.human and check.agrees}
    assert list(verdicts.values()).count("agrees") == 6


def test_two_readings_give_the_ratio_of_1400() -> None:
    """50.5 t of training; or 24.69 t, and 914 kWh at 394 g/kWh over all requests as operation."""
    inputs = reference.paper_inputs()
    energy = next(row for row in reference.published() if row.id == "bloom2022.request.paper")
    assert energy.value is not None
    query_g = energy.value / 1000 * inputs["bloom.grid"].value
    query_g += tomlinson2024.training_share("bloom.training").result.value
    page_g = query_g * inputs["page.words"].value / inputs["query.words"].value
    other = significant(tomlinson2024.people()["tomlinson2024.page.us"].result.value / page_g)
    assert other == next(check.rounded for check in CHECKS if check.vector.printed == 1400) == 1400


@pytest.mark.parametrize(
    ("name", "grams"),
    [
        ("chatgpt.query", 2.222),
        ("chatgpt.page", 1.345),
        ("chatgpt.page.embodied", 1.420),
        ("bloom.page", 0.943),
        ("bloom.page.lifecycle", 0.995),
        ("dalle2.image", 2.222),
        ("midjourney.image", 1.9),
    ],
)
def test_the_models_figures(name: str, grams: float) -> None:
    assert tomlinson2024.models()[name].result.value == pytest.approx(grams, abs=5e-4)


def test_the_spans_of_the_abstract() -> None:
    assert tomlinson2024.span("page") == (130, 1500)
    assert tomlinson2024.span("image") == (310, 2900)
    ends = {check.vector.printed for check in CHECKS if "abstract" in check.vector.where and check.agrees}
    assert ends == {130, 1500, 310, 2900}


def test_every_step_names_a_source_or_follows_from_steps_that_do() -> None:
    for name, chain in tomlinson2024.models().items():
        assert any(step.factors for step in chain.steps), name
        assert chain.steps[-1].result == chain.result


def test_bloom_as_served_is_its_operation_alone() -> None:
    """3.745 Wh and 2.82 Wh a request, 250 of 413 words, at 394 g/kWh: 340.5 kg over 230,768 requests."""
    cards, server = tomlinson2024.bloom_served()
    assert (cards.grams.scope, server.grams.scope) == ("gpu", "host")
    assert server.joules.value == pytest.approx(3.745 * 3600 * 250 / 413, rel=1e-3)
    assert server.grams.result.value == pytest.approx(340.5e3 / 230768 * 250 / 413, rel=1e-3)
    assert cards.joules.value < server.joules.value
