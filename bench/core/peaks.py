"""Peaks of a device: bytes moved per second, and operations of a matrix product per second.

They are measured: what torch reaches on random numbers, not what a data sheet has. The file of a device is
`results/<machine>/.peaks/<uuid or cpu>.json` (`bench/store/peaks.py`).

History of the schema
    joulebench/ceilings/1   first version; the name is that of the verb then, so that its files still load
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bench.core.machine import Machine
from bench.core.model import SchemaModel
from bench.core.provenance import Provenance

PeakRate = Annotated[float, Field(gt=0, lt=1e9)]


class DevicePeaks(SchemaModel, frozen=True):
    """Measured peaks of one device; 1 GB is 10⁹ bytes, 1 TFLOP 10¹² operations."""

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
