"""Replay of an agent's task: lengths, growth of the context, pauses, holes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bench.catalog.prompts import prompts
from bench.core.agent_trace import read_task
from bench.core.modalities.agent import AgentOptions
from bench.core.modalities.text import TextOptions
from bench.core.weights import Weights
from bench.engines import agent, create
from bench.engines.base import EngineSpec, ServerAccess
from bench.errors import EngineError
from tests.engines.conftest import Loader, changed, spec
from tests.support.served.whole_answers import Answers, answering

TASK: dict[str, Any] = {
    "name": "a task",
    "system": "Be brief.",
    "turns": [
        {"input": "How many files are here?", "output": "ls", "output_tokens": 5},
        {"input": "a b c", "pause_s": 1.5, "output": "DONE three words", "output_tokens": 9},
    ],
}


def task(**of_second: Any) -> str:
    first, second = TASK["turns"]
    changes = {key: value for key, value in (second | of_second).items() if value != "left out"}
    return json.dumps(TASK | {"turns": [first, changes]})


def replayed(**options: Any) -> EngineSpec:
    part = replace(spec("tiny-bloom", TextOptions(new_tokens=20)), model="tiny-bloom")
    whole = spec("tiny-bloom", changed(AgentOptions(), **options))
    return replace(whole, weights=Weights(kind="random"), parts={"model": part})


@pytest.fixture(autouse=True)
def waited_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses that were taken, without the wait."""
    taken: list[float] = []
    monkeypatch.setattr(agent, "pause", taken.append)
    return taken


def test_each_turn_reads_what_was_recorded_and_writes_as_much(loaded: Loader, waited_s: list[float]) -> None:
    engine: Any = loaded(replayed())
    made = engine.generate([task(), task()], seed=0)
    found = engine.inspect(made)
    assert found.problems == ()
    assert found.tokens == (14, 14)
    assert found.counts["turn 01.output_tokens"] == 2 * 5
    assert found.counts["turn 02.output_tokens"] == 2 * 9
    assert found.counts["turn 02.input_tokens"] > found.counts["turn 01.input_tokens"]
    assert waited_s == [1.5, 1.5]
    names = [phase.name for phase in made.phases]
    assert names == ["prefill", "decode", "tool_pause", "prefill", "decode"] * 2
    edges = [edge for phase in made.phases for edge in (phase.start_ns, phase.end_ns)]
    assert edges == sorted(edges)


def test_the_context_has_all_that_came_before() -> None:
    context = read_task(task()).context_before(1)
    assert context == (
        "System: Be brief.\n\nUser: How many files are here?\n\nAssistant: ls\n\nTool: a b c\n\nAssistant:"
    )


def test_without_pauses_the_model_works_alone(loaded: Loader, waited_s: list[float]) -> None:
    engine: Any = loaded(replayed(pauses="none"))
    made = engine.generate([task()], seed=0)
    assert waited_s == []
    assert "tool_pause" not in [phase.name for phase in made.phases]


def test_a_turn_without_a_count_has_the_length_of_its_text_by_the_models_tokenizer(loaded: Loader) -> None:
    engine: Any = loaded(replayed())
    made = engine.generate([task(output_tokens="left out")], seed=0)
    expected = engine._writer.count_tokens("DONE three words")
    assert engine.inspect(made).counts["turn 02.output_tokens"] == expected
    assert expected > 2


def test_an_agent_at_a_server_is_asked_turn_by_turn() -> None:
    with answering(Answers()) as answers:
        whole = replayed()
        served = replace(whole.parts["model"], server=ServerAccess(answers.url, "an-agent"))
        engine: Any = create(replace(whole, parts={"model": served}))
        engine.load()
        found = engine.inspect(engine.generate([task()], seed=0))
        engine.unload()
    assert [body["max_tokens"] for body in answers.seen[1:]] == [5, 9]
    assert found.problems == ()
    assert found.tokens == (14,)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (task(output="left out"), "The trace has a hole: turn 2, output: field required."),
        (task(pause_s="left out"), "The trace has a hole: task a task, turn 2 has no pause_s."),
        (task(pause_s=-1), "The trace has a hole: turn 2, pause_s: "),
        (json.dumps(TASK | {"turns": []}), "The trace has a hole: "),
        ("[]", "The trace has a hole: the task: "),
    ],
)
def test_a_hole_is_one_sentence_before_anything_is_replayed(loaded: Loader, text: str, says: str) -> None:
    engine = loaded(replayed())
    with pytest.raises(EngineError) as raised:
        engine.longest_prompt([task(), text])
    assert raised.value.message.startswith(says)
    assert raised.value.stage == "load"


def test_the_bundled_trace_can_be_replayed_whole() -> None:
    (text,) = prompts("agent", AgentOptions()).texts
    bundled = read_task(text)
    assert len(bundled.turns) == 6
    assert sum(turn.pause_s or 0.0 for turn in bundled.turns) == pytest.approx(16.7)


def test_an_agent_has_one_part() -> None:
    whole = replayed()
    with pytest.raises(EngineError, match="needs one part, model"):
        create(replace(whole, parts={**whole.parts, "other": whole.parts["model"]}))
