"""Files that may hold records: below a folder, on standard input, and as git has them.

    for name, status in files(Path("results")):
        text = text_of(name)

A text that cannot be read is a RecordError in its place, so that the others are read all the same.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG

from bench.core.untrusted import bounded, refuse_many_values, text_in
from bench.errors import RecordError, UsageError

OTHER_DOCUMENT = re.compile(r'\s*\{\s*"schema":\s*"joulebench/(?!record/)')

LARGEST_STREAM_BYTES = 256_000_000
"""Of all records on standard input together."""

NOT_SPACE = re.compile(r"\S")
FoundText = tuple[str, str | RecordError]
"""The name of a file and its text, or why it cannot be read."""


def piped() -> list[FoundText]:
    """The JSON documents on standard input, one after the other."""
    where = "standard input"
    try:
        text = bounded(sys.stdin.buffer, LARGEST_STREAM_BYTES).decode("utf-8")
        refuse_many_values(text)
    except ValueError as error:
        raise RecordError(f"{where}: not JSON: {error}.") from error
    if not text.strip():
        raise UsageError(f"{where} is empty.", "For example: python -m bench show --json latest | ... -")
    decoder, texts = json.JSONDecoder(), list[FoundText]()
    at = _next(text, 0)
    while at < len(text):
        try:
            _, end = decoder.raw_decode(text, at)
            end += text.startswith("\n", end)  # the text of a file, and so its digest, ends with one
        except (ValueError, RecursionError):
            end = len(text)  # reading it as a record reports the fault in words
        number = f" ({len(texts) + 1})" if texts else ""
        texts.append((f"{where}{number}", text[at:end]))
        at = _next(text, end)
    return texts


def _next(text: str, at: int) -> int:
    """Where the next document begins."""
    found = NOT_SPACE.search(text, at)
    return found.start() if found else len(text)


def texts_below(path: Path) -> Iterator[FoundText]:
    """The JSON files of a folder, without those that are documents of another kind; or the one file."""
    for file in [str(path)] if not path.is_dir() else [name for name, _ in files(path)]:
        try:
            text = text_of(file)
            if file == str(path) or not is_other_document(text):
                yield file, text
        except RecordError as error:
            yield file, error


def is_other_document(text: str) -> bool:
    """Whether a file beside records is another file, such as a calibration: skipped in a folder."""
    return OTHER_DOCUMENT.match(text) is not None


def text_of(file: str) -> str:
    """The text of a file. Raises RecordError that begins with its name."""
    try:
        return text_in(Path(file))
    except OSError as error:
        raise RecordError(f"{file}: cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise RecordError(f"{file}: not a JSON file: {error}.") from error


def files(folder: Path) -> Iterator[tuple[str, os.stat_result | None]]:
    """The JSON files below a folder by name, each folder once however links lead there, with their `stat`.

    A folder that cannot be listed is kept as a name: reading it as a file reports the reason.
    """
    return _files(str(folder), set())


def _files(folder: str, visited: set[tuple[int, int]]) -> Iterator[tuple[str, os.stat_result | None]]:
    try:
        status = os.stat(folder)
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError:
        yield folder, None
        return
    if (status.st_dev, status.st_ino) in visited:
        return
    visited.add((status.st_dev, status.st_ino))
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            yield from _files(entry.path, visited)
        elif entry.name.endswith(".json"):
            of_file = _status(entry)
            if of_file is None or S_ISREG(of_file.st_mode):  # a pipe or a device would be read for ever
                yield entry.path, of_file


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circle of links: reading it as a file reports that
        return False


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat()
    except OSError:
        return None
