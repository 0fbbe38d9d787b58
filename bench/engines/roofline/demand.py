"""Bytes that must move and operations that must be done for a token or a step, by arithmetic on the shape.

What any engine must do at least: each weight is read once a pass, each key and value once a token. Products
of matrices and of queries with keys count, 2 operations a multiplication with its addition; norms,
activations and the choice of a token do not. Nothing here imports torch.

    shape = text_shape(architectures.load("bloom-7b1"))
    decode_step(shape, batch=1, context=200, number_bytes=2)     # Demand(bytes=14.2e9, operations=14.2e9)
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.engines.weights.architectures import Architecture, Component
from bench.errors import UsageError

NUMBER_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}


@dataclass(frozen=True)
class Demand:
    """Bytes moved between memory and the card's cores, and operations done there."""

    bytes: float
    operations: float

    def __add__(self, other: Demand) -> Demand:
        return Demand(self.bytes + other.bytes, self.operations + other.operations)

    def __mul__(self, times: float) -> Demand:
        return Demand(self.bytes * times, self.operations * times)


@dataclass(frozen=True)
class TextShape:
    """A causal language model's sizes. `body` are the numbers in the matrices of all layers."""

    layers: int
    heads: int
    key_value_heads: int
    head_width: int
    body: int
    head: int
    """Numbers of the matrix that makes scores of a token; the same as the embedding's."""
    read: int
    """Numbers read in a pass: all but an embedding of its own, of which a token needs one row."""

    @property
    def cached_numbers(self) -> int:
        """Keys and values of one token in all layers."""
        return 2 * self.layers * self.key_value_heads * self.head_width

    @property
    def attention_operations(self) -> int:
        """For one token and one other that it looks at: query times key, and weight times value."""
        return 4 * self.layers * self.heads * self.head_width


def text_shape(architecture: Architecture) -> TextShape:
    """The sizes of a text model. Raises UsageError for a class whose arithmetic is not known here."""
    (component,) = architecture.components
    kinds = {"BloomForCausalLM": _bloom, "LlamaForCausalLM": _gated, "Qwen3ForCausalLM": _gated}
    if component.class_name not in kinds:
        raise UsageError(f"The arithmetic of {component.class_name} is not known here.")
    return kinds[component.class_name](component)


def decode_step(shape: TextShape, batch: int, context: float, number_bytes: int) -> Demand:
    """One new token for each item of a batch, `context` tokens in the cache with the new one."""
    cache = shape.cached_numbers * batch * (context + 1)
    products = 2 * (shape.body + shape.head) + shape.attention_operations * context
    return Demand((shape.read + cache) * number_bytes, products * batch)


def prefill(shape: TextShape, batch: int, tokens: float, number_bytes: int) -> Demand:
    """All tokens of the prompts at once, scores for the last one only; what is masked is worked out, too."""
    cache = shape.cached_numbers * batch * tokens
    products = 2 * shape.body * tokens + 2 * shape.head + shape.attention_operations * tokens**2
    return Demand((shape.read + cache) * number_bytes, products * batch)


def _bloom(component: Component) -> TextShape:
    config = component.config
    width, layers, heads = config["hidden_size"], config["n_layer"], config["n_head"]
    embedding = config["vocab_size"] * width
    # The head is the embedding, so that it is read as a whole.
    return TextShape(
        layers, heads, heads, width // heads, 12 * width**2 * layers, embedding, component.parameters
    )


def _gated(component: Component) -> TextShape:
    config = component.config
    width, layers, heads = config["hidden_size"], config["num_hidden_layers"], config["num_attention_heads"]
    pairs, head_width = config["num_key_value_heads"], config.get("head_dim", width // heads)
    attention = 2 * width * head_width * (heads + pairs)
    body = layers * (attention + 3 * width * config["intermediate_size"])
    embedding = config["vocab_size"] * width
    apart = 0 if config["tie_word_embeddings"] else embedding
    return TextShape(layers, heads, pairs, head_width, body, embedding, component.parameters - apart)
