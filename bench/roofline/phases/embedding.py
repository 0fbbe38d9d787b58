"""The one phase of encoders, by arithmetic: a prefill of the tokens that an item reads."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.block import Block
from bench.core.record import Record
from bench.engines.roofline.demand import NUMBER_BYTES, Demand, prefill
from bench.engines.roofline.text_shapes import text_shape
from bench.engines.weights.architectures import Architecture

NEEDS = ("input_tokens",)


def demands(record: Record, architecture: Architecture, blocks: Sequence[Block]) -> dict[str, Demand | str]:
    """The encoder over all batches of the blocks."""
    case, batches = record.case, sum(block.batches for block in blocks)
    one = prefill(
        text_shape(architecture), case.batch, case.options["input_tokens"], NUMBER_BYTES[case.dtype]
    )
    return {"encoder": one * batches}
