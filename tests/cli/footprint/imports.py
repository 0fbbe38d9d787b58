"""Small files of the shape of real ones, and the rows that an import prints."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import yaml

from tests.cli.conftest import Typed

LINE = {
    "task_name": "query model",
    "timestamp": "2023-10-02T20:20:31",
    "project_name": "an/encoder",
    "run_id": "000f2a61-6c23",
    "duration": "8.4",
    "emissions": "0.0003",
    "cpu_energy": "0.0001",
    "gpu_energy": "0.0012",
    "ram_energy": "0.0007",
    "energy_consumed": "0.002",
    "codecarbon_version": "2.3.1",
    "gpu_count": "8",
    "gpu_model": "8 x NVIDIA A100-SXM4-80GB",
    "tracking_mode": "machine",
}

PHASE = {
    "memory": None,
    "latency": {"unit": "s", "mean": 1.5, "p50": 1.4},
    "throughput": None,
    "energy": {"unit": "kWh", "cpu": 0.001, "ram": 0.001, "gpu": 0.002, "total": 0.004},
    "efficiency": {"unit": "tokens/kWh", "value": 250_000},
}


def emissions(*lines: dict[str, str]) -> str:
    """A CSV file of lines."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(LINE))
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def rows(typed: Typed, *arguments: str | Path) -> list[dict[str, Any]]:
    """The rows that an import prints."""
    done = typed("footprint", "import", *arguments)
    assert done.status == 0, done.err
    figures: list[dict[str, Any]] = yaml.safe_load(done.out)["figures"]
    return figures
