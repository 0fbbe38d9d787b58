"""ML.ENERGY leaderboard v3: a task's file, or a model's, as JSON; a row for each energy of a configuration.

What it counts: the GPUs of one configuration (NVML, by zeus) in steady state, shared by all that the server
makes at once. The card's idle draw is inside; CPU, memory, start-up and cooling are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.footprint.bundled_rows import Published
from bench.footprint.importers.checked import File

ENERGIES = {
    "energy_per_token_joules": ("output_token", "text"),
    "energy_per_request_joules": ("request", "text"),
    "energy_per_image_joules": ("image", "image"),
    "energy_per_video_joules": ("video", "video"),
}
"""Unit of each energy, and its output."""
CONDITIONS = {
    "num_gpus": "gpus",
    "batch_size": "batch",
    "max_num_seqs": "max_num_seqs",
    "avg_batch_size": "avg_batch",
    "weight_precision": "precision",
    "inference_steps": "steps",
    "image_height": "height_px",
    "image_width": "width_px",
    "video_height": "height_px",
    "video_width": "width_px",
    "num_frames": "frames",
    "fps": "fps",
    "avg_output_len": "avg_output_tokens",
    "avg_power_watts": "avg_power_w",
    "batch_latency_s": "latency_s",
    "median_itl_ms": "itl_p50_ms",
    "p90_itl_ms": "itl_p90_ms",
    "p95_itl_ms": "itl_p95_ms",
    "p99_itl_ms": "itl_p99_ms",
    "ulysses_degree": "ulysses_degree",
    "ring_degree": "ring_degree",
    "total_params_billions": "params_b",
    "activated_params_billions": "active_b",
}
"""Theirs to ours; the same in the file of a task and of a model."""
IN_ID = ("gpus", "batch", "max_num_seqs", "steps", "height_px", "width_px", "ulysses_degree", "ring_degree")
BOUNDARY = "gpu (NVML, steady state{engine}): leaves out CPU, memory, loading, warm-up and cooling"


def fits(content: Any) -> bool:
    """Whether parsed JSON is a task's or a model's file."""
    return isinstance(content, dict) and {"task", "configurations"} <= content.keys()


def tool(_file: File) -> str:
    """The tool that wrote it."""
    return "ML.ENERGY leaderboard v3 data"


def rows(file: File) -> Iterator[Published]:
    """A row an energy and configuration."""
    content = file.content
    task = file.words(content, "task", "the file")
    configurations = content["configurations"]
    if not isinstance(configurations, list) or not configurations:
        raise file.wrong("`configurations` is not a list, or an empty one")
    for number, entry in enumerate(configurations, start=1):
        at = f"configuration {number}"
        if not isinstance(entry, dict):
            raise file.wrong(f"{at} is not a mapping")
        # what is given once for a model's whole file applies to each of its configurations
        yield from _of_one(file, {**content, **entry}, task, at)


def _of_one(file: File, entry: Mapping[str, Any], task: str, at: str) -> Iterator[Published]:
    energies = [key for key in ENERGIES if key in entry]
    if not energies:
        raise file.wrong(f"{at}: it has none of {', '.join(ENERGIES)}")
    system, card = file.words(entry, "model_id", at), file.words(entry, "gpu_model", at)
    gpus = file.number(entry, "num_gpus", at)
    conditions = file.conditions(entry, CONDITIONS)
    for key in energies:
        unit, modality = ENERGIES[key]
        parts = [
            f"{name.split('_')[0]}{conditions[name]:g}" for name in IN_ID if _is_number(conditions, name)
        ]
        layout = entry.get("parallelization")
        if isinstance(layout, dict):
            parts += [
                f"{name[0]}p{value}" for name, value in sorted(layout.items()) if isinstance(value, int)
            ]
        about: dict[str, Any] = {
            "system": system,
            "modality": modality,
            "value_unit": "J",
            "scope": "gpu",
            "boundary": BOUNDARY.format(engine=", vLLM" if modality == "text" else ", diffusers or xDiT"),
            "idle_inside": True,
            "hardware": f"{gpus:g}x {card}",
            "at": f"{task}, {at}",
            "conditions": {**conditions, "task": task, **({"engine": "vllm"} if modality == "text" else {})},
        }
        name = ".".join([task, card, system.replace("/", "__"), *parts])
        joules = file.number(entry, key, at)
        yield file.row(f"{name}.{unit}", joules, unit=unit, evidence="primary", **about)
        if unit == "video" and {"num_frames", "fps"} <= entry.keys():
            frames, fps = file.number(entry, "num_frames", at), file.number(entry, "fps", at)
            if frames > 0 and fps > 0:
                seconds = frames / fps
                about["note"] = f"Worked out of a video of {seconds:g} s."
                yield file.row(
                    f"{name}.video_second", joules / seconds, unit="video_second", evidence="derived", **about
                )


def _is_number(conditions: Mapping[str, float | str], name: str) -> bool:
    return isinstance(conditions.get(name), float)
