"""Tomlinson et al. 2024, step by step from its inputs to its ratios.

    people()["tomlinson2024.page.us"].result       # 1426.9 g CO2e
    models()["chatgpt.page"].result                 # 1.345 g CO2e
    [check.agrees for check in ratios()]

The side of the models is an estimate of theirs: training written off over one month of ChatGPT's queries,
plus operation. Nothing of it was metered, save BLOOM's operation. It is `lifecycle` in the words used here,
though without the making of the machines that serve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bench.core.quantities import W_PER_MW, Grams, Joules, Range
from bench.footprint.bundled_rows import J_PER, Factor, RatioVector
from bench.footprint.chain import (
    G_PER_KG,
    G_PER_T,
    HOURS_PER_YEAR,
    Chain,
    ChainStep,
    Training,
    carbon,
    lifecycle,
    metered,
    training,
)
from bench.footprint.humans import Human, human, significant
from bench.footprint.reference import baselines, paper_inputs, ratio_vectors

PEOPLE = (
    "tomlinson2024.page.us",
    "tomlinson2024.page.in",
    "tomlinson2024.image.us",
    "tomlinson2024.image.in",
)
"""The paper's people, as ids of baselines."""

TRAINED = {"bloom-176b": "bloom.training"}
"""Models of the catalogue whose training the paper counts."""


@dataclass(frozen=True)
class RatioCheck:
    """A ratio in print, worked out again."""

    vector: RatioVector
    ratio: float

    @property
    def rounded(self) -> float:
        """As the paper rounds: two significant figures."""
        return significant(self.ratio)

    @property
    def agrees(self) -> bool:
        """Whether it rounds to the print."""
        return self.rounded == self.vector.printed

    @property
    def verdict(self) -> str:
        """In a word; an agreement that an input was fitted to is none."""
        if not self.agrees:
            return "does not"
        return "consistent" if self.vector.fitted else "agrees"


class Served(NamedTuple):
    """A service that was metered: the energy of all its requests, and what a page of it took."""

    total: Factor
    joules: Joules
    grams: Chain[Grams]


def people() -> dict[str, Human]:
    """Pages and images of people in the US and in India."""
    return {name: human(baselines()[name]) for name in PEOPLE}


def models() -> dict[str, Chain[Grams]]:
    """Every figure of a model that a ratio of the paper is made with."""
    query = lifecycle(_chatgpt_operation(), training_share("gpt3.training"))
    with_hardware = lifecycle(_chatgpt_operation(), training_share("gpt3.training"), _embodied_of_training())
    bloom = lifecycle(_bloom_operation(), training_share("bloom.training"))
    bloom_whole = lifecycle(_bloom_operation(), training_share("bloom.training.lifecycle"))
    return {
        "chatgpt.query": query,
        "chatgpt.page": to_page(query),
        "chatgpt.page.embodied": to_page(with_hardware),
        "bloom.page": to_page(bloom),
        "bloom.page.lifecycle": to_page(bloom_whole),
        "dalle2.image": query.then("an image is taken for a query", "as ChatGPT", query.result),
        "dalle2.image.rounded": _printed("dalle2.image.rounded"),
        "midjourney.image": _printed("midjourney.image"),
    }


def ratios() -> list[RatioCheck]:
    """Every ratio in print, worked out from the inputs."""
    persons, machines = people(), models()
    return [
        RatioCheck(vector, persons[vector.human].result.value / machines[vector.ai].result.value)
        for vector in ratio_vectors()
    ]


def span(unit: str) -> tuple[float, float]:
    """The lowest and highest ratio that agree with the print, of pages or of images."""
    found = [check.rounded for check in ratios() if check.agrees and f".{unit}." in check.vector.human]
    return min(found), max(found)


def training_share(total: str) -> Chain[Grams]:
    """Training, written off over a month of ChatGPT's queries: so much a query."""
    inputs = paper_inputs()
    return training(Training(inputs[total], inputs["chatgpt.queries"], inputs["chatgpt.days"]))


def to_page(query: Chain[Grams]) -> Chain[Grams]:
    """A query's grams as those of a page, by words."""
    words, per_query = paper_inputs()["page.words"], paper_inputs()["query.words"]
    grams = query.result * (words.range / per_query.range)
    return query.then(
        "a page's share of a query", "× words a page / words a query", grams, (words, per_query)
    )


def bloom_served() -> list[Served]:
    """Energy of serving BLOOM a page, without training: the one part of the paper that was metered."""
    inputs = paper_inputs()
    pages = inputs["bloom.requests"].range * (inputs["query.words"].range / inputs["page.words"].range)
    served = []
    for total in (inputs["bloom.energy.gpu"], inputs["bloom.energy.host"]):
        joules = Joules(total.range * J_PER["kWh"] / pages)
        grams = carbon(metered(joules, total.scope), inputs["bloom.grid"])
        served.append(Served(total, joules, grams))
    return served


def _chatgpt_operation() -> Chain[Grams]:
    inputs = paper_inputs()
    daily, queries = inputs["chatgpt.operation"], inputs["chatgpt.queries"]
    grams = Grams(daily.range * G_PER_T / queries.range)
    step = ChainStep("CO2e of operation", "t a day × 1e6 / queries a day", (daily, queries), grams, "unknown")
    return Chain(grams, "unknown", (step,))


def _bloom_operation() -> Chain[Grams]:
    total, requests = paper_inputs()["bloom.operation"], paper_inputs()["bloom.requests"]
    grams = Grams(total.range * G_PER_KG / requests.range)
    step = ChainStep("CO2e of operation", "kg × 1000 / requests", (total, requests), grams, "host")
    return Chain(grams, "host", (step,))


def _embodied_of_training() -> Chain[Grams]:
    """The making of the cards that trained GPT-3, by their hours of work, a query."""
    names = (
        "gpt3.training.energy",
        "gpu.power",
        "gpu.embodied",
        "gpu.lifetime",
        "chatgpt.queries",
        "chatgpt.days",
    )
    energy, power, made, life, queries, days = used = tuple(paper_inputs()[name] for name in names)
    card_hours = energy.range * W_PER_MW / power.range
    per_hour = made.range * G_PER_KG / (life.range * HOURS_PER_YEAR)
    grams = Grams(card_hours * per_hour / (queries.range * days.range))
    formula = "MWh × 1e6 / W × kg × 1000 / (years × 8760) / (queries a day × days)"
    step = ChainStep("CO2e of making the cards that trained", formula, used, grams, "embodied")
    return Chain(grams, "embodied", (step,))


def _printed(name: str) -> Chain[Grams]:
    factor: Factor = paper_inputs()[name]
    grams = Grams(Range.of(factor.value))
    return Chain(
        grams, factor.scope, (ChainStep("as printed", "no derivation", (factor,), grams, factor.scope),)
    )
