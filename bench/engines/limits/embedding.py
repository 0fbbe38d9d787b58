"""Limits of encoders: positions for the tokens of an item."""

from __future__ import annotations

from bench.core.modalities.embedding import EmbeddingOptions
from bench.engines.base import EngineSpec
from bench.engines.limits.refused import refused
from bench.engines.weights.architectures import Architecture


def check(spec: EngineSpec, shape: Architecture | None) -> None:
    """Raise EngineError for more tokens than the encoder reads."""
    options = spec.options
    assert isinstance(options, EmbeddingOptions), "chosen by the type of the options"
    if shape is not None:
        limits = [shape.components[0].config["max_position_embeddings"]]
        limits += [tokenizer.max_length for tokenizer in shape.tokenizers]
        check_room(spec.model, min(limits), options.input_tokens)


def check_room(model: str, limit: int, wanted: int) -> None:
    """Refuse more tokens than the encoder has positions for. Raises EngineError."""
    if wanted > limit:
        raise refused(
            f"{model} has room for {limit} tokens, and {wanted} were asked for.", "Use fewer --input-tokens."
        )
