"""Phases of diffusion pipelines, counted on the shape of the network, which needs torch."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.block import Block
from bench.core.record import Record
from bench.engines import demand_of_pass
from bench.engines.roofline.demand import Demand
from bench.engines.weights.architectures import Architecture

NEEDS = ("width", "height", "steps")


GUIDED_TWICE = (
    "UNet2DConditionModel",
    "SD3Transformer2DModel",
    "PixArtTransformer2DModel",
    "SanaTransformer2DModel",
)
"""Denoisers that see each item twice where the guidance is above 1: with its prompt, and without."""


def demands(record: Record, architecture: Architecture, blocks: Sequence[Block]) -> dict[str, Demand | str]:
    """Denoiser and VAE over all batches of the blocks; text encoders are not counted."""
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
