"""CodeCarbon's emissions.csv: of each line a row of the cards and a row of the whole host, in kWh.

What it counts: cards by NVML; the CPU by RAPL or, where that is closed, by a constant; memory by a formula of
its size. With tracking_mode `machine` all cards of the machine are in it, those that did nothing too. It does
not know how many items were made: without `--items` the unit is a `run`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from bench.footprint.bundled_rows import Published
from bench.footprint.importers.checked import File

NEEDED = ("duration", "cpu_energy", "gpu_energy", "ram_energy", "energy_consumed")
"""Columns that every version has written since 2.0; codecarbon_version came with 2.2."""
NUMBERS = frozenset((*NEEDED, "pue"))
CONDITIONS = ("tracking_mode", "cpu_model", "country_iso_code", "os", "python_version", "cloud_provider")
MODALITIES = {"page": "text", "query": "text", "output_token": "text", "image": "image"}
AGREEING = 0.01
"""Largest relative difference between the sum of the parts and the whole that is rounding."""


def fits(content: Any) -> bool:
    """Whether the rows of a CSV file are CodeCarbon's."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(line, dict) for line in content)
        and {"energy_consumed", "emissions"} <= content[0].keys()
    )


def tool(file: File) -> str:
    """The tool that wrote it, by the versions that it names."""
    named = (str(line.get("codecarbon_version") or "") for line in file.content if _is_whole(line))
    versions = dict.fromkeys(version or "version not stated" for version in named)
    return f"CodeCarbon {', '.join(versions)}"


def rows(file: File) -> Iterator[Published]:
    """Two rows a line: the cards alone, and cards, CPU and memory."""
    missing = [name for name in NEEDED if name not in file.content[0]]
    if missing:
        raise file.wrong(f"column {', '.join(missing)} is missing", "CodeCarbon 2 and 3 write them.")
    numbered = [(n, line) for n, line in enumerate(file.content, start=2) if not _is_heading(line)]
    lines = [(n, line) for n, line in numbered if _wanted(file, line)]
    tasks = list(dict.fromkeys(str(line.get("task_name") or "") for _, line in lines))
    if not lines:
        raise file.wrong(f"the task {file.asked.task} is in none of its lines")
    if file.asked.items is not None and len(lines) > 1:
        shown = ", ".join(map(repr, filter(None, tasks)))
        raise file.wrong(
            f"--items is of one line, and there are {len(lines)}{f' (tasks {shown})' if shown else ''}",
            "Name one with --task, or import each line's file by itself.",
        )
    yield from file.each(partial(_of_line, file, line, f"line {n}") for n, line in lines)


def _is_whole(line: Mapping[Any, Any]) -> bool:
    """Whether a line has as many columns as the heading (csv.DictReader's marks for others)."""
    return None not in line and None not in line.values()


def _is_heading(line: Mapping[Any, Any]) -> bool:
    """Whether a line repeats the heading, as in files put one after the other."""
    return all(name == value for name, value in line.items())


def _wanted(file: File, line: Mapping[str, Any]) -> bool:
    return file.asked.task is None or line.get("task_name") == file.asked.task


def _of_line(file: File, line: Mapping[str, Any], at: str) -> Iterator[Published]:
    if not _is_whole(line):
        raise file.wrong(f"{at} has not as many columns as the heading")
    cpu, gpu, ram, whole, seconds = (
        file.number(line, name, at)
        for name in ("cpu_energy", "gpu_energy", "ram_energy", "energy_consumed", "duration")
    )
    pue = file.number(line, "pue", at) if line.get("pue") else 1.0
    if pue < 1:
        raise file.wrong(f"{at}: a PUE of {pue:g} is below 1")
    if abs(pue * (cpu + gpu + ram) - whole) <= AGREEING * whole:
        cpu, gpu, ram = pue * cpu, pue * gpu, pue * ram  # the PUE was applied to the whole alone
    if abs(cpu + gpu + ram - whole) > AGREEING * whole:
        raise file.wrong(
            f"{at}: energy_consumed is {whole:.6g} kWh, and its parts are {cpu + gpu + ram:.6g} kWh",
            "Units are mixed, or the line was edited.",
        )
    mode = str(line.get("tracking_mode") or "not stated")
    cards = str(line.get("gpu_model") or "") or None
    task = str(line.get("task_name") or "").strip()
    unit, items = (file.asked.unit or "item", file.asked.items) if file.asked.items else ("run", 1)
    system = file.asked.system or str(line.get("project_name") or "") or file.path.stem
    conditions = file.conditions(line, {name: name for name in CONDITIONS})
    conditions |= {"duration_s": seconds, "ram_formula_kwh": ram / pue}
    about: dict[str, Any] = {
        "system": " ".join(system.split()),
        "modality": MODALITIES.get(unit, "unknown"),
        "value_unit": "kWh",
        "unit": unit,
        "count": items,
        "year": _year(line),
        "hardware": cards,
        "at": f"{at}{f', task {task}' if task else ''}",
        "conditions": conditions,
        "idle_inside": True,
        "evidence": "stated" if file.asked.items else "primary",
    }
    run = str(line.get("run_id") or "")[:8] or "run"
    name = ".".join(filter(None, (at.replace(" ", ""), run, task.replace(" ", "-"))))
    inside = f"all cards of the machine, {_cards(line)}" if mode == "machine" else f"tracking mode {mode}"
    left = "leaves out cooling and the rest of the server" + (f"; PUE {pue:g} taken out" if pue > 1 else "")
    yield file.row(f"{name}.gpu", gpu / pue, scope="gpu", boundary=f"gpu ({inside}); {left}", **about)
    parts = "cards, CPU" if gpu else "CPU without any card"
    host = f"{parts} (RAPL or a constant) and RAM (a formula, not metered); {inside}; {left}"
    yield file.row(f"{name}.host", whole / pue, scope="host", boundary=host, **about)


def _cards(line: Mapping[str, Any]) -> str:
    return f"{line.get('gpu_count') or 'number not stated'}, working or not"


def _year(line: Mapping[str, Any]) -> int | None:
    year = str(line.get("timestamp") or "")[:4]
    return int(year) if year.isdecimal() and 1950 <= int(year) <= 2100 else None
