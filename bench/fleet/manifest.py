"""The manifest of an evidence package: what was measured, on which cards, by which code; a digest a file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bench.core.machine import ServingNode
from bench.core.model import Count, SchemaModel
from bench.core.provenance import ClockReading

NAME = "manifest.json"
SIGNATURE = "manifest.json.sig"


class PackagedFile(SchemaModel):
    """Size and SHA-256 of a file of the package."""

    bytes: Count
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SeenGpu(SchemaModel):
    """A card whose joules are in the figures."""

    uuid: str
    name: str | None


class PackagedRecord(SchemaModel):
    """One record: what became of it, and whether its figure is fit to be published as its model's."""

    file: str
    label: str
    run_id: str | None
    status: str
    headline_j: float | None
    """Gross joules a unit; `null` where the record has none."""
    unit: str
    publication_valid: bool
    publication_reasons: list[str]
    """Reason codes (`bench.fleet.publication.CODES`); empty where it is fit."""
    trace: str | None
    others: list[str]
    """Outputs and logs that were kept with it."""
    commit: str | None
    command: str | None
    expected_gpus: str | None
    """Cards that the run was asked to have; `gpus` of its node are those that it had."""
    clock: ClockReading | None
    """Calendar and CLOCK_MONOTONIC in one moment, which tie the samples' stamps to the calendar.

    `sync` is what the kernel stated of NTP then.
    """
    nodes: dict[str, ServingNode] | None = None
    """Of a server over several nodes: each with the offset of its clock, and NTP as its kernel stated it."""

    @property
    def named(self) -> list[str]:
        """All files of the package that belong to it."""
        return [self.file, *([self.trace] if self.trace else []), *self.others]


class Node(SchemaModel):
    """One machine: the cards seen, and its records. One bad node makes no other's records unfit."""

    machine: str | None
    machine_id: str | None
    gpus: list[SeenGpu]
    records: list[PackagedRecord]


class Manifest(SchemaModel):
    """A package's table of contents."""

    schema_name: Literal["joulebench/package/1"] = Field("joulebench/package/1", alias="schema")
    created: str
    joulebench: str
    """Version that packed it; the code that measured is each record's `commit`."""
    nodes: list[Node]
    files: dict[str, PackagedFile]
