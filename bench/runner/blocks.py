"""From a window and what the worker said of it to a block of the record."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.catalog.cases import Case
from bench.catalog.workload import WORDS_PER_PAGE
from bench.meters.nvml import THROTTLE_REASONS, Gpu
from bench.meters.padded import seen_tick_s
from bench.meters.recorder import Recorder
from bench.meters.rig import Window
from bench.records.schema import Block, CodeCarbonTask, DomainEnergy, Phase
from bench.runner.messages import Checked, Produced
from bench.runner.validity import judge


def build(
    case: Case,
    window: Window,
    produced: Produced,
    checked: Checked,
    phases: dict[str, Phase],
    observed: dict[str, Any],
    *,
    warmup: bool,
) -> Block:
    """A block, judged unless it is warm-up. `net_j` is filled in once the idle power is known."""
    energy = {
        domain: DomainEnergy(
            gross_j=e.gross_j, source=e.source, kind=e.kind, reason=e.reason, plain_j=e.plain_j
        )
        for domain, e in window.energy.items()
    }
    tokens = [count for found in checked.found for count in found.tokens or ()]
    words, words_kind = _words(case, tokens, checked)
    problems = [problem for found in checked.found for problem in found.problems]
    prompt_tokens = sum(count for found in checked.found for count in found.prompt_tokens or ())
    units = float(produced.items) if case.model.unit == "image" else None
    if words is not None:
        units = words / WORDS_PER_PAGE
    block = Block(
        start_ns=window.start_ns,
        end_ns=window.end_ns,
        batches=len(produced.batches),
        items=produced.items,
        units=units,
        tokens=sum(tokens) if tokens else None,
        words=words,
        words_kind=words_kind,
        warmup=warmup,
        valid=True,
        energy=energy,
        phases=phases,
        codecarbon=_task(window),
        observed=observed
        | {"batch_s": _batch_s(window, produced)}
        | ({"problems": problems} if problems else {})
        | ({"prompt_tokens": prompt_tokens} if prompt_tokens else {}),
    )
    return block if warmup else judge(block)


def _batch_s(window: Window, produced: Produced) -> dict[str, float]:
    """How long the batches took, from the window's start and the end of one to the end of the next."""
    ends = [window.start_ns, *(batch.end_ns for batch in produced.batches)]
    seconds = np.diff(ends) / 1e9
    late_s = (window.end_ns - ends[-1]) / 1e9
    return {"median": float(np.median(seconds)), "longest": max(float(np.max(seconds)), late_s)}


def _words(case: Case, tokens: list[int], checked: Checked) -> tuple[float | None, Any]:
    """Words counted in the text, or, with random weights, tokens over an assumed ratio."""
    if case.model.unit != "page":
        return None, None
    if case.tokens_per_word is not None:
        return sum(tokens) / case.tokens_per_word, "assumed"
    counted = [found.words for found in checked.found]
    if any(words is None for words in counted):
        return None, None
    return float(sum(sum(words) for words in counted if words is not None)), "counted"


def _task(window: Window) -> CodeCarbonTask:
    task = window.task
    ours = [energy.gross_j for domain, energy in window.energy.items() if domain.startswith("gpu:")]
    disagreement = None
    absent = dict(task.absent)
    known = [value for value in ours if value is not None]
    if task.gpu_j is not None and known and len(known) == len(ours):
        disagreement = (task.gpu_j - sum(known)) / sum(known)
    else:
        absent["disagreement"] = absent.get("gpu_j", "no GPU reading of our own")
    return CodeCarbonTask(
        duration_s=task.duration_s,
        gpu_j=task.gpu_j,
        cpu_j=task.cpu_j,
        ram_j=task.ram_j,
        carbon_g=task.carbon_g,
        disagreement=disagreement,
        absent=absent,
    )


def observe(recorder: Recorder, gpus: Sequence[Gpu], start_ns: int, end_ns: int) -> dict[str, Any]:
    """What the recorder saw of each card between two moments, and the host's load at the end."""
    return {
        "gpus": {gpu.uuid: _observe_gpu(recorder, gpu, start_ns, end_ns) for gpu in gpus},
        "load_average_1m": os.getloadavg()[0],
        "recorder_so_far": recorder.own_cost(),
        "longest_sample_gap_s": recorder.longest_gap_s(start_ns, end_ns),
    }


def _observe_gpu(recorder: Recorder, gpu: Gpu, start_ns: int, end_ns: int) -> dict[str, Any]:
    _, counter = recorder.fast(gpu.index, start_ns, end_ns, "energy_j")
    _, temperature = recorder.slow(gpu.index, start_ns, end_ns, "temperature_c")
    _, clock = recorder.slow(gpu.index, start_ns, end_ns, "sm_clock_mhz")
    _, masks = recorder.slow(gpu.index, start_ns, end_ns, "throttle_mask")
    seen: dict[str, Any] = {
        "counter_tick_s": seen_tick_s(recorder, gpu.index, start_ns, end_ns),
        "counter_ticks": int(np.count_nonzero(np.diff(counter))) if len(counter) else None,
        "temperature_c": _span(temperature),
        "sm_clock_mhz": _span(clock),
        "throttled_share": _shares(masks.astype(np.int64)) if len(masks) else None,
    }
    seen["integrated_instant_j"] = recorder.integrate_power(gpu.index, start_ns, end_ns, ("power_instant_w",))
    return seen


def _shares(masks: Any) -> dict[str, float]:
    """The share of the samples that each throttle reason was set in; reasons never set are left out."""
    shares = {name: float(np.mean((masks & bit) != 0)) for bit, name in THROTTLE_REASONS.items()}
    return {name: share for name, share in shares.items() if share > 0}


def _span(values: Any) -> dict[str, float] | None:
    if not len(values):
        return None
    return {"mean": float(np.mean(values)), "min": float(np.min(values)), "max": float(np.max(values))}


def with_net(block: Block, idle_w: dict[str, float]) -> Block:
    """The block with `net_j` for every domain whose idle power is known."""
    energy = {
        domain: e.model_copy(
            update={"net_j": e.gross_j - idle_w[domain] * block.duration_s}
            if e.gross_j is not None and domain in idle_w
            else {}
        )
        for domain, e in block.energy.items()
    }
    return block.model_copy(update={"energy": energy})
