"""Bytes and operations of each phase of a record, from the case and the shape of its model.

    found = demands(record, "bloom-7b1", blocks)     # {"prefill": Demand, "decode": Demand}
    found["text_encoder"]                            # ... or the reason why it is not known

Inside: all batches of the blocks given. Text is arithmetic; images are counted on the shape of the network,
which needs torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.core.block import Block
from bench.core.record import Record
from bench.engines import demand_of_pass
from bench.engines.roofline.demand import NUMBER_BYTES, Demand, decode_step, prefill
from bench.engines.roofline.text_shapes import text_shape
from bench.engines.weights import architectures
from bench.engines.weights.architectures import Architecture
from bench.errors import BenchError

GUIDED_TWICE = (
    "UNet2DConditionModel",
    "SD3Transformer2DModel",
    "PixArtTransformer2DModel",
    "SanaTransformer2DModel",
)
"""Denoisers that see each item twice where the guidance is above 1: with its prompt, and without."""


def demands(record: Record, architecture: str | None, blocks: Sequence[Block]) -> dict[str, Demand | str]:
    """By phase: what it had to do in all batches of `blocks`, or why that is not known."""
    names = {name for block in blocks for name in block.phases}
    if architecture is None:
        return dict.fromkeys(names, f"the shape of {record.case.model} is not stored here")
    try:
        shape = architectures.load(architecture)
        counter = COUNTERS.get(record.case.engine)
        if counter is None:
            return dict.fromkeys(names, f"phases of {record.case.engine} are not counted")
        if reason := _unlike(record, shape) or _lacking(record, counter.needs):
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


def _text(record: Record, architecture: Architecture, blocks: Sequence[Block]) -> dict[str, Demand | str]:
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


def _embedding(
    record: Record, architecture: Architecture, blocks: Sequence[Block]
) -> dict[str, Demand | str]:
    case, batches = record.case, sum(block.batches for block in blocks)
    one = prefill(
        text_shape(architecture), case.batch, case.options["input_tokens"], NUMBER_BYTES[case.dtype]
    )
    return {"encoder": one * batches}


def _image(record: Record, architecture: Architecture, blocks: Sequence[Block]) -> dict[str, Demand | str]:
    case, used = record.case, record.engine.used if record.engine else {}
    options, batches = case.options, sum(block.batches for block in blocks)
    if task := options.get("task"):
        names = {name for block in blocks for name in block.phases}
        return dict.fromkeys(names, f"the work of the task {task} is not counted")
    width, height = options["width"], options["height"]
    twice = used.get("denoiser_class") in GUIDED_TWICE and (used.get("guidance") or 0.0) > 1
    seen = case.batch * (2 if twice else 1)
    vae_dtype = "float32" if used.get("vae_upcast") else case.dtype
    calls = options["steps"] + (1 if used.get("scheduler") == "PNDMScheduler" else 0)
    tokens = options.get("text_tokens")
    step = demand_of_pass("denoiser", architecture.name, seen, width, height, case.dtype, tokens)
    decoded = demand_of_pass("vae", architecture.name, case.batch, width, height, vae_dtype)
    return {
        "text_encoder": "text encoders are not counted",
        "denoise": step * (calls * batches),
        "vae": decoded * batches,
    }


class PhaseCounter(NamedTuple):
    """Counting of a modality's phases, and the options in whole numbers that this needs."""

    needs: tuple[str, ...]
    demands: Callable[[Record, Architecture, Sequence[Block]], dict[str, Demand | str]]


COUNTERS = {
    "text": PhaseCounter(("new_tokens",), _text),
    "embedding": PhaseCounter(("input_tokens",), _embedding),
    "image": PhaseCounter(("width", "height", "steps"), _image),
}
"""By modality; phases of one that is not here are listed with the reason."""
