"""Taking what a machine has found away with it: a few archives small enough for any courier, and back again.

    paths = pack(Path(".evidence"), Path("out"))
    merge(paths, Path(".evidence"), Path("results"))

Archives hold the folder of work as it is (state, records, logs), so that another machine goes on from there.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.errors import RecordError, UsageError
from bench.records import store
from bench.records.store import slug, write_atomically
from tests.evidence import findings, state
from tests.evidence.state import RESULTS

VOLUME_BYTES = 12_000_000
"""Compressed, after which another archive is begun."""
VOLUMES = 6
"""With findings.json and findings.md beside them that makes eight files."""
NAME = "evidence"
HIDDEN = (".lock", ".partial")


def pack(work: Path, out: Path) -> list[Path]:
    """Everything below `work` as archives in `out`. Raises RecordError where it cannot be written."""
    volumes = list(
        _volumes([path for path in sorted(work.rglob("*")) if path.is_file() and _kept(path)], work)
    )
    if len(volumes) > VOLUMES:
        raise RecordError(
            f"{work} takes {len(volumes)} archives, and {VOLUMES} are allowed.", "Move logs away."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        written = []
        for number, content in enumerate(volumes, start=1):
            written.append(out / f"{NAME}-{number}.tar.gz")
            write_atomically(written[-1], content)
    except OSError as error:
        raise RecordError(
            f"{out}: cannot be written: {error.strerror}.", "Name another --out DIR."
        ) from error
    return written


def _kept(path: Path) -> bool:
    return not any(part in HIDDEN for part in path.parts)


def _volumes(files: Sequence[Path], work: Path) -> Iterator[bytes]:
    left = list(files)
    while left:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            while left:
                path = left.pop(0)
                archive.add(path, arcname=str(path.relative_to(work)), recursive=False)
                if buffer.tell() >= VOLUME_BYTES:
                    break
        yield buffer.getvalue()


def merge(archives: Sequence[Path], work: Path, results: Path) -> list[Path]:
    """Unpack into `work`, and copy records, calibrations and findings into `results`; what was copied.

    Raises UsageError for what is no archive, and for a rehearsal, whose records are no measurements.
    """
    for path in archives:
        try:
            with tarfile.open(path, mode="r:gz") as archive:
                work.mkdir(parents=True, exist_ok=True)
                archive.extractall(work, filter="data")
        except (tarfile.TarError, EOFError, OSError) as error:
            raise UsageError(
                f"{path}: not an archive of gpu-evidence: {error}.", "Name evidence-*.tar.gz."
            ) from error
    if state.load(work).rehearsed:
        raise UsageError(f"{work} holds a rehearsal on a stand-in card.", "None of it belongs into results/.")
    kept, copied = work / RESULTS, []
    failed = {path.stem for path in kept.glob("*/*.json") if _failed(path)}
    for path in sorted(kept.rglob("*")):
        inside = path.relative_to(kept)
        wanted = path.is_file() and _kept(inside) and path.name.partition(".")[0] not in failed
        if wanted and not (results / inside).exists():
            (results / inside).parent.mkdir(parents=True, exist_ok=True)
            copied.append(Path(shutil.copy2(path, results / inside)))
    for found in findings.gather(work):
        if found.machine is not None:
            target = results / found.machine / findings.FOLDER / f"{slug(found.card)}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, findings.to_json(found))
            copied.append(target)
    return copied


def _failed(path: Path) -> bool:
    """Whether a record is of no use to readers of results/: a failed case, or a damaged file."""
    try:
        return store.read(path).status == "failed"
    except RecordError:
        return True
