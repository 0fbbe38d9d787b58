"""LLenergyMeasure: result.json of an experiment, or a study with many, in its schemas 2 to 4.

What it counts: the GPUs of a run, polled by NVML or zeus. `total_energy_j` has their idle draw inside,
`energy_adjusted_j` is without it. A total of 0 is what it writes where no sampler ran. Older files have
one count of tokens read and written, so the unit is a `token`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from bench.footprint.bundled_rows import Published
from bench.footprint.importers.checked import File

NEEDED = {"experiment_id", "total_energy_j", "total_tokens", "avg_energy_per_token_j"}
CONDITIONS = {
    "engine": "engine",
    "backend": "engine",
    "engine_version": "engine_version",
    "backend_version": "engine_version",
    "measurement_methodology": "window",
    "serving_mode": "serving_mode",
    "total_inference_time_sec": "duration_s",
    "avg_tokens_per_second": "tokens_per_s",
    "baseline_power_w": "idle_power_w",
}
CONFIGURED = {
    "precision": "precision",
    "dtype": "precision",
    "batch_size": "batch",
    "max_output_tokens": "output_tokens",
    "n": "prompts",
}
LATENCIES = {"ttft_median_ms": "ttft_p50_ms", "ttft_p99_ms": "ttft_p99_ms", "itl_median_ms": "itl_p50_ms"}
SAME = 0.01
"""Largest relative difference of two means that is rounding."""
BOUNDARY = "gpu (NVML or zeus{idle}): leaves out CPU, memory, loading, warm-up and cooling"


def fits(content: Any) -> bool:
    """Whether parsed JSON is a result, or a study with results."""
    entries = _entries(content)
    return bool(entries) and all(isinstance(each, dict) and each.keys() >= NEEDED for each in entries)


def _entries(content: Any) -> list[Any]:
    if not isinstance(content, dict):
        return []
    listed = content.get("experiments", [content])
    return listed if isinstance(listed, list) else []


def tool(file: File) -> str:
    """The tool that wrote it, with its version or that of its schema."""
    first = _entries(file.content)[0]
    version = first.get("llenergymeasure_version")
    return f"LLenergyMeasure {version or 'schema ' + str(first.get('schema_version') or 'not stated')}"


def rows(file: File) -> Iterator[Published]:
    """The rows of each experiment: a unit a count of tokens, with idle and without."""
    yield from file.each(
        partial(_of_experiment, file, entry, f"experiment {number}")
        for number, entry in enumerate(_entries(file.content), start=1)
    )


def _of_experiment(file: File, entry: Mapping[str, Any], at: str) -> Iterator[Published]:
    gross_j, net_j = file.number(entry, "total_energy_j", at), entry.get("energy_adjusted_j")
    energies = {"gross": gross_j}
    if net_j is not None:
        energies["net"] = file.number(entry, "energy_adjusted_j", at)
    about: dict[str, Any] = {
        "system": file.asked.system or _model(entry),
        "modality": "text",
        "value_unit": "J",
        "scope": "gpu",
        "hardware": _hardware(entry),
        "at": at,
        "conditions": _conditions(file, entry),
        "evidence": "derived",
    }
    for key, unit in _units(entry).items():
        tokens = file.number(entry, key, at)
        if tokens == 0:
            raise file.wrong(f"{at}: `{key}` is 0, so its joules are of nothing")
        for name, joules in energies.items():
            yield file.row(
                f"{at.replace(' ', '')}.{unit}.{name}",
                joules / tokens,
                unit=unit,
                idle_inside=name == "gross",
                boundary=BOUNDARY.format(idle="" if name == "gross" else ", idle power taken out"),
                note=_note(file, entry, key, at),
                **about,
            )


def _units(entry: Mapping[str, Any]) -> dict[str, str]:
    """Counts of tokens with their units: `token` where reading and writing are one count."""
    if entry.get("output_tokens") is None:
        return {"total_tokens": "token"}
    of_output = {"output_tokens": "output_token"}
    return of_output if not entry.get("input_tokens") else of_output | {"total_tokens": "total_token"}


def _note(file: File, entry: Mapping[str, Any], key: str, at: str) -> str:
    over = f"Total energy over {key}."
    if key != "total_tokens" or entry.get("output_tokens") is not None:
        return over
    joules, tokens = file.number(entry, "total_energy_j", at), file.number(entry, key, at)
    own = file.number(entry, "avg_energy_per_token_j", at)
    if own and abs(joules / tokens / own - 1) > SAME:
        return f"{over} Its own mean a token is {own:.4g} J: it counts other tokens."
    return f"{over} Whether prompts are among them is not stated."


def _conditions(file: File, entry: Mapping[str, Any]) -> dict[str, float | str]:
    found = file.conditions(entry, CONDITIONS)
    for part, names in (("effective_config", CONFIGURED), ("latency_stats", LATENCIES)):
        if isinstance(inner := entry.get(part), dict):
            found |= file.conditions(inner, names)
    return found


def _model(entry: Mapping[str, Any]) -> str:
    asked = entry.get("effective_config")
    names = [entry.get("model_name"), asked.get("model") if isinstance(asked, dict) else None]
    known = [name.strip() for name in names if isinstance(name, str) and name.strip() not in ("", "unknown")]
    return known[0] if known else "model not stated"


def _hardware(entry: Mapping[str, Any]) -> str | None:
    """The card's name in the snapshot of the environment, which newer versions keep in another file."""
    found: Any = entry.get("environment_snapshot")
    for key in ("hardware", "gpu", "name"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) and found.strip() else None
