"""InferenceX: an aggregate of one run (`agg_*.json`), a list of them, or rows of its dashboard.

What it counts: the power of all GPUs of a deployment, integrated over the benchmark's window, whose
requests keep `conc` open. The GPUs' idle draw is inside; CPU, memory, loading, warm-up and cooling are not.
It marks power that it could not vouch for with `power_valid: 0`: such a run has no row here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from bench.footprint.bundled_rows import Published
from bench.footprint.importers.checked import File

ENERGIES = {
    "joules_per_output_token": "output_token",
    "joules_per_input_token": "input_token",
    "joules_per_total_token": "total_token",
    "joules_per_successful_query": "request",
}
"""Unit of each energy."""
CONDITIONS = {
    "conc": "concurrency",
    "isl": "input_tokens",
    "osl": "output_tokens",
    "framework": "engine",
    "precision": "precision",
    "spec_decoding": "speculation",
    "spec_method": "speculation",
    "tp": "tensor_parallel",
    "decode_tp": "tensor_parallel",
    "ep": "expert_parallel",
    "decode_ep": "expert_parallel",
    "image": "image",
    "avg_power_w": "avg_power_w",
    "tput_per_gpu": "tokens_per_s_per_gpu",
    "output_tput_per_gpu": "output_tokens_per_s_per_gpu",
    "median_ttft": "ttft_p50_s",
    "p99_ttft": "ttft_p99_s",
    "median_itl": "itl_p50_s",
    "median_e2el": "latency_p50_s",
}
"""Theirs to ours; the same in an aggregate and in a row of the dashboard."""
BOUNDARY = (
    "gpu (power of all GPUs of the deployment, sampled and integrated over the run): "
    "leaves out CPU, memory, loading, warm-up and cooling"
)
UNVOUCHED = "The file does not state whether its power was found valid."


def fits(content: Any) -> bool:
    """Whether parsed JSON is an aggregate, or a list of such or of the dashboard's rows."""
    entries = content if isinstance(content, list) else [content]
    return bool(entries) and all(
        isinstance(entry, dict) and {"model", "framework", "conc", "isl", "osl"} <= entry.keys()
        for entry in entries
    )


def tool(_file: File) -> str:
    """The tool that wrote it."""
    return "InferenceX"


def rows(file: File) -> Iterator[Published]:
    """A row an energy and run."""
    entries = file.content if isinstance(file.content, list) else [file.content]
    yield from file.each(
        partial(_of_run, file, entry, f"run {number}") for number, entry in enumerate(entries, start=1)
    )


def _of_run(file: File, entry: Mapping[str, Any], at: str) -> Iterator[Published]:
    metrics = entry.get("metrics")
    run = {**entry, **metrics} if isinstance(metrics, dict) else entry  # the dashboard has them in a part
    if run.get("power_valid") not in (None, 1):
        raise file.wrong(f"{at}: InferenceX marks its power as invalid")
    energies = [key for key in ENERGIES if run.get(key) is not None]
    if not energies:
        raise file.wrong(f"{at}: it has none of {', '.join(ENERGIES)}", "Its power was not sampled.")
    system = file.words(run, "model", at)
    hardware, gpus = _hardware(file, run, at)
    conditions = file.conditions(run, CONDITIONS) | ({"gpus": gpus} if gpus else {})
    load = [
        f"{name}{value:g}"
        for name in ("concurrency", "input_tokens")
        if isinstance(value := conditions.get(name), float)
    ]
    for key in energies:
        yield file.row(
            ".".join([at.replace(" ", ""), system.replace("/", "__"), *load, ENERGIES[key]]),
            file.number(run, key, at),
            system=system,
            modality="text",
            value_unit="J",
            unit=ENERGIES[key],
            scope="gpu",
            boundary=BOUNDARY,
            idle_inside=True,
            evidence="primary",
            year=_year(run),
            hardware=hardware,
            at=at,
            conditions=conditions,
            note=None if "power_valid" in run else UNVOUCHED,
        )


def _hardware(file: File, run: Mapping[str, Any], at: str) -> tuple[str, float | None]:
    """Cards in words, and their number: by the power of all over that of one, as both are stated."""
    card = file.words(run, "hw" if "hw" in run else "hardware", at).upper()
    if run.get("avg_total_gpu_power_w") is None or run.get("avg_power_w") is None:
        return card, None
    one = file.number(run, "avg_power_w", at)
    gpus = float(round(file.number(run, "avg_total_gpu_power_w", at) / one)) if one else None
    return (f"{gpus:g}x {card}" if gpus else card), gpus


def _year(run: Mapping[str, Any]) -> int | None:
    year = str(run.get("date") or "")[:4]
    return int(year) if year.isdecimal() and 2020 <= int(year) <= 2100 else None
