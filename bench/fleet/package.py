"""Records and all that was kept with them as one zip file, with a manifest and perhaps a signature.

    content = packed([stored, ...], signing.load(Path("key.pem")))

A file that a record names and that is missing is left out of the package; of a trace, the record's entry has
the reason code.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import bench
from bench.compare.record_set import StoredRecord
from bench.core.record import Record
from bench.core.untrusted import inside
from bench.errors import RecordError
from bench.fleet import publication
from bench.fleet.manifest import NAME, SIGNATURE, Manifest, Node, PackagedFile, PackagedRecord, SeenGpu
from bench.fleet.signing import SigningKey
from bench.machine.provenance import now_utc
from bench.store.results import slug, to_json

STORED = (".parquet", ".png", ".mp4")
"""Suffixes of files that are compressed already."""


def packed(records: Sequence[StoredRecord], key: SigningKey | None = None) -> bytes:
    """The package of these records, each from a file. Raises RecordError where one cannot be read."""
    files: dict[str, bytes] = {}
    nodes: dict[str, list[tuple[Record, PackagedRecord]]] = {}
    for stored in records:
        machine = stored.record.machine
        node = f"{slug(str(machine.name))}-{slug(str(machine.id))}"
        entry, own = _entry(stored, node)
        if entry.file in files and files[entry.file] != own[entry.file]:
            raise RecordError(f"{stored.where}: another record of this machine has the same file name.")
        files |= own
        nodes.setdefault(node, []).append((stored.record, entry))
    listed = [_node(of_node) for of_node in nodes.values()]
    manifest = to_json(
        Manifest(created=now_utc(), joulebench=bench.__version__, nodes=listed, files=digests(files))
    ).encode()
    files = {NAME: manifest, **({SIGNATURE: key.sign(manifest)} if key else {}), **files}
    return _zipped(files)


def _node(of_node: Sequence[tuple[Record, PackagedRecord]]) -> Node:
    """A machine with its records, and every card that one of them metered."""
    machine = of_node[0][0].machine
    cards = {str(gpu.uuid): gpu.name for record, _ in of_node for gpu in record.machine.metered_gpus}
    return Node(
        machine=machine.name,
        machine_id=machine.id,
        gpus=[SeenGpu(uuid=uuid, name=name) for uuid, name in sorted(cards.items())],
        records=[entry for _, entry in of_node],
    )


def _entry(stored: StoredRecord, node: str) -> tuple[PackagedRecord, dict[str, bytes]]:
    """A record's line of the manifest, and its files by their names in the package."""
    path, record = Path(stored.where), stored.record
    try:
        files = {f"{node}/{path.name}": path.read_bytes()}
    except OSError as error:
        raise RecordError(
            f"{stored.where}: only records in files can be packed: {error.strerror}."
        ) from error
    trace = _kept(path.parent, [record.trace] if record.trace else [])
    others = _kept(path.parent, [*record.outputs, *_logs(record)])
    files |= {f"{node}/{name}": content for name, content in (trace | others).items()}
    headline, reasons = record.headline(), publication.reasons(record, traced=bool(trace))
    entry = PackagedRecord(
        file=f"{node}/{path.name}",
        label=record.label,
        run_id=record.run_id,
        status=record.status,
        headline_j=headline.value if headline else None,
        unit=record.unit,
        publication_valid=not reasons,
        publication_reasons=reasons,
        trace=f"{node}/{record.trace}" if trace else None,
        others=[f"{node}/{name}" for name in others],
        commit=record.provenance.commit,
        command=record.provenance.command,
        expected_gpus=record.provenance.expected_gpus,
        clock=record.provenance.clock,
        nodes=record.machine.nodes or None,
    )
    return entry, files


def _logs(record: Record) -> list[str]:
    """Logs of a server that were kept beside the record."""
    log = (record.engine.model_extra or {}).get("log") if record.engine else None
    return [log] if isinstance(log, str) else []


def _kept(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Contents of the files that are there, inside the record's folder and nowhere else."""
    contents = {}
    for name in names:
        with contextlib.suppress(ValueError):
            path = inside(folder, name)
            if path is not None and path.is_file():
                contents[PurePosixPath(name).as_posix()] = path.read_bytes()
    return contents


def digests(files: Mapping[str, bytes]) -> dict[str, PackagedFile]:
    """Size and SHA-256 by name."""
    return {
        name: PackagedFile(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in sorted(files.items())
    }


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """The same files always give the same bytes: every entry has the zip format's first date."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in files.items():
            method = zipfile.ZIP_STORED if name.endswith(STORED) else zipfile.ZIP_DEFLATED
            info = zipfile.ZipInfo(name)
            info.compress_type, info.external_attr = method, 0o644 << 16
            archive.writestr(info, content)
    return whole.getvalue()
