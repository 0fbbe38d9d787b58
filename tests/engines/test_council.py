"""A council of tiny models and of servers: nine calls, no names, ranks, and what goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.core.modalities.council import CouncilOptions
from bench.core.modalities.text import TextOptions
from bench.core.weights import Weights
from bench.engines import create
from bench.engines.base import EngineSpec, ServerAccess
from bench.engines.language import council_prompts
from bench.errors import EngineError
from tests.engines.conftest import Loader, spec
from tests.support.served.whole_answers import Answers, answering

OPTIONS = CouncilOptions(new_tokens=7, ranking_tokens=5, conclusion_tokens=9)
MODELS = {
    "first": "tiny-llama",
    "second": "tiny-qwen2",
    "third": "tiny-bloom",
    "fourth": "tiny-llama",
    "chairman": "tiny-llama",
}
QUESTIONS = ("Why is the sea salt, and since when?", "How does one bake bread?")


def council(models: dict[str, str] = MODELS, **changes: Any) -> EngineSpec:
    parts = {
        name: replace(spec(model, TextOptions(new_tokens=20)), model=model) for name, model in models.items()
    }
    whole = spec("tiny-llama", OPTIONS)
    return replace(whole, weights=Weights(kind="random"), parts=parts, **changes)


def served(answers: Answers, names: Sequence[str] = ("first", "second", "chairman")) -> EngineSpec:
    """A council whose parts are all at one server, by names of their own."""
    whole = council(dict.fromkeys(names, "tiny-llama"))
    parts = {
        name: replace(part, server=ServerAccess(answers.url, f"model-{name}"))
        for name, part in whole.parts.items()
    }
    return replace(whole, parts=parts, weights=Weights(kind="hub"))


def test_four_members_make_nine_calls_of_their_stages_lengths(loaded: Loader) -> None:
    engine: Any = loaded(council())
    made = engine.generate(QUESTIONS, seed=3)
    found = engine.inspect(made)
    assert [(call.stage, call.part) for call in made.payload.calls] == [
        *(("answers", name) for name in ("first", "second", "third", "fourth")),
        *(("rankings", name) for name in ("first", "second", "third", "fourth")),
        ("conclusion", "chairman"),
    ]
    assert found.problems == ()
    assert found.tokens == (4 * 7 + 4 * 5 + 9,) * 2
    assert found.counts["answers.output_tokens"] == 2 * 4 * 7
    assert found.counts["conclusion.calls"] == 2
    assert sum(
        found.counts[f"{stage}.input_tokens"] for stage in ("answers", "rankings", "conclusion")
    ) == sum(found.prompt_tokens)
    assert found.counts["rankings.input_tokens"] > 2 * found.counts["answers.input_tokens"]
    assert "rankings.read" not in found.counts, "random weights rank nothing"


def test_stages_follow_one_another_and_equal_models_are_loaded_once() -> None:
    engine: Any = create(council())
    ready = engine.load()
    made = engine.generate(QUESTIONS[:1], seed=0)
    engine.unload()
    assert ready.used["shared"] == {"fourth": "first", "chairman": "first"}
    assert list(ready.parameters) == ["first.model", "second.model", "third.model"]
    assert ready.part_revisions["chairman"] == ready.part_revisions["first"]
    assert ready.used["calls"] == 9
    names = [phase.name for phase in made.phases]
    assert names == ["answers", "rankings", "conclusion"]
    edges = [edge for phase in made.phases for edge in (phase.start_ns, phase.end_ns)]
    assert edges == sorted(edges)
    assert made.start_ns <= edges[0]
    assert edges[-1] <= made.end_ns


def test_rankers_and_chairman_see_every_answer_and_no_name(tmp_path: Path) -> None:
    with answering(Answers(text="RANKING: B, A because")) as answers:
        engine: Any = create(served(answers))
        engine.load()
        made = engine.generate(QUESTIONS[:1], seed=0)
        found = engine.inspect(made)
        files = engine.save(made, tmp_path, "q")
        engine.unload()
    asked = answers.seen[3:]  # the first are the three greetings
    assert [body["model"] for body in asked] == [
        *("model-first", "model-second") * 2,
        "model-chairman",
    ]
    texts = [body["messages"][0]["content"] for body in asked]
    assert all("model-" not in text and "first" not in text for text in texts[2:])
    assert all(text.count("Answer ") == 2 for text in texts[2:])
    assert "Judgement 2:" in texts[4]
    assert found.counts["rankings.read"] == 2
    assert found.counts["places.first"] + found.counts["places.second"] == 2 * (1 + 2)
    assert found.problems == ()
    assert len(files) == 5


@pytest.mark.parametrize("text", ["RANKING: C, A, B", "first thoughts. **Ranking:** C > A > B, since"])
def test_a_ranking_is_read_back_to_members_whatever_order_its_reader_saw(text: str) -> None:
    order = (2, 0, 1)  # the reader's A is member 2, B is 0, C is 1
    assert council_prompts.read_ranking(text.replace("**", ""), order) == (1, 2, 0)


@pytest.mark.parametrize("text", ["RANKING: A, A, B", "RANKING: A, B", "the best is C", "RANKING: A, B, D"])
def test_what_does_not_name_each_answer_once_is_no_ranking(text: str) -> None:
    assert council_prompts.read_ranking(text, (0, 1, 2)) is None


def test_the_chairman_gets_rankings_in_the_letters_of_its_own_order() -> None:
    text = council_prompts.in_letters("RANKING: A, B, C. Since B is short.", (2, 0, 1))
    assert text.startswith("RANKING: C, A, B")


def test_orders_differ_between_readers_and_repeat_with_the_seed() -> None:
    orders = [council_prompts.shuffled(5, f"0/{name}/0") for name in ("a", "b", "c", "d")]
    assert len(set(orders)) > 1
    assert orders == [council_prompts.shuffled(5, f"0/{name}/0") for name in ("a", "b", "c", "d")]
    assert all(sorted(order) == list(range(5)) for order in orders)


def test_short_answers_and_missing_usage_of_a_server_are_wrong_output() -> None:
    with answering(Answers()) as answers:
        engine: Any = create(served(answers))
        engine.load()
        answers.short_by, answers.usage = 1, True
        short = engine.inspect(engine.generate(QUESTIONS[:1], seed=0)).problems
        answers.short_by, answers.usage = 0, False
        unknown = engine.inspect(engine.generate(QUESTIONS[:1], seed=0)).problems
        engine.unload()
    assert "answers of first: Item 0 has 6 tokens, 7 were asked for." in short
    assert (
        "conclusion of chairman: Item 0: the server states no usage, so its tokens are not known." in unknown
    )


def with_key(whole: EngineSpec, variable: str) -> EngineSpec:
    """The same, whose members' servers take the key of a variable."""
    parts = {
        name: replace(part, server=replace(part.server, key=variable))
        for name, part in whole.parts.items()
        if part.server
    }
    return replace(whole, parts=parts)


def test_a_key_is_sent_and_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMBER_KEY", "planted-secret")
    with answering(Answers()) as answers:
        council = with_key(served(answers), "MEMBER_KEY")
        engine: Any = create(council)
        engine.load()
        answers.status, answers.error = 500, "the key planted-secret is known"
        with pytest.raises(EngineError) as raised:
            engine.generate(QUESTIONS[:1], seed=0)
        engine.unload()
    assert answers.keys[0] == "Bearer planted-secret"
    assert "status 500: the key *** is known" in str(raised.value)
    monkeypatch.delenv("MEMBER_KEY")
    with pytest.raises(EngineError, match="The variable MEMBER_KEY is not set"):
        create(council).load()


def test_an_answer_with_the_key_is_kept_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MEMBER_AUTHORITY", "planted-secret")
    with answering(Answers(text="your key is planted-secret")) as answers:
        council = with_key(served(answers), "MEMBER_AUTHORITY")
        engine: Any = create(council)
        engine.load()
        files = engine.save(engine.generate(QUESTIONS[:1], seed=0), tmp_path, "x")
        engine.unload()
    texts = [path.read_text(encoding="utf-8") for path in files]
    assert any("your key is ***" in text for text in texts)
    assert not [text for text in texts if "planted-secret" in text]


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    with answering(Answers()) as answers:
        whole = served(answers)
    with pytest.raises(EngineError, match=r"The server at http://127.0.0.1:\d+/v1 did not answer"):
        create(whole).load()


@pytest.mark.parametrize("names", [("first", "second"), ("first", "chairman")])
def test_a_council_needs_two_members_and_a_chairman(names: tuple[str, ...]) -> None:
    with pytest.raises(EngineError, match="needs 2 to 26, and a chairman"):
        create(council(dict.fromkeys(names, "tiny-llama")))
