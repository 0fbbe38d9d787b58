"""Bytes that must move and operations that must be done for a token or a step, by arithmetic on the shape.

What any engine must do at least: each weight is read once a pass, each key and value once a token. Products
of matrices and of queries with keys count, 2 operations a multiplication with its addition; norms,
activations and the choice of a token do not. Nothing here imports torch.

    shape = text_shape(architectures.load("bloom-7b1"))
    decode_step(shape, batch=1, context=200, number_bytes=2)     # Demand(bytes=14.2e9, operations=14.2e9)
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.engines.roofline.text_shapes import TextShape

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


def decode_step(shape: TextShape, batch: int, context: float, number_bytes: int) -> Demand:
    """One new token for each item of a batch, `context` tokens in the cache with the new one."""
    looked_at = shape.looked_at(context)
    # Keys and values looked at are read, those of the new token written; a recurrent state is both.
    carried = shape.cached_numbers * (looked_at + shape.layers) + 2 * shape.carried
    products = 2 * (shape.body + shape.head) + shape.attention_operations * looked_at + _recurrence(shape)
    return Demand((_weights(shape, batch) + carried * batch) * number_bytes, products * batch)


def prefill(shape: TextShape, batch: int, tokens: float, number_bytes: int) -> Demand:
    """All tokens of the prompts at once, scores for the last one only; what is masked is worked out, too."""
    written = shape.cached_numbers * shape.looked_at(tokens) + shape.carried
    looked_at = shape.layers * tokens**2
    products = (2 * shape.body + _recurrence(shape)) * tokens + 2 * shape.head
    products += shape.attention_operations * looked_at
    return Demand((_weights(shape, batch * tokens) + written * batch) * number_bytes, products * batch)


def _weights(shape: TextShape, tokens: float) -> float:
    """Numbers of the weights that one pass over these tokens reads."""
    return shape.read + (shape.experts.read(tokens) if shape.experts else 0)


def _recurrence(shape: TextShape) -> int:
    """Operations of one token on a recurrent state: what comes in is added, and what goes out summed up.

    Kernels that work on chunks of a prompt do more of them, as products of matrices.
    """
    return 4 * shape.state
