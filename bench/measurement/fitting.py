"""Fit of a model into the memory of its devices."""

from __future__ import annotations

import psutil

from bench.catalog.cases import Case
from bench.engines.weights import architectures
from bench.machine.placement import Placement
from bench.meters import gpu_state
from bench.worker import producers

BYTES_PER_NUMBER = {"bfloat16": 2, "float16": 2, "float32": 4}

OVERHEAD = 1.15
"""Factor on the weights' memory for activations and cache, before the batch counts; see `needed_bytes`."""
BASE_BYTES = 1_000_000_000
"""Memory of a process with its libraries, CUDA context and kernels beside the weights."""


def needed_bytes(case: Case) -> int:
    """Memory a case needs here at least: its weights in its dtype, a share for the rest, and large output.

    Nothing, where a producer has the model elsewhere. Raises UsageError without a producer for it.
    """
    if not producers.of(case.workload).LOADS_HERE:
        return 0
    factor = BYTES_PER_NUMBER[case.dtype] / 2
    weights = case.model.memory_gb * 1e9 * factor * _resident_share(case)
    return round(weights * OVERHEAD + BASE_BYTES) + case.options.output_bytes(case.batch)


def _resident_share(case: Case) -> float:
    """Share of the weights that are on the device at once: all, or those of the largest network."""
    name = case.model.architecture
    if not case.options.largest_only or name is None:
        return 1.0
    sizes = architectures.load(name).parameters.values()
    return max(sizes) / sum(sizes)


def available_bytes(placement: Placement) -> int:
    """Memory of the place: of the cards together, or of the host."""
    if placement.device == "cpu":
        return int(psutil.virtual_memory().total)
    totals = (gpu_state.identity(gpu).memory_bytes for gpu in placement.visible)
    return sum(int(total) for total in totals if total is not None)


def why_not(case: Case, placement: Placement, times: int = 1) -> str | None:
    """Reason why a case does not fit, loaded `times` times at once, in words; `None` if it does.

    Raises UsageError without a producer for it.
    """
    need, have = needed_bytes(case) * times, available_bytes(placement)
    if need <= have:
        return None
    place = "this machine" if placement.device == "cpu" else ", ".join(gpu.name for gpu in placement.visible)
    at_once = f", loaded {times} times at once" if times > 1 else ""
    output = case.options.output_bytes(case.batch) * times
    of_it = f" ({output / 1e9:.0f} GB of it for the finished output)" if output > need / 10 else ""
    return f"needs about {need / 1e9:.0f} GB in {case.dtype}{at_once}{of_it}, {place} has {have / 1e9:.0f} GB"
