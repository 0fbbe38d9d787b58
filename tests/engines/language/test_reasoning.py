"""Reasoning: what a template knows of it, which tokens it is, and that no page holds any of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.core.modalities.text import TextOptions
from bench.engines import create
from bench.engines.base import GeneratedBatch
from bench.engines.language.reasoning import Markers, template_reasoning
from bench.engines.text import Pages, TextEngine
from bench.errors import EngineError
from tests.engines.conftest import PROMPTS, Loader, changed, spec

ASKED = "{{ messages[0]['content'] }}{% if add_generation_prompt %}\n{% endif %}"
SWITCHED = f"{ASKED}{{% if not enable_thinking %}}<think>\n\n</think>\n\n{{% endif %}}"
BY_ANOTHER_NAME = (
    f"{ASKED}{{% if thinking is defined and thinking %}}<think>{{% else %}}</think>{{% endif %}}"
)
ALWAYS = f"{ASKED}<think>\n"
REASONING = TextOptions(new_tokens=12, prompt_format="chat", reasoning=True)


@pytest.fixture(scope="session")
def reasoning_folder(tmp_path_factory: pytest.TempPathFactory, text_folder: Path) -> Path:
    """A tiny Llama whose tokenizer knows `<think>` and `</think>`."""
    folder = tmp_path_factory.mktemp("tiny-reasoning")
    tokenizer: Any = AutoTokenizer.from_pretrained(text_folder)
    tokenizer.add_tokens(["<think>", "</think>"], special_tokens=True)
    tokenizer.chat_template = SWITCHED
    model: Any = AutoModelForCausalLM.from_pretrained(text_folder)
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def tokenizer(reasoning_folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(reasoning_folder)


@pytest.mark.parametrize(
    ("template", "known"),
    [(SWITCHED, "switched"), (BY_ANOTHER_NAME, "switched"), (ALWAYS, "always"), (ASKED, None)],
)
def test_what_a_template_knows_is_found_by_writing_a_prompt(
    tokenizer: Any, template: str, known: str | None
) -> None:
    tokenizer.chat_template = template
    assert template_reasoning(tokenizer) == known


def test_the_format_of_gpt_oss_always_reasons(text_folder: Path) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(text_folder)
    tokenizer.add_tokens(["<|channel|>", "<|message|>"], special_tokens=True)
    assert template_reasoning(tokenizer) == "always"
    markers = Markers.of(tokenizer, opened=False)
    assert markers is not None
    ids = tokenizer("<|channel|>analysis<|message|>It rains.<|channel|>final<|message|>Rain.")["input_ids"]
    found = markers.split(ids)
    assert tokenizer.decode(found.answer) == "Rain."
    assert found.reasoning + len(found.answer) == len(ids)


def test_reasoning_is_what_stands_before_its_end() -> None:
    inside, outside = Markers((7, 8), (9,), opened=True), Markers((7, 8), (9,), opened=False)
    assert inside.split([1, 2, 9, 3, 4]) == (3, [3, 4], True)
    assert inside.split([1, 2, 3]) == (3, [], False)
    assert outside.split([7, 8, 1, 9, 3]) == (4, [3], True)
    assert outside.split([7, 8, 1, 3]) == (4, [], False)
    assert outside.split([1, 7, 9, 8]) == (0, [1, 7, 9, 8], True)


def engine_of(loaded: Loader, folder: Path, options: TextOptions) -> tuple[TextEngine, Any]:
    engine = loaded(spec(options=options, folder=folder))
    assert isinstance(engine, TextEngine)
    return engine, engine._ready()


def _single_tokens(tokenizer: Any) -> Iterator[int]:
    """Tokens that are a whole word each, all different, so that no phrase repeats."""
    for token, number in sorted(tokenizer.get_vocab().items()):
        if token.startswith("\u0120") and token[1:].isalpha():
            yield number


def test_words_are_those_after_the_reasoning_and_tokens_are_counted_apart(
    loaded: Loader, reasoning_folder: Path, tokenizer: Any
) -> None:
    engine, ready = engine_of(loaded, reasoning_folder, REASONING)
    assert ready.used["reasoning"] == "on"
    start, end = tokenizer.convert_tokens_to_ids(["<think>", "</think>"])
    words = list(islice(_single_tokens(tokenizer), 12))
    ids = [[start, *words[:5], end, *words[5:10]], words, [start, *words[:11]]]
    found = engine.inspect(GeneratedBatch(0, 1, 3, (), Pages(ids, (3, 3, 3), (False,) * 3)))
    assert (found.tokens, found.reasoning_tokens, found.words) == ((12, 12, 12), (7, 0, 12), (5, 12, 0))
    assert found.problems == (
        "Item 2: the reasoning did not end within 12 tokens; ask for more --new-tokens.",
    )


def test_without_reasoning_the_template_closes_it_and_nothing_is_counted_apart(
    loaded: Loader, reasoning_folder: Path
) -> None:
    on, _ = engine_of(loaded, reasoning_folder, REASONING)
    off, ready = engine_of(loaded, reasoning_folder, changed(REASONING, reasoning=False))
    assert (ready.used["reasoning"], ready.markers) == ("off", None)
    longer, shorter = off.generate(PROMPTS, 0), on.generate(PROMPTS, 0)
    assert longer.payload.prompt_tokens > shorter.payload.prompt_tokens
    assert off.inspect(longer).reasoning_tokens is None


@pytest.mark.parametrize(
    ("template", "prompt_format", "says"),
    [
        (ASKED, "chat", r"asked to reason, and its prompt format \(chat\) cannot switch it on"),
        (SWITCHED, "plain", r"its prompt format \(plain\) has no chat template in use"),
    ],
)
def test_a_template_that_does_not_know_reasoning_is_refused_in_a_sentence(
    tmp_path: Path, reasoning_folder: Path, tokenizer: Any, template: str, prompt_format: str, says: str
) -> None:
    for path in reasoning_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    tokenizer.chat_template = template
    tokenizer.save_pretrained(tmp_path)
    asked = changed(REASONING, prompt_format=prompt_format)
    with pytest.raises(EngineError, match=says) as caught:
        create(spec(options=asked, folder=tmp_path)).load()
    assert caught.value.remedy is not None


def test_random_weights_are_not_asked_to_reason() -> None:
    with pytest.raises(EngineError, match="Random weights do not end their reasoning"):
        create(spec(options=REASONING)).load()
