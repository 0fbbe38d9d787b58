"""Every published shape of a language model and of an encoder, with a few small numbers, in bf16 on a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest

from bench.core.modalities.embedding import EmbeddingOptions
from bench.core.modalities.text import TextOptions
from bench.engines import create
from bench.engines.weights import architectures, random_weights
from bench.engines.weights.architectures import Architecture
from tests.engines.conftest import PROMPTS, Loader, spec

STATE_SPACE = "mamba_ssm" if find_spec("mamba_ssm") else "torch reference"
DENSE = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
GROUPED = DENSE | {"num_key_value_heads": 2}
LATENT = DENSE | {
    "num_key_value_heads": 4,
    "moe_intermediate_size": 32,
    "n_routed_experts": 16,
    "kv_lora_rank": 32,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 16,
    "v_head_dim": 16,
}
SMALL: Mapping[str, Mapping[str, Any]] = {
    "BloomForCausalLM": {"hidden_size": 64, "n_layer": 2, "n_head": 4},
    "LlamaForCausalLM": GROUPED,
    "Qwen2ForCausalLM": GROUPED,
    "Qwen3ForCausalLM": GROUPED | {"head_dim": 16},
    "Qwen3MoeForCausalLM": GROUPED | {"head_dim": 16, "moe_intermediate_size": 32, "num_experts": 16},
    "GptOssForCausalLM": GROUPED | {"head_dim": 16, "num_local_experts": 8},
    "DeepseekV2ForCausalLM": LATENT,
    "DeepseekV32ForCausalLM": LATENT
    | {"q_lora_rank": 32, "first_k_dense_replace": 1, "index_head_dim": 16, "index_n_heads": 4},
    "Mamba2ForCausalLM": {
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_heads": 8,
        "head_dim": 16,
        "state_size": 16,
    },
    "BertModel": DENSE,
}
"""By class: widths and depths; experts a token, windows, groups and rotary scaling stay."""
NAMES = [name for name in architectures.names() if architectures.load(name).kind in ("text", "embedding")]


def shrunk(whole: Architecture) -> Architecture:
    if whole.name.startswith("tiny-"):
        return whole
    (part,) = whole.components
    small = replace(part, config={**part.config, **SMALL[part.class_name]})
    return replace(whole, components=(replace(small, parameters=random_weights.count(small)),))


@pytest.mark.parametrize("name", NAMES)
def test_the_family_runs(loaded: Loader, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    small = shrunk(architectures.load(name))
    monkeypatch.setattr(architectures, "load", lambda _: small)
    if small.kind == "embedding":
        engine = loaded(spec(name, EmbeddingOptions(input_tokens=40), dtype="bfloat16"))
    else:
        engine = loaded(spec(name, TextOptions(new_tokens=4), dtype="bfloat16"))
    found = engine.inspect(engine.generate(PROMPTS, 0))
    assert found.problems == ()
    assert found.tokens == (None if small.kind == "embedding" else (4, 4))


@pytest.mark.parametrize(
    ("name", "used"),
    [
        ("tiny-qwen3-moe", {"attention": "sdpa", "experts": "grouped_mm"}),
        ("tiny-gpt-oss", {"attention": "eager", "experts": "grouped_mm"}),
        ("tiny-mamba2", {"attention": None, "state_space": STATE_SPACE}),
        ("tiny-qwen2", {"attention": "sdpa"}),
    ],
)
def test_what_computes_experts_and_states_is_read_back(name: str, used: Mapping[str, str | None]) -> None:
    ready = create(spec(name, dtype="bfloat16")).load()
    known = ("attention", "experts", "state_space")
    assert {key: ready.used[key] for key in known if key in ready.used} == used


@pytest.mark.parametrize("name", ["tiny-qwen3-moe", "tiny-deepseek-v2", "tiny-mamba2"])
def test_a_padded_prompt_gives_the_page_that_it_gives_alone(loaded: Loader, name: str) -> None:
    """What pads a shorter prompt must reach neither a state nor the experts' sums of the others."""
    engine = loaded(spec(name))
    together = engine.generate(PROMPTS, 0).payload.token_ids[1]
    assert together == engine.generate(PROMPTS[1:], 0).payload.token_ids[0]
