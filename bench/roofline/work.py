"""Bytes and operations of each phase of a record, from the case and the shape of its model.

    found = demands(record, "bloom-7b1", blocks)     # {"prefill": Demand, "decode": Demand}
    found["text_encoder"]                            # ... or the reason why it is not known

Inside: all batches of the blocks given. How a modality's phases are counted is a file of `phases`.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.block import Block
from bench.core.record import Record
from bench.engines.roofline.demand import NUMBER_BYTES, Demand
from bench.engines.weights import architectures
from bench.engines.weights.architectures import Architecture
from bench.errors import BenchError
from bench.roofline.phases import phase_counter


def demands(record: Record, architecture: str | None, blocks: Sequence[Block]) -> dict[str, Demand | str]:
    """By phase: what it had to do in all batches of `blocks`, or why that is not known."""
    names = {name for block in blocks for name in block.phases}
    if architecture is None:
        return dict.fromkeys(names, f"the shape of {record.case.model} is not stored here")
    try:
        shape = architectures.load(architecture)
        counter = phase_counter(record.case.engine)
        if counter is None:
            return dict.fromkeys(names, f"phases of {record.case.engine} are not counted")
        if reason := _unlike(record, shape) or _lacking(record, counter.NEEDS):
            return dict.fromkeys(names, reason)
        return counter.demands(record, shape, blocks)
    except BenchError as error:
        return dict.fromkeys(names, error.message)


def _unlike(record: Record, shape: Architecture) -> str | None:
    """Reason why the stored shape is not that of the model that ran; `None` if it is."""
    ran = dict(record.engine.parameters) if record.engine else {}
    stored = dict(shape.parameters)
    if record.engine and record.engine.used.get("fuse_qkv"):
        for found in (ran, stored):  # fused projections are beside the old ones
            for name in ("unet", "transformer"):
                found.pop(name, None)
    if ran != stored:
        return f"the model that ran has other parameters than the stored shape {shape.name}"
    return None


def _lacking(record: Record, needs: Sequence[str]) -> str | None:
    """Sentence on what the record lacks about its work, or `None`."""
    lacking = [key for key in needs if not isinstance(record.case.options.get(key), int)]
    if record.case.dtype not in NUMBER_BYTES:
        lacking.append("dtype")
    return f"the record lacks its {', '.join(lacking)}" if lacking else None
