"""The tokenizer for random weights: ids the model knows, and the true padded lengths."""

from __future__ import annotations

from typing import Any

import pytest

from bench.engines.language import stand_in_tokenizer
from bench.engines.weights import architectures

TEXT = "A photo of an astronaut riding a horse on the moon, ünïcode, 数."
SHAPES = [
    pytest.param(shape, id=f"{name}-{shape.name}")
    for name in architectures.names()
    for shape in architectures.load(name).tokenizers
    if shape.style not in ("characters", "spm_char")
]


@pytest.mark.parametrize("shape", SHAPES)
def test_ids_are_known_to_the_model_and_special_ones_are_the_published(
    shape: architectures.TokenizerShape,
) -> None:
    tokenizer = stand_in_tokenizer.build(shape)
    ids = tokenizer(TEXT)["input_ids"]
    assert min(ids) >= 0
    assert max(ids) < shape.vocabulary
    assert len(set(ids)) > 5
    assert tokenizer.pad_token_id == shape.special["pad"]
    assert tokenizer.eos_token_id == shape.special["eos"]
    assert TEXT in tokenizer.decode(ids, skip_special_tokens=True)
    if shape.style == "clip":
        assert ids[0] == shape.special["bos"]
    if shape.style != "bpe":
        assert ids[-1] == shape.special["eos"]
        padded = tokenizer([TEXT, "hi"], padding="max_length", max_length=shape.max_length, truncation=True)
        assert {len(one) for one in padded["input_ids"]} == {shape.max_length}


def test_a_text_to_be_spoken_is_its_characters_with_blanks_between_them() -> None:
    shape = architectures.load("mms-tts-eng").tokenizers[0]
    ids = stand_in_tokenizer.build(shape)("Good day, 7!")["input_ids"]
    spoken = "good day 7"
    assert len(ids) == 2 * len(spoken) + 1
    assert set(ids[::2]) == {0}
    assert 0 not in ids[1::2]
    assert max(ids) < shape.vocabulary


def test_a_text_for_speecht5_is_its_characters_after_a_blank_and_an_end() -> None:
    """As SentencePiece's model of characters has it: `▁good▁day,▁7!` and the end."""
    shape = architectures.load("speecht5").tokenizers[0]
    tokenizer = stand_in_tokenizer.build(shape)
    ids = tokenizer("Good day, 7!")["input_ids"]
    assert len(ids) == len(" good day, 7!") + 1
    assert ids[-1] == shape.special["eos"] == tokenizer.eos_token_id
    assert ids[0] == ids[5] == ids[10]
    assert tokenizer.pad_token_id == shape.special["pad"]
    assert max(ids) < shape.vocabulary


def test_common_words_take_about_as_many_tokens_as_in_real_models() -> None:
    tokenizer = stand_in_tokenizer.build(architectures.load("bloom-560m").tokenizers[0])
    text = "Write a letter to a friend in which you describe the town where you live and the people you know."
    assert 1.0 <= len(tokenizer(text)["input_ids"]) / len(text.split()) <= 2.0


def test_the_chat_template_takes_texts_and_lists_of_parts() -> None:
    tokenizer: Any = stand_in_tokenizer.build(architectures.load("tiny-llama").tokenizers[0])
    plain = [{"role": "user", "content": "Hello"}]
    parts = [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
    wanted = "<|start|>user\nHello<|end|>\n<|start|>assistant\n"
    for messages in (plain, parts):
        assert tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True) == wanted
