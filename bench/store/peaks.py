"""Ceilings of a machine's devices, as `python -m bench roofline peaks` measured them.

    found = ceilings.load(ceilings.path_of(machine_folder, "GPU-..."))     # None where never measured
    found.bandwidth_gb_per_s, found.matrix_tflops["bfloat16"]

One file per device, `results/<machine>/.ceilings/<uuid or cpu>.json`: hidden, because it is not a record.

History of `SCHEMA`
    joulebench/ceilings/1   first version
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from bench.core.machine import Machine
from bench.core.model import SchemaModel
from bench.core.provenance import Provenance
from bench.store import device_facts
from bench.store.results import slug

SCHEMA = "joulebench/ceilings/1"
FOLDER = ".ceilings"

PeakRate = Annotated[float, Field(gt=0, lt=1e9)]


class Ceilings(SchemaModel, frozen=True):
    """Measured ceilings of one device; 1 GB is 10⁹ bytes, 1 TFLOP 10¹² operations."""

    schema_name: Literal["joulebench/ceilings/1"] = Field("joulebench/ceilings/1", alias="schema")
    device: str
    """A card's UUID, or `cpu`."""
    name: str
    created: str
    copy_gb_per_s: PeakRate
    """Of a copy, each byte counted as read and as written."""
    read_gb_per_s: PeakRate
    """Of a sum, which only reads."""
    matrix_tflops: dict[str, PeakRate]
    """Of a product of square matrices of random numbers, by dtype."""
    buffer_bytes: int = Field(gt=0)
    matrix_sides: list[int]
    cpu_threads: int
    float32_matmul: str
    machine: Machine = Field(default_factory=Machine)
    provenance: Provenance = Field(default_factory=Provenance)
    absent: dict[str, str] = Field(default_factory=dict)

    @property
    def bandwidth_gb_per_s(self) -> float:
        """The limit that work is held against: the better of copying and reading."""
        return max(self.copy_gb_per_s, self.read_gb_per_s)


def path_of(machine_folder: Path, device: str) -> Path:
    """Path of a device's ceilings."""
    return machine_folder / FOLDER / f"{slug(device)}.json"


def save(machine_folder: Path, found: Ceilings) -> Path:
    """Write them beside the machine's records, whole or not at all. Raises RecordError."""
    return device_facts.save(path_of(machine_folder, found.device), found)


def load(path: Path) -> Ceilings | None:
    """The ceilings in a file, or `None` where there is none. Raises RecordError for anything else."""
    way_out = "Measure them again with `python -m bench roofline peaks`, or remove the file."
    return device_facts.load(path, Ceilings, "a file of ceilings", way_out)
