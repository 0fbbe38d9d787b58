"""Sizes of language models and encoders, by the class of transformers that runs them.

    shape = text_shape(architectures.load("qwen3-30b-a3b"))
    shape.body                    # 2.95e9: numbers that a token is multiplied with, of 30.5e9
    shape.experts.read(tokens=1)  # numbers of the experts that one token needs

Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.engines.weights.architectures import Architecture, Component
from bench.errors import UsageError


@dataclass(frozen=True)
class Experts:
    """A mixture of experts: `chosen` of `count` for a token, in each of `layers` layers."""

    layers: int
    count: int
    chosen: int
    numbers: int
    """Numbers of one expert."""

    @property
    def held(self) -> int:
        """Numbers of all experts."""
        return self.layers * self.count * self.numbers

    def read(self, tokens: float) -> float:
        """Numbers of the experts that one pass over these tokens reads.

        Each token is taken to choose evenly and for itself: exact for one token, the mean for more.
        """
        untouched: float = (1 - self.chosen / self.count) ** tokens
        return self.held * (1 - untouched)


@dataclass(frozen=True)
class TextShape:
    """A model's sizes. `body` are the numbers of all layers' matrices that a token is multiplied with."""

    layers: int
    """Layers with attention."""
    heads: int
    key_value_heads: int
    head_width: int
    body: int
    head: int
    """Numbers of the matrix that is used once an item: scores of a token, or the pooler of an encoder."""
    read: int
    """Numbers read in every pass: without experts, and without an embedding of its own (one row a token)."""
    experts: Experts | None = None
    windowed_layers: int = 0
    window: int = 0
    """Tokens that windowed layers look back."""
    state: int = 0
    """Numbers of the recurrent state of an item in all layers."""
    carried: int = 0
    """Numbers that an item carries from token to token beside keys and values, `state` among them."""

    def looked_at(self, context: float) -> float:
        """Tokens that one token looks at, over all layers."""
        full = self.layers - self.windowed_layers
        return full * context + self.windowed_layers * min(context, self.window)

    @property
    def cached_numbers(self) -> int:
        """Keys and values of one token in one layer."""
        return 2 * self.key_value_heads * self.head_width

    @property
    def attention_operations(self) -> int:
        """For one token and one other that it looks at in one layer: query times key, weight times value."""
        return 4 * self.heads * self.head_width


def text_shape(architecture: Architecture) -> TextShape:
    """The sizes of a model. Raises UsageError for a class whose arithmetic is not known here."""
    (component,) = architecture.components
    if component.class_name not in _KINDS:
        raise UsageError(f"The arithmetic of {component.class_name} is not known here.")
    return _KINDS[component.class_name](component)


def _bloom(component: Component) -> TextShape:
    config = component.config
    width, layers, heads = config["hidden_size"], config["n_layer"], config["n_head"]
    embedding = config["vocab_size"] * width
    # The head is the embedding, so that it is read as a whole.
    return TextShape(
        layers, heads, heads, width // heads, 12 * width**2 * layers, embedding, component.parameters
    )


def _attention_numbers(config: Mapping[str, Any]) -> int:
    """Numbers of the four projections of a layer."""
    width, heads = config["hidden_size"], config["num_attention_heads"]
    head_width = config.get("head_dim", width // heads)
    return int(2 * width * head_width * (heads + config["num_key_value_heads"]))


def _causal(component: Component, feed_forward: int, experts: Experts | None = None) -> TextShape:
    """A causal model with grouped heads; `feed_forward` are the numbers of a layer beside attention."""
    config = component.config
    width, layers, heads = config["hidden_size"], config["num_hidden_layers"], config["num_attention_heads"]
    embedding = config["vocab_size"] * width
    apart = 0 if config["tie_word_embeddings"] else embedding
    windowed = (
        layers - layers // 2 if "sliding_window" in config else 0
    )  # the first layer, and every second one
    return TextShape(
        layers,
        heads,
        config["num_key_value_heads"],
        config.get("head_dim", width // heads),
        layers * (_attention_numbers(config) + feed_forward),
        embedding,
        component.parameters - apart - (experts.held if experts else 0),
        experts,
        windowed,
        config.get("sliding_window", 0),
    )


def _gated(component: Component) -> TextShape:
    config = component.config
    return _causal(component, 3 * config["hidden_size"] * config["intermediate_size"])


def _qwen3_moe(component: Component) -> TextShape:
    config = component.config
    width, count, chosen = config["hidden_size"], config["num_experts"], config["num_experts_per_tok"]
    expert = 3 * width * config["moe_intermediate_size"]
    experts = Experts(config["num_hidden_layers"], count, chosen, expert)
    return _causal(component, width * count + chosen * expert, experts)


def _gpt_oss(component: Component) -> TextShape:
    config = component.config
    width, inner = config["hidden_size"], config["intermediate_size"]
    count, chosen = config["num_local_experts"], config["num_experts_per_tok"]
    products, biases = 3 * width * inner, 2 * inner + width
    experts = Experts(config["num_hidden_layers"], count, chosen, products + biases)
    return _causal(component, width * count + chosen * products, experts)


def _mamba2(component: Component) -> TextShape:
    """Projections and a short convolution a layer; the state takes the place of keys and values."""
    config = component.config
    width, layers, heads = config["hidden_size"], config["num_hidden_layers"], config["num_heads"]
    inner, grouped = heads * config["head_dim"], 2 * config["n_groups"] * config["state_size"]
    convolution = (inner + grouped) * config["conv_kernel"]
    body = layers * (width * (2 * inner + grouped + heads) + convolution + inner * width)
    embedding, state = config["vocab_size"] * width, layers * inner * config["state_size"]
    apart = 0 if config["tie_word_embeddings"] else embedding
    carried = state + layers * convolution
    return TextShape(0, 0, 0, 0, body, embedding, component.parameters - apart, state=state, carried=carried)


def _bert(component: Component) -> TextShape:
    """An encoder keeps no keys; its pooler sees the first token of an item only."""
    config = component.config
    width, layers, heads = config["hidden_size"], config["num_hidden_layers"], config["num_attention_heads"]
    body = layers * (4 * width**2 + 2 * width * config["intermediate_size"])
    rows = config["vocab_size"] + config["max_position_embeddings"]
    return TextShape(layers, heads, 0, width // heads, body, width**2, component.parameters - rows * width)


_KINDS: Mapping[str, Callable[[Component], TextShape]] = {
    "BloomForCausalLM": _bloom,
    "LlamaForCausalLM": _gated,
    "Qwen2ForCausalLM": _gated,
    "Qwen3ForCausalLM": _gated,
    "Qwen3MoeForCausalLM": _qwen3_moe,
    "GptOssForCausalLM": _gpt_oss,
    "Mamba2ForCausalLM": _mamba2,
    "BertModel": _bert,
}
