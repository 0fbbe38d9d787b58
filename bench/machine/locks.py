"""One measurement at a time on a card, and on the CPU: two of them spoil each other's figures.

    with exclusive_use(lock_names(placement), results, note):    # PrerequisiteError: it is in use
        ...

There is a file a card (by UUID) and one for the CPU, in a folder that all users of a machine share; it is
where temporary files do, so that `TMPDIR` moves it. A lock ends with its process, however that ends, and the
file stays. Other users may write there, so only plain files are opened, and no link is followed. They also
read there who measures into which folder, so home, user and host are left out as in records. Containers with
a folder of their own do not see one another.

Windows around any work (`windows=True`: `bench.Meter`, `watch -- COMMAND`) may contain a measurement: a lock
that an ancestor of this process took for such a window refuses nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from bench.core.secrets import masked
from bench.errors import PrerequisiteError
from bench.invocation import command_line
from bench.machine.placement import Placement
from bench.meters.gpu import Gpu
from bench.store.own_names import without_own_names
from bench.store.results import slug

Note = Callable[[str], None]
"""Takes a sentence for the person who waits."""

CPU = "the CPU"
FOLDER = "joulebench-locks"
ATTEMPTS, PAUSE_S = 5, 0.02
"""Attempts to take a lock: the doctor takes it for an instant to check it, without measuring."""
LONGEST_BYTES = 4096
ANOTHER = "Another process"
SPOIL = "Two measurements spoil each other's figures: wait for it to end"
SAME_START_S = 1.0
"""Largest difference between two start times of one process id that are the same process."""


def lock_names(placement: Placement) -> tuple[str, ...]:
    """Locks of a run: its cards by UUID, and the CPU where the work runs there."""
    return tuple(gpu.uuid for gpu in placement.cards) + ((CPU,) if placement.device == "cpu" else ())


def lock_names_of(gpus: Sequence[Gpu]) -> tuple[str, ...]:
    """Locks of a window around any work: the metered cards, or the CPU without one."""
    return tuple(gpu.uuid for gpu in gpus) or (CPU,)


@contextmanager
def exclusive_use(
    wanted: Iterable[str], results: Path, note: Note, *, windows: bool = False
) -> Iterator[None]:
    """Lock what is wanted for the life of the block. Raises PrerequisiteError if another has it.

    Where the shared folder cannot be used, that is noted, and nothing is refused.
    """
    with ExitStack() as held:
        for name in sorted(set(wanted)):
            try:
                lock = _opened(name)
                held.callback(_give_back, lock, os.getpid())
                holder = _take(lock, results, windows=windows)
            except OSError as error:
                reason = error.strerror or str(error)
                note(f"A second measurement on {name} at the same time would not be noticed: {reason}.")
                continue
            if holder is not None:
                other_card = "" if name == CPU else ", or name another card with --gpus"
                waiting = "" if holder == ANOTHER else _waiting(lock)
                way_out = f"{SPOIL}{waiting}{other_card}."
                raise PrerequisiteError(f"{holder} is measuring on {name}.", way_out)
        yield


def _give_back(lock: int, owner_pid: int) -> None:
    """Unlock, not only close: a process that was forked meanwhile has the same lock open."""
    if os.getpid() == owner_pid:
        with contextlib.suppress(OSError):  # a file system without locks, where it was not taken either
            fcntl.flock(lock, fcntl.LOCK_UN)
    os.close(lock)


def holder(name: str) -> str | None:
    """The process that measures there now, in words; `None` without one, or where the lock cannot be read."""
    with contextlib.suppress(OSError), ExitStack() as opened:
        folder = os.open(shared_folder(), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        opened.callback(os.close, folder)
        lock = _plain(os.open(_file(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder))
        opened.callback(os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _described(lock)
    return None


def shared_folder() -> Path:
    """Folder of the locks."""
    return Path(tempfile.gettempdir()) / FOLDER


def _file(name: str) -> str:
    return f"{slug(name)}.lock"


def _opened(name: str) -> int:
    """The lock's file, made where it is missing. Raises OSError."""
    folder = _opened_folder()
    try:
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
        # Without O_CREAT first: Linux refuses it for a file of another user in a sticky folder.
        with contextlib.suppress(FileNotFoundError):
            return _plain(os.open(_file(name), flags, dir_fd=folder))
        with contextlib.suppress(FileExistsError):
            made = os.open(_file(name), flags | os.O_CREAT | os.O_EXCL, dir_fd=folder)
            os.fchmod(made, 0o666)
            return made
        return _plain(os.open(_file(name), flags, dir_fd=folder))
    finally:
        os.close(folder)


def _opened_folder() -> int:
    path, made = shared_folder(), False
    with contextlib.suppress(FileExistsError):
        path.mkdir()
        made = True
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    if made:
        os.fchmod(folder, 0o1777)
    return folder


def _plain(file: int) -> int:
    """The same descriptor, of a plain file with one name. Raises OSError for anything else."""
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        os.close(file)
        raise OSError(errno.EINVAL, f"the lock in {shared_folder()} is not a plain file")
    return file


def _take(lock: int, results: Path, *, windows: bool) -> str | None:
    """Take an opened lock and write its holder into it; return the other holder in words if it is taken."""
    for attempt in range(ATTEMPTS):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if _is_window_of_ancestor(lock):
                return None
            if attempt == ATTEMPTS - 1:
                return _described(lock)
            time.sleep(PAUSE_S)
        else:
            break
    mine = {
        "pid": os.getpid(),
        "started": psutil.Process().create_time(),
        "windows": windows,
        "command": _for_others(command_line())[:200],
        "results": _for_others(str(results.absolute())),
    }
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps(mine).encode()[:LONGEST_BYTES], 0)
    return None


def _for_others(text: str) -> str:
    """The text as every user of the machine may read it: no secret, and `~` and pseudonyms for own names."""
    return without_own_names(masked(text))


def _is_window_of_ancestor(lock: int) -> bool:
    """Whether a process that started this one has it, for a window around the work.

    An id alone may be one of another container.
    """
    try:
        told = json.loads(os.pread(lock, LONGEST_BYTES, 0))
        pid, started, windows = int(told["pid"]), float(told["started"]), told["windows"]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return False
    if windows is not True:
        return False
    with contextlib.suppress(psutil.Error):  # an ancestor that has just ended measures nothing
        ancestors = psutil.Process().parents()
        return any(each.pid == pid and abs(each.create_time() - started) < SAME_START_S for each in ancestors)
    return False


def _waiting(lock: int) -> str:
    """A command that waits for the holder; empty where no such process is seen here."""
    try:
        pid = int(json.loads(os.pread(lock, LONGEST_BYTES, 0))["pid"])
        return f" (tail --pid={pid} -f /dev/null)" if psutil.pid_exists(pid) else ""
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return ""


def _described(lock: int) -> str:
    """The holder by its own words, which are untrusted: printable characters only, and shortened."""
    try:
        said = json.loads(os.pread(lock, LONGEST_BYTES, 0))
        pid, command, results = (
            "".join(character for character in str(said[key]) if character.isprintable())[:200]
            for key in ("pid", "command", "results")
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return ANOTHER
    return f"Process {pid} (`{command}`, into {results})"
