"""A disk that fails at any write: one sentence, the right status, complete records whole."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from bench.core import temporary
from bench.errors import PrerequisiteError
from bench.store.machine_folder import MachineFolder
from scripts.torture.disks import (
    KEPT,
    REFUSED,
    SAVED_ELSEWHERE,
    SCENES,
    DiskScene,
    play,
    play_slow,
    play_without_locks,
)

FIRST, OF_A_BLOCK, LAST = 1, 3, 9
"""Writes of a run: the probe, that of a block, and the last of its record, once its trace was written."""


@pytest.mark.parametrize("scene", SCENES, ids=str)
@pytest.mark.parametrize(("at_write", "ending"), [(FIRST, REFUSED), (OF_A_BLOCK, None), (LAST, KEPT)])
def test_a_disk_that_fails_at_a_write_loses_no_record(
    scene: DiskScene, at_write: int, ending: str | None, standin_library: Path, tmp_path: Path
) -> None:
    """`scripts/bench-torture disks` plays every write."""
    passing = scene.fault == "disk fails at one write"
    if ending is None:
        ending = KEPT if passing else SAVED_ELSEWHERE
    if at_write == LAST and scene.fault == "folder is removed":
        ending = SAVED_ELSEWHERE
    try:
        assert play(scene, at_write, standin_library, tmp_path) == ending
    except PermissionError:
        pytest.skip("needs the right to mount a file system")


def test_a_disk_that_is_mounted_read_only_is_refused_in_words(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "ro,size=60m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        with pytest.raises(PrerequisiteError, match=r"cannot be written: Read-only file system\."):
            MachineFolder(tmp_path, "m").__enter__()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_slow_disk_gets_into_no_window(standin_library: Path, tmp_path: Path) -> None:
    ending = play_slow(standin_library, tmp_path)
    assert (ending.status, ending.outcome) == (0, "ok")


def test_a_results_folder_without_locks_is_refused_in_words(standin_library: Path, tmp_path: Path) -> None:
    ending = play_without_locks(standin_library, tmp_path)
    assert ending.status == 2
    assert "has no locks, which keep two runs apart: No locks available." in str(ending.refusal)


def test_a_temporary_folder_without_locks_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    owned = temporary.owned_folder(temporary.SAMPLES)
    assert owned.path.is_dir()
    assert temporary.sweep() == [], "whether its owner lives is not known"
    owned.remove()
    assert not owned.path.exists()
