"""aiperf: profile_export_aiperf.json, the summary of one run of its client.

What it counts: every GPU that its collector sees, working or not, over the profiling phase; their idle draw
is inside. Energy is there from its version with `nvidia_total_gpu_energy` (or AMD's) on. Telemetry of single
cards is not summed here: which of them served is not stated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from bench.footprint.bundled_rows import Published
from bench.footprint.importers.checked import File

VENDORS = {"nvidia_": "NVIDIA", "amd_": "AMD", "": "vendor not stated"}
"""Beginning of the names of a vendor's metrics."""
COUNTS = {
    "output_token": ("total_osl",),
    "total_token": ("total_isl", "total_osl"),
    "request": ("request_count",),
}
"""Totals that a unit is counted by."""
STATISTICS = {
    ("request_latency", "p50"): "latency_p50_ms",
    ("request_latency", "p99"): "latency_p99_ms",
    ("time_to_first_token", "p50"): "ttft_p50_ms",
    ("time_to_first_token", "p99"): "ttft_p99_ms",
    ("inter_token_latency", "p50"): "itl_p50_ms",
    ("inter_token_latency", "p99"): "itl_p99_ms",
    ("input_sequence_length", "avg"): "avg_input_tokens",
    ("output_sequence_length", "avg"): "avg_output_tokens",
    ("request_throughput", "avg"): "requests_per_s",
    ("benchmark_duration", "avg"): "duration_s",
}
BOUNDARY = (
    "gpu ({vendor}; all cards that aiperf's collector saw): leaves out CPU, memory, loading and cooling"
)


def fits(content: Any) -> bool:
    """Whether parsed JSON is a summary."""
    if not isinstance(content, dict):
        return False
    seen = [content.get(key) for key in ("request_count", "request_latency", "request_throughput")]
    named = "aiperf_version" in content or "input_config" in content
    return named and any(isinstance(each, dict) and "unit" in each for each in seen)


def tool(file: File) -> str:
    """The tool that wrote it."""
    return f"aiperf {file.content.get('aiperf_version') or 'version not stated'}"


def rows(file: File) -> Iterator[Published]:
    """A row a unit and vendor of cards with an energy."""
    if file.content.get("was_cancelled"):
        raise file.wrong("its run was cancelled")
    stated = [prefix for prefix in VENDORS if f"{prefix}total_gpu_energy" in file.content]
    if not stated:
        raise file.wrong("it has no total energy of GPUs", "Run aiperf 0.14 or later, with --gpu-telemetry.")
    yield from file.each(
        partial(_of_unit, file, prefix, unit) for prefix in stated for unit in COUNTS if _has(file, unit)
    )


def _has(file: File, unit: str) -> bool:
    return all(name in file.content for name in COUNTS[unit])


def _of_unit(file: File, prefix: str, unit: str) -> Iterator[Published]:
    energy_j = _stated(file, f"{prefix}total_gpu_energy", "J")
    count = sum(_stated(file, name, None) for name in COUNTS[unit])
    if count == 0:
        raise file.wrong(f"{' and '.join(COUNTS[unit])}: it counts 0")
    conditions = dict(_conditions(file))
    failed = _mapping(file.content.get("error_request_count")).get("avg")
    joined = f"Total energy over {' and '.join(COUNTS[unit])}."
    if failed:
        joined += f" {failed:g} requests failed: their joules are inside, their tokens are not."
    yield file.row(
        f"{prefix.rstrip('_') or 'gpu'}.{unit}",
        energy_j / count,
        system=file.asked.system or _model(file.content),
        modality="text",
        value_unit="J",
        unit=unit,
        scope="gpu",
        boundary=BOUNDARY.format(vendor=VENDORS[prefix]),
        idle_inside=True,
        evidence="derived",
        hardware=_cards(file.content),
        at=f"{prefix}total_gpu_energy",
        conditions=conditions,
        note=joined,
    )


def _stated(file: File, name: str, unit: str | None) -> float:
    """The mean of a metric, which a total has as its only statistic."""
    metric = _mapping(file.content.get(name))
    if unit is not None and metric.get("unit") != unit:
        raise file.wrong(f"{name}: its unit is {metric.get('unit')}, not {unit}")
    return file.number(metric, "avg", name)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _conditions(file: File) -> Iterator[tuple[str, float | str]]:
    for (name, statistic), ours in STATISTICS.items():
        yield from file.conditions(_mapping(file.content.get(name)), {statistic: ours}).items()
    asked = _mapping(file.content.get("input_config"))
    phases = asked.get("phases")
    profiling = phases[-1] if isinstance(phases, list) and phases else asked.get("loadgen")
    names = {"concurrency": "concurrency", "request_rate": "requests_per_s_asked"}
    yield from file.conditions(_mapping(profiling), names).items()


def _model(content: Mapping[str, Any]) -> str:
    """The model that was asked for; newer versions have it in another part."""
    asked = _mapping(content.get("input_config"))
    names = _mapping(asked.get("endpoint")).get("model_names") or asked.get("models")
    if isinstance(names, dict):
        names = names.get("items")
    first = names[0] if isinstance(names, list) and names else None
    name = first.get("name") if isinstance(first, dict) else first
    return name.strip() if isinstance(name, str) and name.strip() else "model not stated"


def _cards(content: Mapping[str, Any]) -> str | None:
    endpoints = _mapping(_mapping(content.get("telemetry_data")).get("endpoints"))
    cards = [
        str(_mapping(card).get("gpu_name") or "name not stated")
        for endpoint in endpoints.values()
        for card in _mapping(_mapping(endpoint).get("gpus")).values()
    ]
    counted = [f"{cards.count(name)}x {name}" for name in dict.fromkeys(cards)]
    return ", ".join(counted) or None
