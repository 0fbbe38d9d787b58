"""What a person names, as records: files, folders, labels, git revisions.

    load("results/rtx-4090")              # a folder, searched through; what is hidden is left out
    load("base=runs/monday.json")         # a label of one's own
    load("main:results/rtx-4090")         # as committed: `git show`, without a checkout
    load("results@A")                     # one side of the pairs (`bench run --pair`) among any of these

One file that cannot be read is one sentence in `problems`; the rest is loaded all the same.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import RecordError, UsageError
from bench.footprint.imports import known
from bench.records import store
from bench.records.schema import Record

OTHER_DOCUMENT = re.compile(r'\s*\{\s*"schema":\s*"joulebench/(?!record/)')
"""The beginning of what lies beside records and is none, such as a calibration: passed over in a folder."""


@dataclass(frozen=True)
class Found:
    """A record, where it was found, and a digest of its text, by which the very same file is known again."""

    record: Record
    where: str
    digest: str


@dataclass(frozen=True)
class Source:
    """One side: its label, its records, what could not be read, what is merely said, and where it lies."""

    label: str
    found: tuple[Found, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    folder: Path


def load(text: str) -> Source:
    """The records behind `PATH`, `NAME=PATH` or `REVISION:PATH`, `@A` or `@B` behind any for a side of pairs.

    Raises UsageError where nothing is there.
    """
    whole, at, side = text.rpartition("@")
    if not at or side not in ("A", "B") or any(map(os.path.lexists, (text, text.partition("=")[2]))):
        return _named(text)
    source = _named(whole)
    found = tuple(each for each in source.found if each.record.pair and each.record.pair.side == side)
    none = () if found else (f"{whole}: there is no side {side} of a pair in it.",)
    label = text if source.label == whole else source.label
    return replace(source, label=label, found=found, problems=source.problems + none)


def _named(text: str) -> Source:
    label, path_text = text, text
    named = re.fullmatch(r"([^=:/]*)=(.*)", text)
    if named and not os.path.lexists(text):
        label, path_text = named.groups()
        if not label or not path_text:
            raise UsageError(f'"{text}" is not name=path.', "For example: before=results/monday.")
    path = Path(path_text)
    if os.path.lexists(path):
        return _gathered(label, _texts(path), path)
    revision, colon, inside = path_text.partition(":")
    if colon and revision and inside and not revision.startswith("-"):
        return _gathered(label, iter(_committed(revision, inside)), Path(inside))
    raise UsageError(f"{path_text}: no such file or folder.", "`python -m bench run` prints what it wrote.")


def _gathered(label: str, texts: Iterator[tuple[str, str | RecordError]], path: Path) -> Source:
    """Read each text; the same text twice counts once."""
    found: dict[str, Found] = {}
    problems, notes = [], []
    for where, text in texts:
        try:
            if isinstance(text, RecordError):
                raise text
            digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            if digest in found:
                notes.append(f"{where}: the same record as {found[digest].where}; it counts once.")
            else:
                found[digest] = Found(store.from_json(text, where), where, digest)
        except RecordError as error:
            problems.append(_what_else(text, where) or str(error))
    if not found and not problems:
        problems.append(f"{path}: there is no record in this folder.")
    folder = path if path.is_dir() else path.parent
    return Source(label, tuple(found.values()), tuple(problems), tuple(notes), folder)


def _what_else(text: str | RecordError, where: str) -> str | None:
    """What a file is that is no record, where it is something that is known."""
    other = known(text) if isinstance(text, str) else None
    if other is None:
        return None
    return (
        f"{where}: this is {other}, no record of joulebench. `python -m bench import --help` says what for."
    )


def _texts(path: Path) -> Iterator[tuple[str, str | RecordError]]:
    for file in [path] if not path.is_dir() else _files(path, set()):
        try:
            text = file.read_text(encoding="utf-8")
            if file == path or not OTHER_DOCUMENT.match(text):
                yield str(file), text
        except OSError as error:
            yield str(file), RecordError(f"{file}: cannot be read: {error.strerror}.")
        except ValueError as error:
            yield str(file), RecordError(f"{file}: not a JSON file: {error}.")


def _files(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """The JSON files below a folder by name, each folder once however links lead there."""
    try:
        status = folder.stat()
        entries = sorted(folder.iterdir())
    except OSError:
        yield folder  # reading it as a file says in words why it cannot be read
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _files(entry, seen)
        elif entry.suffix == ".json":
            yield entry


def _committed(revision: str, inside: str) -> list[tuple[str, str | RecordError]]:
    """The JSON files at a path as they were committed, read by one `git archive`."""
    where = f"{revision}:{inside}"
    command = ["git", "archive", "--format=tar", revision, "--", inside]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"{where}: git cannot be run: {error}.") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[-1].removeprefix("fatal: ") if said else f"git ended with status {done.returncode}"
        raise UsageError(
            f"{where}: no such file or folder, and nothing git knows: {reason}.",
            "A revision is named as in `git show`: main:results/....",
        )
    texts: list[tuple[str, str | RecordError]] = []
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None or not _is_record_name(member.name, inside):
                continue
            name = f"{revision}:{member.name}"
            try:
                text = content.read().decode("utf-8")
                if member.name == os.path.normpath(inside) or not OTHER_DOCUMENT.match(text):
                    texts.append((name, text))
            except ValueError as error:
                texts.append((name, RecordError(f"{name}: not a JSON file: {error}.")))
    return texts


def _is_record_name(name: str, inside: str) -> bool:
    """Whether a committed file would have been looked at in a folder: what was named itself always is."""
    hidden = any(part.startswith(".") for part in Path(name).parts)
    return name == os.path.normpath(inside) or (name.endswith(".json") and not hidden)
