"""Disks that fail while a run writes: full, over quota, read-only, removed, slow, or without locks.

Each scene is a whole run in virtual time (`scripts/faults`), whose Nth write meets the fault. A full disk is
a tmpfs of 60 MB that is really full, also for DuckDB; other writes raise what the system would.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.store import results as store
from bench.store import traces
from scripts.faults.machine import Ending, Machine, assert_honest
from tests.standin import StandIn

SIZE = "60m"
"""More than a run asks for before it begins, and filled in a moment."""
SLOW_S = 4.0
RESCUED = "was saved as "
REFUSED, SAVED_ELSEWHERE, KEPT = "refused", "saved elsewhere", "kept"


@dataclass(frozen=True)
class DiskScene:
    """A fault of the results folder's disk, from the run's Nth write on."""

    fault: str
    act: Callable[[Path], None]
    """Called with the results folder at that write, and at later ones where it `lasts`."""
    lasts: bool = True
    needs_mount: bool = False

    def __str__(self) -> str:
        return self.fault


def fill(results: Path) -> None:
    """Fill the disk to the last byte."""
    with contextlib.suppress(OSError), (results / "filler").open("ab", buffering=0) as file:
        while True:
            file.write(bytes(1 << 20))


def remove(results: Path) -> None:
    """Remove everything in the folder, with the folders of its machines."""
    for each in results.iterdir():
        shutil.rmtree(each)


def answer(number: int) -> Callable[[Path], None]:
    """Answer with an error of the system."""

    def act(_results: Path) -> None:
        raise OSError(number, os.strerror(number))

    return act


SCENES = (
    DiskScene("disk is full", fill, needs_mount=True),
    DiskScene("disk turns read-only", answer(errno.EROFS)),
    DiskScene("quota is exceeded", answer(errno.EDQUOT)),
    DiskScene("disk fails at one write", answer(errno.EIO), lasts=False),
    DiskScene("folder is removed", remove, lasts=False),
)


@contextlib.contextmanager
def disk(folder: Path, *, mounted: bool) -> Iterator[Path]:
    """An empty results folder, on a file system of its own where that is asked for. Raises OSError."""
    results = folder / "results"
    results.mkdir()
    if mounted:
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(results)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            raise PermissionError(errno.EPERM, "this user may not mount")
    try:
        yield results
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(results)], check=True)


def play(scene: DiskScene, at_write: int, library: Path, folder: Path) -> str | None:
    """Play a scene and check what it owes; returns how it ended, `None` where there were fewer writes."""
    standin, writes = StandIn(library, folder / "standin.control"), 0
    replacing = store.replacing

    @contextlib.contextmanager
    def watched(path: Path) -> Iterator[Path]:
        nonlocal writes
        if results in path.parents:
            writes += 1
            if writes == at_write or (writes > at_write and scene.lasts):
                scene.act(results)
        with replacing(path) as temporary:
            yield temporary

    (folder / "tmp").mkdir()
    with disk(folder, mounted=scene.needs_mount) as results, pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "replacing", watched)
        patch.setattr(traces, "replacing", watched)
        patch.setattr(tempfile, "tempdir", str(folder / "tmp"))
        with Machine(standin, folder) as machine:
            ending = machine.run()
        outcome = _check(ending, standin, results)
    standin.close()
    return outcome if writes >= at_write else None


def endings(scene: DiskScene, library: Path, folder: Path) -> Iterator[str]:
    """How a run ended for each write at which the disk failed. Raises AssertionError for a broken promise."""
    for at_write in itertools.count(1):
        with tempfile.TemporaryDirectory(dir=folder) as of_trial:
            ending = play(scene, at_write, library, Path(of_trial))
        if ending is None:
            return
        yield ending


def _check(ending: Ending, standin: StandIn, results: Path) -> str:
    """Check a run on a failing disk: its sentence, its status, whole records, nothing half-written."""
    assert_honest(ending, standin)
    if ending.refusal is not None:
        assert ending.status == 2
        assert str(results) in str(ending.refusal)
        return REFUSED
    written = [store.read(path) for path in results.glob("*/*.json")]
    assert all(record.headline() is not None for record in written)
    halves = [path for path in results.rglob("*") if path.name.endswith(".tmp")]
    assert not halves, halves
    if ending.status == 2:
        (sentence,) = [note for note in ending.notes if RESCUED in note]
        saved = Path(sentence.split(RESCUED)[1].split(" instead")[0])
        assert store.read(saved).headline() is not None
        return SAVED_ELSEWHERE
    assert ending.status == 0
    assert len(written) == 1
    return KEPT


def play_slow(library: Path, folder: Path) -> Ending:
    """A run whose every fsync takes `SLOW_S`, which must not get into a window."""
    standin = StandIn(library, folder / "standin.control")
    with Machine(standin, folder) as machine, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: machine.clock.sleep(SLOW_S))
        ending = machine.run()
    assert_honest(ending, standin)
    standin.close()
    return ending


def play_without_locks(library: Path, folder: Path) -> Ending:
    """A run where no file can be locked."""

    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    standin = StandIn(library, folder / "standin.control")
    with Machine(standin, folder) as machine, pytest.MonkeyPatch.context() as patch:
        patch.setattr(fcntl, "flock", refuse)
        ending = machine.run()
    standin.close()
    return ending
