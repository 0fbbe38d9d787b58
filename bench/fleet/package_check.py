"""Check of a package: every headline derived anew from its samples, offline.

    for checked in check(package): checked.entry, checked.problems, checked.derived

A fault costs the records that it touches and no others: one bad node leaves the rest as they are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.compare import rederived
from bench.compare.rederived import Rederived
from bench.core.record import Record
from bench.errors import RecordError
from bench.fleet import publication
from bench.fleet.manifest import Node, PackagedRecord
from bench.fleet.opening import OpenedPackage
from bench.store import results, traces

NOT_SEEN = ""


@dataclass(frozen=True)
class CheckedRecord:
    """One record of a package: what is wrong with it, and what its samples give."""

    entry: PackagedRecord
    machine: str | None
    problems: tuple[str, ...]
    derived: Rederived | None
    """`None` without a trace, or where the record itself is at fault."""
    record: Record | None = None
    """The record without its blocks; `None` where it was not read."""

    @property
    def publication_valid(self) -> bool:
        """Whether it is fit to be published: no problem, and no reason code."""
        return not self.problems and self.entry.publication_valid


def check(package: OpenedPackage) -> Iterator[CheckedRecord]:
    """Every record of the package, in the manifest's order."""
    for node in package.manifest.nodes:
        for entry in node.records:
            yield _checked(package, node, entry)


def _checked(package: OpenedPackage, node: Node, entry: PackagedRecord) -> CheckedRecord:
    named = entry.named
    problems = [f"{name}: {package.faults[name]}" for name in named if name in package.faults]
    problems += [
        f"{name}: the manifest has no digest of it" for name in named if name not in package.manifest.files
    ]
    if problems:
        return CheckedRecord(entry, node.machine, tuple(problems), None)
    try:
        record = results.from_json(package.content(entry.file).decode("utf-8", "replace"), entry.file)
        problems += [f"{entry.file}: {each}" for each in _against_manifest(record, node, entry)]
        if (unlike := rederived.blocks_against_headline(record)) is not None:
            problems.append(f"{entry.file}: {unlike}")
        derived = None
        if entry.trace is not None:
            derived = rederived.rederived(record, _trace(package, entry.trace, record))
            if record.headline() is not None:
                problems += [f"{entry.file}: {each}" for each in rederived.differences(record, derived)]
    except RecordError as error:
        return CheckedRecord(entry, node.machine, (str(error),), None)
    return CheckedRecord(
        entry, node.machine, tuple(problems), derived, record.model_copy(update={"blocks": []})
    )


def _trace(package: OpenedPackage, name: str, record: Record) -> traces.Trace:
    """The samples of a packed trace, which DuckDB reads from a file. Raises RecordError."""
    with tempfile.TemporaryDirectory(prefix="joulebench-package-") as folder:
        package.unpack(name, Path(folder) / "trace.parquet")
        beside = record.model_copy(update={"trace": "trace.parquet"})
        trace = traces.read(Path(folder) / "record.json", beside)
    assert trace is not None, "the record names it"
    return trace


def _against_manifest(record: Record, node: Node, entry: PackagedRecord) -> Iterator[str]:
    """Differences between the manifest and a record."""
    headline = record.headline()
    reasons = publication.reasons(record, traced=entry.trace is not None)
    own = {
        "label": record.label,
        "status": record.status,
        "headline_j": headline.value if headline else None,
        "unit": record.unit,
        "run_id": record.run_id,
        "commit": record.provenance.commit,
        "command": record.provenance.command,
        "expected_gpus": record.provenance.expected_gpus,
        "clock": record.provenance.clock,
        "nodes": record.machine.nodes or None,
        "publication_valid": not reasons,
        "publication_reasons": reasons,
    }
    for name, value in own.items():
        if getattr(entry, name) != value:
            yield f"{name} is {value!r} in the record and {getattr(entry, name)!r} in the manifest"
    machine, stated = record.machine, f"{node.machine} ({node.machine_id})"
    if (machine.name, machine.id) != (node.machine, node.machine_id):
        yield f"it is of the machine {machine.name} ({machine.id}), and its node is {stated}"
    seen = {gpu.uuid: gpu.name for gpu in node.gpus}
    if other := [gpu for gpu in machine.metered_gpus if seen.get(str(gpu.uuid), NOT_SEEN) != gpu.name]:
        cards = ", ".join(f"{gpu.name} {gpu.uuid}" for gpu in other)
        yield f"it metered {cards}, and its node has not seen that"
