"""Embeddings: exactly as many tokens as asked for, words of what was read, one vector a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer, BertForMaskedLM

from bench.core.modalities.embedding import EmbeddingOptions, count
from bench.core.modality import CountedOutput
from bench.engines.device import transformers_model
from bench.engines.embedding import EmbeddingEngine
from bench.errors import EngineError
from tests.engines.conftest import PROMPTS, Loader, spec

READ = EmbeddingOptions(input_tokens=24)


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT with its tokenizer, saved as the model for masked words that BERT is published as."""
    folder = tmp_path_factory.mktemp("tiny-bert")
    made = transformers_model.load(spec("tiny-bert", READ), ("BertModel",))
    masked: Any = BertForMaskedLM(made.model.config)
    masked.bert.load_state_dict(made.model.state_dict(), strict=False)
    masked.save_pretrained(folder)
    made.tokenizer.save_pretrained(folder)
    return folder


def test_every_page_has_the_tokens_asked_for_and_random_weights_count_no_words(loaded: Loader) -> None:
    engine = loaded(spec("tiny-bert", READ, dtype="bfloat16"))
    made = engine.generate(PROMPTS, 0)
    found = engine.inspect(made)
    assert (found.prompt_tokens, found.tokens, found.words, found.problems) == ((24, 24), None, None, ())
    assert [phase.name for phase in made.phases] == ["encoder"]
    (phase,) = made.phases
    assert made.start_ns <= phase.start_ns < phase.end_ns == made.end_ns


def test_the_vector_is_the_mean_of_what_the_encoder_gives_for_the_text(
    loaded: Loader, encoder_folder: Path
) -> None:
    engine = loaded(spec(options=READ, folder=encoder_folder))
    made = engine.generate(PROMPTS, 0)
    tokenizer: Any = AutoTokenizer.from_pretrained(encoder_folder)
    model: Any = AutoModel.from_pretrained(encoder_folder, dtype=torch.float32)
    for i, prompt in enumerate(PROMPTS):
        text = " ".join([prompt] * 24)
        encoded = tokenizer(text, truncation=True, max_length=24, return_tensors="pt")
        with torch.no_grad():
            expected = model(**encoded).last_hidden_state.mean(dim=1)[0]
        assert torch.allclose(made.payload.vectors[i], expected, atol=1e-5)
    assert not torch.allclose(made.payload.vectors[0], made.payload.vectors[1], atol=1e-2)


def test_words_are_those_of_the_text_that_went_in(loaded: Loader, encoder_folder: Path) -> None:
    """Special tokens are no words, and neither is what was cut away."""
    engine = loaded(spec(options=READ, folder=encoder_folder))
    made = engine.generate(("Hi", "Hi, a page about the sea."), 0)
    words = engine.inspect(made).words
    assert words is not None
    tokenizer: Any = AutoTokenizer.from_pretrained(encoder_folder)
    each = len(tokenizer(" Hi", add_special_tokens=False)["input_ids"])
    assert words[0] == pytest.approx(22 / each, abs=1)
    assert made.payload.texts[1].startswith("Hi, a page")
    assert words[1] == len(made.payload.texts[1].split())


def test_pages_read_are_counted_from_words_or_from_tokens_of_random_weights() -> None:
    made = CountedOutput(2, 0, 500, None, None, prompt_tokens=680)
    assert count(made) == (2.0, 500, "counted")
    assert count(made._replace(words=None)) == (None, None, None)
    assumed = count(made._replace(words=None, tokens_per_word=1.36))
    assert assumed[:2] == pytest.approx((2.0, 500.0))
    assert assumed.words_kind == "assumed"


def test_nan_weights_are_a_problem(loaded: Loader, encoder_folder: Path, tmp_path: Path) -> None:
    for path in encoder_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    weights["bert.embeddings.LayerNorm.weight"][0] = float("nan")
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    engine = loaded(spec(options=READ, folder=tmp_path))
    assert "Item 1: its embedding is not finite." in engine.inspect(engine.generate(PROMPTS, 0)).problems


def test_a_vector_is_saved_as_a_list(loaded: Loader, tmp_path: Path) -> None:
    engine = loaded(spec("tiny-bert", READ))
    paths = engine.save(engine.generate(PROMPTS, 0), tmp_path, "page")
    assert [path.name for path in paths] == ["page-0.txt", "page-1.txt"]
    assert all(len(json.loads(path.read_text())) == 64 for path in paths)


def test_what_cannot_be_is_said_in_a_sentence(loaded: Loader, text_folder: Path) -> None:
    with pytest.raises(EngineError, match="room for 2048 tokens, and 2049 were asked for"):
        loaded(spec("tiny-bert", EmbeddingOptions(input_tokens=2049)))
    with pytest.raises(EngineError, match="is a LlamaForCausalLM, and this engine runs BertModel"):
        loaded(spec(options=READ, folder=text_folder))
    with pytest.raises(EngineError, match="not loaded"):
        EmbeddingEngine(spec("tiny-bert", READ), READ).generate(PROMPTS, 0)
