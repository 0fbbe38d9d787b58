"""Phases of language models, by arithmetic: prefill of the prompts, then one step a token."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.block import Block
from bench.core.record import Record
from bench.engines.roofline.demand import NUMBER_BYTES, Demand, decode_step, prefill
from bench.engines.roofline.text_shapes import text_shape
from bench.engines.weights.architectures import Architecture

NEEDS = ("new_tokens",)


def demands(record: Record, architecture: Architecture, blocks: Sequence[Block]) -> dict[str, Demand | str]:
    """Prefill and decode of all batches of the blocks."""
    case, shape = record.case, text_shape(architecture)
    items = sum(block.items for block in blocks)
    observed = [block.observed.prompt_tokens for block in blocks]
    prompts = [count for count in observed if count is not None]
    if not items or len(prompts) < len(observed):
        return dict.fromkeys(("prefill", "decode"), "the record lacks the length of the prompts")
    batches = sum(block.batches for block in blocks)
    number_bytes, batch, new = NUMBER_BYTES[case.dtype], case.batch, case.options["new_tokens"]
    prompt = sum(prompts) / items
    # The first token follows from the prompt itself; a static cache is read whole, however full it is.
    context = prompt + new if case.options.get("static_cache") else prompt + new / 2
    step = decode_step(shape, batch, context, number_bytes)
    return {
        "prefill": prefill(shape, batch, prompt, number_bytes) * batches,
        "decode": step * ((new - 1) * batches),
    }
