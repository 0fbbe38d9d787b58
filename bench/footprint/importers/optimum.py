"""optimum-benchmark: benchmark_report.json (or benchmark.json, which has the configuration beside it).

It meters with CodeCarbon in kWh over a whole phase (prefill, decode, forward, call), and states how many
samples, tokens or images a kWh made. That efficiency gives the count; where there is none, the unit is a
`run`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from bench.footprint.bundled_rows import Published
from bench.footprint.importers.checked import File

MEASUREMENTS = {"memory", "latency", "throughput", "energy", "efficiency", "measures"}
ENERGY = {"unit", "cpu", "ram", "gpu", "total"}
COUNTED = {
    ("prefill", "tokens/kWh"): ("input_token", "text"),
    ("decode", "tokens/kWh"): ("output_token", "text"),
    ("per_token", "tokens/kWh"): ("output_token", "text"),
    ("prefill", "samples/kWh"): ("prompt", "text"),
    ("generate", "samples/kWh"): ("request", "text"),
    ("call", "images/kWh"): ("image", "image"),
}
"""Unit of the efficiency of a phase; `sample` for the rest."""
LATENCIES = {"mean": "latency_s", "p50": "latency_p50_s", "p90": "latency_p90_s", "p99": "latency_p99_s"}
CONFIGURED = {"model": "model", "device": "device", "torch_dtype": "precision", "name": "engine"}
INSIDE = (
    "(CodeCarbon, the cards named in the run), phase {phase} alone; leaves out loading, warm-up and cooling"
)


def fits(content: Any) -> bool:
    """Whether parsed JSON is a report, or contains one."""
    report = _report(content)
    return bool(report) and all(
        isinstance(phase, dict) and {"latency", "energy"} <= phase.keys() for phase in report.values()
    )


def tool(file: File) -> str:
    """The tool that wrote it."""
    environment = _config(file.content).get("environment")
    version = environment.get("optimum_benchmark_version") if isinstance(environment, dict) else None
    return f"optimum-benchmark {version}" if version else "optimum-benchmark, version not stated"


def rows(file: File) -> Iterator[Published]:
    """Two rows a phase with an energy: the cards alone, and the host."""
    phases = {str(name): measured for name, measured in _report(file.content).items()}
    metered = {name: measured for name, measured in phases.items() if measured["energy"] is not None}
    if not metered:
        raise file.wrong("no phase has an energy", "Run optimum-benchmark with scenario.energy=true.")
    yield from file.each(partial(_of_phase, file, name, measured) for name, measured in metered.items())


def _of_phase(file: File, phase: str, measured: Mapping[str, Any]) -> Iterator[Published]:
    unknown = measured.keys() - MEASUREMENTS
    if unknown:
        raise file.wrong(f"{phase}: `{sorted(unknown)[0]}` is unknown", "Its schema is another one.")
    energy = measured["energy"]
    if not isinstance(energy, dict) or not energy.keys() >= ENERGY or energy["unit"] != "kWh":
        raise file.wrong(f"{phase}: its energy is not {', '.join(sorted(ENERGY))} in kWh")
    mean = {name: file.number(energy, name, phase) for name in ("gpu", "total")}
    unit, modality, count = _counted(file, phase, measured, mean["total"])
    gpu, whole, without = _of_whole_measures(file, phase, measured.get("measures"), mean)
    backend = _config(file.content).get("backend")
    conditions = file.conditions(backend, CONFIGURED) if isinstance(backend, dict) else {}
    latency = measured["latency"]
    conditions |= file.conditions(latency, LATENCIES) if isinstance(latency, dict) else {}
    about: dict[str, Any] = {
        "system": file.asked.system or str(conditions.pop("model", "model not stated")),
        "modality": modality,
        "value_unit": "kWh",
        "unit": unit,
        "at": phase,
        "idle_inside": True,
        "hardware": _hardware(file.content),
        "conditions": conditions,
    }
    inside = INSIDE.format(phase=phase)
    about["evidence"] = "primary" if count == 1 else "derived"
    divided = None if count == 1 else f"Divided by {count:.6g}, which its own efficiency implies."
    about["note"] = " ".join(filter(None, (without, divided))) or None
    yield file.row(f"{phase}.gpu", gpu / count, scope="gpu", boundary=f"gpu {inside}", **about)
    host = f"cards, CPU and RAM by a formula {inside}"
    yield file.row(f"{phase}.host", whole / count, scope="host", boundary=host, **about)


def _of_whole_measures(
    file: File, phase: str, measures: Any, mean: Mapping[str, float]
) -> tuple[float, float, str | None]:
    """The energy of cards and host, as the mean over repetitions that were metered, and what was left out.

    A repetition of 0 or less was not metered, though the file's own mean counts it. `measures` is `None` in
    reports that do not list the repetitions.
    """
    listed = [each for each in measures if isinstance(each, dict)] if isinstance(measures, list) else []
    if not any("gpu" in each and "total" in each for each in listed):
        return mean["gpu"], mean["total"], None
    whole = [each for each in listed if _metered(each, cards=mean["gpu"] > 0)]
    if len(whole) == len(listed):
        return mean["gpu"], mean["total"], None
    if not whole:
        raise file.wrong(f"{phase}: none of its {len(listed)} repetitions was metered")
    gpu, total = (sum(float(each[name]) for each in whole) / len(whole) for name in ("gpu", "total"))
    left_out = f"{len(listed) - len(whole)} of {len(listed)} repetitions were not metered (0 kWh or less)"
    file.left_out.append(f"{file.path}: {phase}: {left_out}, and are left out of its mean.")
    return gpu, total, f"{left_out[0].upper()}{left_out[1:]} and left out of the mean."


def _metered(measure: Mapping[str, Any], *, cards: bool) -> bool:
    needed = ("gpu", "total") if cards else ("total",)
    return all(isinstance(measure.get(name), int | float) and measure[name] > 0 for name in needed)


def _counted(file: File, phase: str, measured: Mapping[str, Any], whole: float) -> tuple[str, str, float]:
    """The unit, what is made, and how many of it the phase made."""
    efficiency = measured.get("efficiency")
    if not isinstance(efficiency, dict) or not efficiency.get("value") or whole == 0:
        return "run", "unknown", 1.0
    per_kwh = file.number(efficiency, "value", f"{phase}, efficiency")
    counts = str(efficiency.get("unit"))
    if counts not in ("samples/kWh", "tokens/kWh", "images/kWh"):
        raise file.wrong(f"{phase}: its efficiency is in {counts}, not in samples, tokens or images per kWh")
    unit, modality = COUNTED.get((phase, counts), ("sample", "unknown"))
    return unit, modality, per_kwh * whole


def _report(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        return {}
    report = content.get("report") if isinstance(content.get("config"), dict) else content
    return report if isinstance(report, dict) else {}


def _config(content: Any) -> dict[str, Any]:
    config = content.get("config")
    return config if isinstance(config, dict) else {}


def _hardware(content: Any) -> str | None:
    environment = _config(content).get("environment")
    cards = environment.get("gpu") if isinstance(environment, dict) else None
    return ", ".join(map(str, cards)) if isinstance(cards, list) and cards else None
