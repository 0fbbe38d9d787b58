"""Memory of language models: keys and values, and a table of embeddings that is not quantised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.core.modalities.text import TextOptions
from bench.core.modality import Options
from bench.engines.memory import BatchMemory
from bench.engines.weights.architectures import Architecture


def memory_of(options: Options, shape: Architecture, batch: int, number_bytes: int) -> BatchMemory:
    """Keys and values of the new tokens; quantising leaves the table of embeddings as it is."""
    assert isinstance(options, TextOptions), "chosen by the type of the options"
    own = shape.components[0].config
    config: Mapping[str, Any] = own.get("text_config", own)
    return BatchMemory(
        cache_bytes=_numbers_a_token(config) * _tokens(options, config) * batch * number_bytes,
        unquantized_numbers=config.get("vocab_size", 0) * _width(config),
    )


def _numbers_a_token(config: Mapping[str, Any]) -> int:
    """Numbers of keys and values, in every layer; 0 where the architecture does not say.

    A compressed cache counts as compressed.
    """
    layers = config.get("num_hidden_layers", config.get("n_layer"))
    heads = config.get("num_attention_heads", config.get("n_head"))
    if not layers or not heads:
        return 0
    head_width = config.get("head_dim") or _width(config) // heads
    numbers = 2 * (config.get("num_key_value_heads") or heads) * head_width
    if "kv_lora_rank" in config:
        numbers = config["kv_lora_rank"] + config.get("qk_rope_head_dim", 0)
    return int(layers * numbers)


def _tokens(options: TextOptions, config: Mapping[str, Any]) -> int:
    """The new tokens; layers that look back over a window keep no more than it."""
    return int(min(options.new_tokens, config.get("sliding_window") or options.new_tokens))


def _width(config: Mapping[str, Any]) -> int:
    return int(config.get("hidden_size", config.get("n_embed", 0)))
