"""Seconds and gigabytes that a case takes on a data-centre GPU, estimated before anything has run.

    run_s(item)              # one `bench run` of one case: load, warm-up, idle twice, its blocks
    run_s(item, sides=2, blocks=12)

Estimates decide what fits into the time left; `scripts/gpu-evidence plan` shows them beside what parts took.
"""

from __future__ import annotations

import math

from bench.catalog.cases import Case, Planned
from bench.engines.weights import architectures
from bench.measurement.loaded_case import ROUND_S

START_S, LOAD_S_PER_GB = 20.0, 0.5
"""A process with its imports and CUDA, and filling a gigabyte of weights with random numbers."""
PAD_S = 1.5
"""Rest around a window, and what is looked at between two of them."""
COOLING_S = 5.0
"""Waiting for a card to cool before a case, or before a block of a pair."""
WARM_UP_ROUNDS = 5
"""The first, half as long, and rounds until four show an even temperature; each one batch at least."""
TOKEN_S, GB_PER_S = 0.02, 2000.0
"""Launches of one decoding step (a few hundred kernels), and memory traffic well below a Hopper card's."""
FLOP_PER_S = 400e12
PATCH_PIXELS = 16
DENOISERS = ("transformer", "unet")
"""What runs every step: twice with guidance, unless that is an input of a model distilled with it."""
COMPILE_S, AUTOTUNE_S = {None: 90.0, "default": 90.0, "reduce-overhead": 120.0}, 1200.0
"""Until a compiled model has been compiled; the other modes try kernels for longer than a part may last."""
CHOSEN_BLOCK_S = 10.0
"""A block whose length is chosen, on a card that ticks every 100 ms and sees all of the time."""
HEADROOM, CONTEXT_GB = 1.15, 2.0
"""Activations and cache beside the weights, and what CUDA itself takes."""


def run_s(item: Planned, sides: int = 1, blocks: int | None = None) -> float:
    """Seconds of one `bench run`: load, warm-up, two looks at idle, and blocks of whole batches."""
    measure, memory_gb = item.measure, item.case.model.memory_gb
    block_s = block_seconds(item) + PAD_S
    if blocks is None:
        least = measure.min_blocks or 5
        blocks = max(least, math.ceil((measure.max_seconds or 0.0) / block_s))
        cooling_s = COOLING_S
    else:
        cooling_s = COOLING_S * blocks
    rounds_s = WARM_UP_ROUNDS * max(batch_s(item.case), ROUND_S)
    idle_s = 2 * ((measure.idle_seconds or 0.0) + (measure.settle_seconds or 0.0) + PAD_S)
    loads_s = sides * (LOAD_S_PER_GB * memory_gb + rounds_s)
    return START_S + loads_s + _compile_s(item.case) + idle_s + blocks * block_s + cooling_s


def block_seconds(item: Planned) -> float:
    """Seconds of a block: as many whole batches as fill the length asked for."""
    each_s = batch_s(item.case)
    return each_s * max(1, math.ceil((item.measure.block_seconds or CHOSEN_BLOCK_S) / each_s))


def _compile_s(case: Case) -> float:
    options = dict(case.options)
    if not options["compile"]:
        return 0.0
    return COMPILE_S.get(options["compile_mode"], AUTOTUNE_S)


def batch_s(case: Case) -> float:
    """Seconds of one batch: bytes over bandwidth for pages, operations over their rate for images."""
    work, billions = dict(case.options), case.model.parameters_b
    if case.model.engine == "text":
        return int(work["new_tokens"]) * (TOKEN_S + 2 * billions / GB_PER_S)
    components = architectures.load(str(case.model.architecture)).components
    (denoiser,) = (part for part in components if part.name in DENOISERS)
    patches = int(work["width"]) * int(work["height"]) / PATCH_PIXELS**2
    guided = (work["guidance"] or 0) > 1 and not denoiser.config.get("guidance_embeds")
    passes = int(work["steps"]) * (2 if guided else 1)
    return case.batch * passes * 2 * denoiser.parameters * patches / FLOP_PER_S


def needs_gb(case: Case, sides: int = 1) -> float:
    """Gigabytes of a card's memory that a case takes, with both sides of a pair loaded."""
    return sides * HEADROOM * case.model.memory_gb + CONTEXT_GB
