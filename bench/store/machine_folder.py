"""Folder of one machine's results, written by one run at a time so that a crash loses nothing.

    with MachineFolder(results, machine_slug) as folder:    # takes the folder's lock
        folder.save_partial(record)                         # after every block
        path = folder.save(record)                          # atomically: temp file, fsync, rename

What a killed run left half done becomes a `failed` record with its blocks the next time the folder is used.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from bench.core.record import Record
from bench.core.recorded import Failure
from bench.core.temporary import NO_LOCKS
from bench.errors import PrerequisiteError, RecordError
from bench.store import traces
from bench.store.results import read, slug, to_json, write_atomically

NEEDED_BYTES = 50_000_000
"""Free space asked for before a run: a record with its trace stays well below it."""

UNFINISHED = ".*.json.*.tmp"
"""Files that a killed run was writing: under the folder's lock no other run writes here."""


class MachineFolder:
    """`results/<machine>/` for the time of one run, under a lock that dies with the process.

    A process of a run that has the lock already takes none (`of_locked_run`), and recovers nothing.
    """

    def __init__(self, results: Path, machine: str, *, of_locked_run: bool = False) -> None:
        self.path = results / slug(machine)
        self._partial = self.path / ".partial"
        self._of_locked_run = of_locked_run
        self._lock: int | None = None

    def __enter__(self) -> MachineFolder:
        try:
            self._partial.mkdir(parents=True, exist_ok=True)
            if not self._of_locked_run:
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
        except OSError as error:
            if error.errno in NO_LOCKS:
                os.close(lock)
                raise PrerequisiteError(
                    f"{self.path} has no locks, which keep two runs apart: {error.strerror}.",
                    "Name a folder of another file system with --results DIR.",
                ) from error
            if error.errno != errno.EWOULDBLOCK:
                os.close(lock)
                raise
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

    def has_leftovers(self) -> bool:
        """Whether a run keeps blocks of a case here that is not over, or a killed one did."""
        return any(self._partial.glob("*.json"))

    def recover(self) -> Iterator[Path]:
        """Turn what killed runs left into records, and remove half-written files; yields each path.

        A case with fewer valid blocks than its floor is `failed`. Where the whole record is there already,
        only the clearing up was missed. What other processes of a locked run write is left alone.
        """
        if self._of_locked_run:
            return
        for folder in (self.path, self._partial):
            for unfinished in folder.glob(UNFINISHED):
                unfinished.unlink(missing_ok=True)
        traces.remove_unfinished(self.path / traces.FOLDER)
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
