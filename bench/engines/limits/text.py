"""Limits of language models: positions for prompt and page, and whether they reason."""

from __future__ import annotations

from bench.core.modalities.text import TextOptions
from bench.engines.base import EngineSpec
from bench.engines.limits import compiling
from bench.engines.limits.refused import refused
from bench.engines.weights.architectures import Architecture


def check(spec: EngineSpec, shape: Architecture | None) -> None:
    """Raise EngineError for a page that the model cannot write."""
    options = spec.options
    assert isinstance(options, TextOptions), "chosen by the type of the options"
    compiling.check_mode(options, spec.devices)
    compiling.check_graphs_of_text(options.compile_mode, static_cache=options.static_cache)
    if options.reasoning:
        check_random(spec)
        if options.prompt_format == "plain":
            raise without_switch(spec.model, options)
    if shape is not None:
        config = shape.components[0].config
        limit = config.get("text_config", config).get("max_position_embeddings")
        # The tokens of the prompt are known only to the tokenizer: one at least.
        check_room(spec.model, limit, 1 + options.new_tokens)


def check_room(model: str, limit: int | None, wanted: int, stage: str = "load") -> None:
    """Refuse a length beyond the model's positions; on a GPU it would end in an assert without a name."""
    if limit is not None and wanted > limit:
        raise refused(
            f"{model} has room for {limit} tokens, and prompt and page would take {wanted}.",
            "Ask for a shorter page or use a shorter prompt.",
            stage,
        )


def check_random(spec: EngineSpec) -> None:
    """Raise EngineError for random weights that are to reason."""
    if spec.weights.kind == "random":
        raise refused(
            f"Random weights do not end their reasoning, so {spec.model} writes no page after it.",
            "Use real weights, or leave out --reasoning.",
        )


def without_switch(model: str, options: TextOptions) -> Exception:
    """The error for a model whose prompts cannot ask it to reason."""
    where = "has no chat template in use" if options.prompt_format == "plain" else "cannot switch it on"
    return refused(
        f"{model} was asked to reason, and its prompt format ({options.prompt_format}) {where}.",
        "Leave out --reasoning, or choose a model whose chat template has enable_thinking.",
    )
