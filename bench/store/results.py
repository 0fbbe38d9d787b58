"""The folder of results: one folder a machine, one file a case, written so that a crash loses nothing.

    with MachineFolder(results, machine_slug) as folder:    # takes the folder's lock
        folder.save_partial(record)                         # after every block
        path = folder.save(record)                          # atomically: temp file, fsync, rename

What a killed run left half done becomes a `failed` record with its blocks the next time the folder is used.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json as from_json_fast

from bench.core.model import SchemaModel
from bench.core.record import Record
from bench.core.recorded import Failure
from bench.errors import PrerequisiteError, RecordError
from bench.store import versions

SURROGATE = re.compile("[\ud800-\udfff]")
NEEDED_BYTES = 50_000_000
"""Free space asked for before a run: a record with its trace stays well below it."""


def slug(text: str) -> str:
    """A file-name-safe form: small letters, digits, dot and dash."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:80].rstrip("-.") or "unnamed"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write beside the target, flush to disk, rename. Raises OSError; the target is whole or untouched.

    A link stays one, and a device or a pipe (/dev/null, /dev/stdout) is written to, never replaced.
    """
    whole = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(whole)
        return
    with replacing(path) as temporary:
        temporary.write_bytes(whole)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside the target to be filled, which takes its place at the end. Raises OSError.

    The target is whole or untouched: the file is flushed to disk first, and removed after an error.
    """
    path = Path(os.path.realpath(path))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        os.close(handle)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def to_json(stored: SchemaModel) -> str:
    """A record, or another file of ours, as text: the schema's field order, two spaces, a final newline."""
    content = legible(stored.model_dump(mode="json", by_alias=True))
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def legible(value: Any) -> Any:
    """The same with U+FFFD for each byte of a path, name or variable that was not UTF-8.

    Python keeps such bytes as lone surrogates (PEP 383), which no reader of JSON needs to accept.
    """
    if isinstance(value, str):
        return value if value.isascii() else SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: legible(item) for key, item in value.items()}
    return [legible(item) for item in value] if isinstance(value, list) else value


def read(path: Path) -> Record:
    """One record from a file. Raises RecordError with what is wrong and where."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecordError(f"{path}: no such file.", "`python -m bench run` prints what it wrote.") from None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise RecordError(f"{path}: not a JSON file: {error}.") from error
    return from_json(text, str(path))


def from_json(text: str, where: str) -> Record:
    """One record from its text, of this or an older schema. Raises RecordError that begins with `where`."""
    try:
        raw = parse(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{where}: not a JSON file: {error}.") from error
    try:
        return Record.model_validate(versions.upgraded(raw))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"{where}: not a whole record: {at}: {first['msg']}.") from error
    except ValueError as error:
        raise RecordError(f"{where}: {error}.") from error


def parse(text: str) -> Any:
    """JSON and nothing beside it: no NaN, and no halves of characters that could never be printed."""
    try:
        return from_json_fast(text, allow_inf_nan=False)  # refuses the same, in half the time
    except ValueError:
        return _parse_for_the_reason(text)


def _parse_for_the_reason(text: str) -> Any:
    """The same by the standard library, whose errors name the fault in common words."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not a number in JSON")

    raw = json.loads(text, parse_constant=refuse)
    if "\\ud" in text.lower():
        json.dumps(raw, ensure_ascii=False).encode()
    return raw


class MachineFolder:
    """`results/<machine>/` for the time of one run, under a lock that dies with the process."""

    def __init__(self, results: Path, machine: str) -> None:
        self.path = results / slug(machine)
        self._partial = self.path / ".partial"
        self._lock: int | None = None

    def __enter__(self) -> MachineFolder:
        try:
            self._partial.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self._prove_writable()
        except OSError as error:
            self.close()
            reason = error.strerror or str(error)
            raise PrerequisiteError(
                f"The results folder {self.path} cannot be written: {reason}.",
                "Name another with --results DIR.",
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_lock(self) -> None:
        lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise PrerequisiteError(
                f"Another run (process {holder}) is measuring into {self.path}.",
                "Two runs on one machine spoil each other's figures: wait for it to end.",
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock

    def _prove_writable(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < NEEDED_BYTES:
            raise OSError(
                errno.ENOSPC, f"only {free / 1e6:.0f} MB are free, {NEEDED_BYTES / 1e6:.0f} MB needed"
            )
        probe = self._partial / ".probe"
        write_atomically(probe, "writable\n")
        probe.unlink()

    def close(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def outputs(self) -> Path:
        """A fresh folder name for this run's kept pages and images."""
        return self.path / "outputs" / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")

    def file_name(self, record: Record) -> str:
        """`<label>--<hash>--<time>.json`: sorts by case, then by time. Cases of a pair end in their side."""
        stamp = re.sub(r"[^0-9TZ]", "", record.created)
        side = f"-{record.pair.side.lower()}" if record.pair else ""
        return f"{slug(record.label)}--{slug(record.case.hash)[:8]}--{stamp}{side}.json"

    def save_partial(self, record: Record) -> None:
        """Keep what is measured so far, in case this process dies. Raises OSError."""
        write_atomically(self._partial / self.file_name(record), to_json(record))

    def discard_partial(self, record: Record) -> None:
        """Forget what `save_partial` kept of this case; harmless where it kept nothing."""
        (self._partial / self.file_name(record)).unlink(missing_ok=True)

    def save(self, record: Record) -> Path:
        """Write the finished record; if the disk refuses, write it to the temporary folder, and warn."""
        name = self.file_name(record)
        try:
            path = self.path / name
            write_atomically(path, to_json(record))
        except OSError as error:
            raise _rescue(record, self.path, name, error) from error
        with contextlib.suppress(FileNotFoundError):
            (self._partial / name).unlink()
        return path

    def recover(self) -> Iterator[Path]:
        """Turn what killed runs left behind into records; yields the path of each.

        A case with fewer valid blocks than its floor is `failed`. Where the whole record is there already,
        only the clearing up was missed.
        """
        for left in sorted(self._partial.glob("*.json")):
            if (self.path / left.name).exists():
                left.unlink()
                continue
            try:
                record = read(left)
            except RecordError:
                left.rename(left.with_suffix(".unreadable"))
                continue
            if record.status == "ok" and record.ended is not None:
                record.ended.by = "interrupt"
            else:
                message = "The run ended without a word (killed, or the machine went down)."
                record.status = "failed"
                record.reasons = [*record.reasons, message]
                record.failure = Failure(stage="killed", message=message)
            record.absent = record.absent | {"trace": "the run was killed before its samples were kept"}
            path = self.save(record)
            left.unlink(missing_ok=True)
            yield path


def _rescue(record: Record, folder: Path, name: str, refusal: OSError) -> RecordError:
    """Save a record that its folder refused in the temporary folder; return the error for the user."""
    refused = f"{folder} refused the record ({refusal.strerror})"
    try:
        path = Path(tempfile.mkdtemp(prefix="joulebench-rescued-")) / name
        write_atomically(path, to_json(record))
    except OSError as error:
        return RecordError(f"{refused}, and so did {tempfile.gettempdir()} ({error.strerror}).", "Make room.")
    return RecordError(
        f"{refused}; it was saved as {path} instead.", "Make room or restore the folder, then move it there."
    )
