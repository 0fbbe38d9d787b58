"""Temporary files and folders that show whether their owner lives.

    folder = owned_folder("joulebench-samples-")
    ...
    folder.remove()

    sweep()     # by the next run: removes what killed processes left

The owner locks (`flock`) the file or folder itself, and the system ends the lock with the process.
So a free lock means a dead owner, also beside containers that share the folder and number processes anew.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path

SAMPLES, WORKER_LOG, SERVER_LOG = "joulebench-samples-", "joulebench-worker-", "joulebench-server-"
SERVER_SAID = "joulebench-said-"
OWNED = (SAMPLES, WORKER_LOG, SERVER_LOG, SERVER_SAID)
"""Beginnings of names that are never used without a lock."""
NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS})
"""Answers of file systems without locks: NFS without its lock service, some of FUSE."""
FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Owned:
    """A temporary file or folder, locked until `remove` or the end of this process."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock: int | None = lock

    def remove(self) -> None:
        """Remove it with all that is in it; a second call does nothing."""
        _remove(self.path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def owned_folder(prefix: str) -> Owned:
    """A new folder in the temporary folder. Raises OSError."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix))
        if (owned := _taken(path)) is not None:
            return owned


def owned_file(prefix: str, suffix: str) -> Owned:
    """A new empty file in the temporary folder. Raises OSError."""
    while True:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix)
        os.close(handle)
        if (owned := _taken(Path(name))) is not None:
            return owned


def sweep() -> list[Path]:
    """Remove this user's owned files and folders whose owner is dead; return them."""
    swept = []
    with contextlib.suppress(OSError):  # without the folder nothing is left in it
        for path in sorted(Path(tempfile.gettempdir()).iterdir()):
            if path.name.startswith(OWNED) and _swept(path):
                swept.append(path)
    return swept


def _taken(path: Path) -> Owned | None:
    """The lock on a new file or folder; `None` where a sweep came between."""
    try:
        lock = os.open(path, FLAGS)
    except FileNotFoundError:
        return None
    try:
        _lock(lock)
        if os.path.samestat(os.fstat(lock), path.stat(follow_symlinks=False)):
            return Owned(path, lock)
    except (BlockingIOError, FileNotFoundError):
        pass  # a sweep has the lock, or has removed it
    except BaseException:
        os.close(lock)
        _remove(path)
        raise
    os.close(lock)
    return None


def _lock(file: int) -> None:
    """Take the lock, where the file system has locks; without one it is not swept either."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise


def _swept(path: Path) -> bool:
    """Whether a file or folder was this user's, without an owner, and is removed. A link is not followed."""
    try:
        lock = os.open(path, FLAGS)
    except OSError:
        return False
    try:
        found = os.fstat(lock)
        plain = stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)
        if not plain or found.st_uid != os.geteuid():
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(path)
        return not path.exists()
    except OSError:  # its owner lives, or the file system has no locks
        return False
    finally:
        os.close(lock)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
