"""Archives of the folder of work, small enough for any courier, and what they bring back.

    paths = pack(Path(".evidence"), Path("out"))
    merge(paths, Path(".evidence"), Path("results"))

Archives have the folder of work as it is (state, records, output, logs), so that another machine goes on from
there. Each has the state, so that one that is lost takes only its own files along.
"""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.errors import RecordError, UsageError
from bench.store import results as store
from bench.store.results import slug, write_atomically
from scripts.evidence import findings
from scripts.evidence import state as states
from scripts.evidence.parts import RESULTS

VOLUME_BYTES = 11_000_000
"""Compressed, after which another archive is begun: the last file of one may still add its own size."""
VOLUMES = 5
"""With findings.json and findings.md beside them that makes seven files, which fit into 64 MiB."""
NAME = "evidence"
PARTIAL = ".partial"


def pack(work: Path, out: Path) -> list[Path]:
    """Everything below `work` as archives in `out`. Raises RecordError where it cannot be written."""
    volumes = list(
        _volumes([path for path in sorted(work.rglob("*")) if path.is_file() and _travels(path)], work)
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
        for older in set(out.glob(f"{NAME}-*.tar.gz")) - set(written):
            older.unlink()
    except OSError as error:
        raise RecordError(
            f"{out}: cannot be written: {error.strerror}.", "Name another --out DIR."
        ) from error
    return written


def _travels(path: Path) -> bool:
    """Records of runs that were killed do too; locks, and files that were being written, do not."""
    if path.parent.name == PARTIAL:
        return path.suffix == ".json" and not path.name.startswith(".")
    return not path.name.startswith(".") and path.name != states.FILE


def _volumes(files: Sequence[Path], work: Path) -> Iterator[bytes]:
    left = list(files)
    while left or (work / states.FILE).exists():
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            if (work / states.FILE).exists():
                archive.add(work / states.FILE, arcname=states.FILE)
            while left:
                path = left.pop(0)
                archive.add(path, arcname=str(path.relative_to(work)), recursive=False)
                if buffer.tell() >= VOLUME_BYTES:
                    break
        yield buffer.getvalue()
        if not left:
            return


def merge(archives: Sequence[Path], work: Path, results: Path) -> list[Path]:
    """Take archives into `work`, and copy records, calibrations and findings into `results`; the copies.

    Nothing is written before every archive was read. Raises UsageError for a file that is not an archive, and
    for a rehearsal, whose records are not measurements.
    """
    state = states.load(work)
    with tempfile.TemporaryDirectory(prefix="joulebench-merge-") as scratch:
        folders = [_unpacked(path, Path(scratch) / str(number)) for number, path in enumerate(archives)]
        for path, folder in zip(archives, folders, strict=True):
            other = states.load(folder)
            _refuse_rehearsal(path, other)
            state.take(other)
        _refuse_rehearsal(work, state)
        for folder in folders:
            _take_files(folder, work)
    states.save(work, state)
    return [*_copy_records(work, results), *_write_findings(work, results)]


def _unpacked(path: Path, folder: Path) -> Path:
    try:
        with tarfile.open(path, mode="r:gz") as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UsageError(
            f"{path}: not an archive of gpu-evidence: {error}.", "Name evidence-*.tar.gz."
        ) from error
    if not (folder / states.FILE).exists():
        raise UsageError(
            f"{path}: not an archive of gpu-evidence: {states.FILE} is missing.", "Name evidence-*.tar.gz."
        )
    return folder


def _refuse_rehearsal(where: Path, state: states.State) -> None:
    if state.rehearsed:
        raise UsageError(
            f"{where} is a rehearsal on a stand-in card, and its figures are not measurements.",
            "Name archives of scripts/gpu-evidence run.",
        )


def _take_files(folder: Path, work: Path) -> None:
    """Copy what is new or newer: a record has a name of its own, a calibration replaces an older one."""
    for path in sorted(folder.rglob("*")):
        target = work / path.relative_to(folder)
        if not path.is_file() or path.name == states.FILE:
            continue
        if not target.exists() or path.stat().st_mtime > target.stat().st_mtime:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)


def _copy_records(work: Path, results: Path) -> Iterator[Path]:
    """Records with a figure, and what is beside them, that `results` does not have yet."""
    ours = work / RESULTS
    failed = {path.stem for path in ours.glob("*/*.json") if _failed(path)}
    for path in sorted(ours.rglob("*")):
        inside = path.relative_to(ours)
        wanted = path.is_file() and _travels(path) and PARTIAL not in inside.parts
        if not wanted or any(path.name.startswith(f"{stem}.") for stem in failed):
            continue
        if not (results / inside).exists():
            (results / inside).parent.mkdir(parents=True, exist_ok=True)
            yield Path(shutil.copy2(path, results / inside))


def _write_findings(work: Path, results: Path) -> Iterator[Path]:
    for gathered in findings.gather(work):
        if gathered.machine is not None:
            target = results / gathered.machine / findings.FOLDER / f"{slug(gathered.card)}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, findings.to_json(gathered))
            yield target


def _failed(path: Path) -> bool:
    """Whether a record has no figure for readers of results/: a failed case, or a damaged file."""
    try:
        return store.read(path).status == "failed"
    except RecordError:
        return True
