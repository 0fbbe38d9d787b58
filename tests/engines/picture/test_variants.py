"""Other ways of doing the same work: the same output, the way really in force, or one sentence why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bench.core.modalities.image import ImageOptions
from bench.core.modalities.text import TextOptions
from bench.engines import create
from bench.engines.base import EngineSpec
from bench.engines.device import kernels
from bench.errors import EngineError
from tests.engines.conftest import IMAGE, PROMPTS, TEXT, Loader, changed, spec

STATIC: dict[str, Any] = {"static_cache": True}
PLAIN_TEXT: dict[str, list[list[int]]] = {}
PLAIN_IMAGE: dict[str, Any] = {}


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What torch.compile is asked for; its tracing is real, the code that it would write is not."""
    torch._dynamo.reset()
    compile_: Callable[..., Any] = torch.compile
    asked: list[dict[str, Any]] = []

    def traced(model: Any, *, mode: str | None = None, dynamic: bool | None = None, **more: Any) -> Any:
        asked.append({"mode": mode})
        return compile_(model, backend="eager", dynamic=dynamic)

    monkeypatch.setattr(torch, "compile", traced)
    return asked


def pages(options: TextOptions, architecture: str = "tiny-llama") -> tuple[dict[str, Any], list[list[int]]]:
    engine = create(spec(architecture, options))
    used = engine.load().used
    engine.generate(PROMPTS, 0)
    made = engine.generate(PROMPTS, 0)
    assert engine.inspect(made).problems == ()
    tokens: list[list[int]] = made.payload.token_ids
    return used, tokens


@pytest.mark.parametrize(
    ("architecture", "changes", "mode"),
    [
        ("tiny-llama", STATIC, None),
        ("tiny-bloom", STATIC, None),
        ("tiny-llama", STATIC | {"compile": True}, "reduce-overhead"),
        ("tiny-bloom", STATIC | {"compile": True, "compile_mode": "default"}, "default"),
    ],
    ids=["static, llama", "static, bloom", "compiled, llama", "without graphs, bloom"],
)
def test_a_variant_writes_the_same_pages(
    architecture: str, changes: dict[str, Any], mode: str | None, compiled: list[dict[str, Any]]
) -> None:
    if architecture not in PLAIN_TEXT:
        PLAIN_TEXT[architecture] = pages(TEXT, architecture)[1]
    used, tokens = pages(changed(TEXT, **changes), architecture)
    assert tokens == PLAIN_TEXT[architecture]
    assert used["cache"] == "StaticCache"
    assert used.get("compile_mode") == changes.get("compile_mode")
    assert [asked["mode"] for asked in compiled] == ([mode] if mode else [])


def test_the_static_cache_stays_where_it_is_until_it_must_grow(loaded: Loader) -> None:
    engine: Any = loaded(spec(options=changed(TEXT, static_cache=True)))
    kept: Any = engine._loaded.cache
    places = []
    for prompts in (PROMPTS, PROMPTS[::-1], ("Hi", "Ho"), ("Write a page. " * 20, "Hi"), PROMPTS):
        engine.generate(prompts, 0)
        places.append(kept._cache.layers[0].keys.data_ptr())
    assert places[0] == places[1] == places[2] != places[3] == places[4]
    assert kept.length > 64


def test_a_prompt_with_a_few_more_tokens_gets_the_same_program(loaded: Loader) -> None:
    engine: Any = loaded(spec(options=changed(TEXT, static_cache=True)))
    shapes = set()
    for words in range(1, 5):
        engine.generate(("word " * words,) * 2, 0)
        shapes.add(tuple(engine._loaded.cache._cache.layers[0].keys.shape))
    assert [shape[2] for shape in shapes] == [64]


def test_the_longest_prompt_is_the_one_with_the_most_tokens_not_characters(loaded: Loader) -> None:
    many_characters, many_tokens = "the the the the the the", "\N{SNOWMAN}\N{CLOUD}" * 5
    engine: Any = loaded(spec(options=TEXT))
    tokens = [len(engine._loaded.tokenizer(each)["input_ids"]) for each in (many_characters, many_tokens)]
    assert len(many_characters) > len(many_tokens)
    assert tokens[0] < tokens[1], "otherwise this test shows nothing"
    assert engine.longest_prompt((many_characters, many_tokens, "a")) == 1


def test_a_decode_step_that_was_left_uncompiled_is_a_problem(
    loaded: Loader, compiled: list[dict[str, Any]]
) -> None:
    engine: Any = loaded(spec(options=changed(TEXT, static_cache=True, compile=True)))
    engine._loaded.model.generation_config.disable_compile = True
    assert "left it as it is" in engine.inspect(engine.generate(PROMPTS, 0)).problems[0]


def test_one_attention_kernel_is_the_only_one_that_torch_may_use() -> None:
    used, tokens = pages(changed(TEXT, sdpa_kernel="math"))
    assert used["sdpa_kernel"] == ["math"]
    assert tokens == pages(TEXT)[1]
    assert kernels.enabled("flash") == ["flash"], "outside the engine nothing has changed"


def pixels(options: ImageOptions, architecture: str = "tiny-stable-diffusion") -> tuple[dict[str, Any], Any]:
    engine = create(spec(architecture, options))
    used = engine.load().used
    made = engine.generate(PROMPTS, 0)
    assert engine.inspect(made).problems == ()
    return used, made.payload.pixels.astype(int)


@pytest.mark.parametrize(
    ("changes", "in_force"),
    [
        ({"channels_last": True}, {"channels_last": ["unet", "vae"]}),
        ({"fuse_qkv": True}, {"fuse_qkv": 8, "attention": ["FusedAttnProcessor2_0"]}),
        ({"sdpa_kernel": "flash"}, {"sdpa_kernel": ["flash"]}),
        (
            {"compile": True, "compile_blocks": True},
            {"compile": "blocks", "compile_blocks": ["BasicTransformerBlock"]},
        ),
        (
            {"compile": True, "compile_mode": "max-autotune-no-cudagraphs"},
            {"compile": "denoiser", "compile_mode": "max-autotune-no-cudagraphs"},
        ),
    ],
    ids="-".join,
)
def test_a_variant_makes_the_same_picture(
    changes: dict[str, Any], in_force: dict[str, Any], compiled: list[dict[str, Any]]
) -> None:
    if "plain" not in PLAIN_IMAGE:
        PLAIN_IMAGE["used"], PLAIN_IMAGE["plain"] = pixels(IMAGE)
    used, seen = pixels(changed(IMAGE, **changes))
    assert np.abs(seen - PLAIN_IMAGE["plain"]).max() <= 1
    assert {key: used[key] for key in in_force} == in_force
    assert set(used) - set(PLAIN_IMAGE["used"]) <= set(changes)
    blocks = 4 if "compile_blocks" in changes else 1
    assert compiled == [{"mode": changes.get("compile_mode")}] * (blocks if "compile" in changes else 0)


def made_once(wanted: EngineSpec) -> None:
    engine = create(wanted)
    engine.load()
    engine.generate(PROMPTS, 0)


@pytest.mark.parametrize(
    ("architecture", "options", "sentence"),
    [
        ("tiny-llama", changed(TEXT, compile_mode="default"), "without compile changes nothing"),
        ("tiny-llama", changed(TEXT, compile=True, compile_mode="reduce-overhead"), "the work runs on cpu"),
        ("tiny-llama", changed(TEXT, sdpa_kernel="cudnn"), "The attention kernel cudnn cannot do this"),
        ("tiny-bloom", changed(TEXT, sdpa_kernel="math"), "and eager is used"),
        ("tiny-sdxl", changed(IMAGE, compile_mode="default"), "without compile changes nothing"),
        ("tiny-sdxl", changed(IMAGE, compile_blocks=True), "Set compile: true beside it"),
        (
            "tiny-sdxl",
            changed(IMAGE, sdpa_kernel="efficient"),
            "The attention kernel efficient cannot do this",
        ),
    ],
)
def test_what_cannot_be_in_force_is_refused(
    architecture: str, options: TextOptions | ImageOptions, sentence: str
) -> None:
    with pytest.raises(EngineError, match=sentence):
        made_once(spec(architecture, options))
