"""Pages: exactly as long as asked for, counted in words where they hold words, with two phases."""

from __future__ import annotations

import json
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.core.modalities.text import TextOptions
from bench.engines import create
from bench.engines.base import GeneratedBatch
from bench.engines.device import placed as device
from bench.engines.language import text_loading
from bench.engines.text import Pages, TextEngine
from bench.engines.weights import architectures, random_weights
from bench.errors import EngineError
from tests.engines.conftest import PROMPTS, TEXT, Loader, changed, spec


def made_of(ids: list[list[int]], nan: bool = False) -> GeneratedBatch:
    return GeneratedBatch(0, 1, len(ids), (), Pages(ids, (3,) * len(ids), (nan,) * len(ids)))


@pytest.mark.parametrize("architecture", ["tiny-bloom", "tiny-llama"])
def test_every_item_has_the_length_asked_for(loaded: Loader, architecture: str) -> None:
    engine = loaded(spec(architecture))
    found = engine.inspect(engine.generate(PROMPTS, seed=0))
    assert found.tokens == (12, 12)
    assert found.problems == ()
    assert found.words is None  # random weights write no words


def test_an_end_of_sequence_that_would_have_come_is_ignored(
    loaded: Loader, text_folder: Path, tmp_path: Path
) -> None:
    first = loaded(spec(folder=text_folder)).generate(PROMPTS[:1], 0).payload.token_ids[0][0]
    for path in text_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    settings = {"eos_token_id": [first, 2], "do_sample": True, "temperature": 0.7, "max_length": 5}
    (tmp_path / "generation_config.json").write_text(json.dumps(settings))

    free: Any = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    encoded = AutoTokenizer.from_pretrained(tmp_path)(PROMPTS[0], return_tensors="pt")
    stopped = free.generate(**encoded, max_new_tokens=12, do_sample=False, max_length=None, temperature=None)
    assert stopped.shape[1] == encoded["input_ids"].shape[1] + 1

    engine = loaded(spec(folder=tmp_path))
    made = engine.generate(PROMPTS[:1], 0)
    assert engine.inspect(made).tokens == (12,)
    assert not {first, 2} & set(made.payload.token_ids[0]), (
        "what follows an end is no text, so none is chosen"
    )


def test_published_weights_give_words_and_a_fingerprint(text_folder: Path) -> None:
    engine = create(spec(folder=text_folder))
    ready = engine.load()
    made = engine.generate(PROMPTS, 0)
    words = engine.inspect(made).words
    tokenizer: Any = AutoTokenizer.from_pretrained(text_folder)
    texts = [tokenizer.decode(ids, skip_special_tokens=True) for ids in made.payload.token_ids]
    assert words == tuple(len(text.split()) for text in texts)
    assert ready.revision is not None
    assert ready.revision.startswith("sha256:")
    assert ready.parameters == {"model": 139584}


def test_phases_follow_one_another_inside_the_window(loaded: Loader) -> None:
    made = loaded(spec()).generate(PROMPTS, 0)
    prefill, decode = made.phases
    assert (prefill.name, decode.name) == ("prefill", "decode")
    assert (
        made.start_ns <= prefill.start_ns < prefill.end_ns == decode.start_ns < decode.end_ns == made.end_ns
    )
    assert made.items == 2


def test_a_shorter_prompt_is_padded_on_the_left_and_masked(loaded: Loader) -> None:
    engine = loaded(spec())
    together = engine.generate(PROMPTS, 0)
    assert together.payload.prompt_tokens[0] > together.payload.prompt_tokens[1]
    alone = engine.generate(PROMPTS[1:], 0)
    assert together.payload.token_ids[1] == alone.payload.token_ids[0]
    assert engine.inspect(alone).prompt_tokens == (together.payload.prompt_tokens[1],)


def test_the_same_seed_gives_the_same_pages_and_another_seed_others(loaded: Loader) -> None:
    pages = [loaded(spec(seed=seed)).generate(PROMPTS, 0).payload.token_ids for seed in (1, 1, 2)]
    assert pages[0] == pages[1]
    assert pages[0] != pages[2]


@pytest.mark.parametrize(("static", "cache"), [(False, "DynamicCache"), (True, "StaticCache")])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_what_was_used_is_read_back(attention: str, static: bool, cache: str) -> None:
    engine = create(spec(options=changed(TEXT, attention=attention, static_cache=static), dtype="bfloat16"))
    ready = engine.load()
    assert ready.used["attention"] == attention
    assert ready.used["cache"] == cache
    assert ready.dtypes == {"model": "bfloat16"}
    assert ready.device_uuids == ()
    assert ready.memory_bytes is not None
    assert ready.memory_bytes > 2 * 139584
    assert torch.__version__.startswith(ready.libraries["torch"])  # a CUDA build adds `+cu130` to it
    assert engine.inspect(engine.generate(PROMPTS, 0)).tokens == (12, 12)


def test_a_chat_prompt_goes_through_the_template(loaded: Loader) -> None:
    plain = loaded(spec()).generate(PROMPTS[:1], 0).payload.prompt_tokens
    chat = loaded(spec(options=changed(TEXT, prompt_format="chat"))).generate(PROMPTS[:1], 0)
    assert chat.payload.prompt_tokens > plain


def test_chat_without_a_template_is_refused(text_folder: Path, tmp_path: Path) -> None:
    for path in text_folder.iterdir():
        if path.name != "chat_template.jinja":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    engine = create(spec(options=changed(TEXT, prompt_format="chat"), folder=tmp_path))
    with pytest.raises(EngineError, match="no chat template"):
        engine.load()


def test_nan_weights_are_a_problem(loaded: Loader, text_folder: Path, tmp_path: Path) -> None:
    for path in text_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    engine = loaded(spec(folder=tmp_path))
    problems = engine.inspect(engine.generate(PROMPTS, 0)).problems
    assert "Item 1: the model's scores are NaN." in problems


def test_a_wrong_length_and_an_empty_page_are_problems(loaded: Loader, text_folder: Path) -> None:
    engine = loaded(spec(folder=text_folder))
    found = engine.inspect(made_of([list(range(40, 51)), [2] * 12, []]))
    assert found.tokens == (11, 12, 0)
    assert found.problems == (
        "Item 0 has 11 tokens, 12 were asked for.",
        "Item 1 has no words.",
        "Item 2 has 0 tokens, 12 were asked for.",
        "Item 2 has no words.",
    )


def test_random_weights_are_not_blamed_for_having_no_words(loaded: Loader) -> None:
    assert loaded(spec()).inspect(made_of([[2] * 12])).problems == ()


def test_one_phrase_all_the_way_is_a_problem_for_real_weights_only(loaded: Loader, text_folder: Path) -> None:
    pages = [[40, 41, 42] * 4, list(range(40, 52))]
    assert loaded(spec(folder=text_folder)).inspect(made_of(pages)).problems == (
        "Item 0 repeats a phrase of 3 tokens from beginning to end.",
    )
    assert loaded(spec()).inspect(made_of(pages)).problems == ()


def test_a_page_beyond_the_models_positions_is_refused(loaded: Loader) -> None:
    engine = loaded(spec(options=TextOptions(new_tokens=3000)))
    with pytest.raises(EngineError, match="room for 2048 tokens") as caught:
        engine.generate(PROMPTS, 0)
    assert caught.value.stage == "generate"


def test_save_writes_one_text_an_item(loaded: Loader, tmp_path: Path) -> None:
    engine = loaded(spec())
    paths = engine.save(engine.generate(PROMPTS, 0), tmp_path, "page")
    assert [path.name for path in paths] == ["page-0.txt", "page-1.txt"]
    assert all(path.is_file() for path in paths)


def test_unload_frees_the_model_and_generate_then_says_so() -> None:
    engine = create(spec())
    assert isinstance(engine, TextEngine)
    engine.load()
    model = weakref.ref(engine._ready().model)
    engine.generate(PROMPTS, 0)
    engine.unload()
    assert model() is None
    with pytest.raises(EngineError, match="not loaded"):
        engine.generate(PROMPTS, 0)


def test_an_image_architecture_is_no_text_model() -> None:
    with pytest.raises(Exception, match="is not a text model"):
        create(spec("tiny-sdxl")).load()


def test_a_model_is_spread_over_devices_in_whole_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_weights.empty(architectures.load("tiny-bloom").components[0], torch.float32)
    room: dict[int | str, int] = {0: 600_000, 1: 600_000}
    monkeypatch.setattr(device, "free_memory", lambda _: room)
    # accelerate would strike out devices that this machine does not have.
    monkeypatch.setattr("accelerate.utils.modeling.get_max_memory", lambda asked=None: dict(asked or room))
    placed = text_loading._spread(model, torch.float32, ("cuda:0", "cuda:1"))
    assert set(placed.values()) == {0, 1}
    # The head shares its numbers with the embeddings, so both are on one device.
    assert placed["lm_head"] == placed["transformer.word_embeddings"]
    room.update({0: 1000, 1: 1000})
    with pytest.raises(EngineError, match="does not fit") as caught:
        text_loading._spread(model, torch.float32, ("cuda:0", "cuda:1"))
    assert caught.value.out_of_memory
