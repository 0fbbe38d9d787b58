"""Temporary files and folders of killed processes are swept; those of living ones and of others are not."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bench.core.temporary import SAMPLES, WORKER_LOG, owned_file, owned_folder, sweep
from tests.support.processes import ROOT

OWNER = """
import time
from bench.core.temporary import SAMPLES, WORKER_LOG, owned_file, owned_folder
folder, file = owned_folder(SAMPLES), owned_file(WORKER_LOG, ".log")
(folder.path / "samples.bin").write_text("rows")
print("made", flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_has_is_not(temporary: Path) -> None:
    variables = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", OWNER]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline()
        assert sweep() == []
        left = sorted(temporary.iterdir())
        assert len(left) == 2
        owner.kill()
        owner.wait()
    assert sweep() == left
    assert not list(temporary.iterdir())


def test_a_sweep_leaves_alone_what_is_not_this_users_or_has_another_name(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = temporary / "kept"
    kept.mkdir()
    (temporary / f"{SAMPLES}link").symlink_to(kept)
    (temporary / "joulebench-rescued-1").mkdir()
    os.mkfifo(temporary / f"{WORKER_LOG}pipe")
    left = temporary / f"{SAMPLES}left"
    left.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert sweep() == []
    monkeypatch.undo()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    assert sweep() == [left]
    assert len(list(temporary.iterdir())) == 4


def test_an_owner_removes_its_own_and_a_second_time_does_nothing(temporary: Path) -> None:
    for owned in (owned_folder(SAMPLES), owned_file(WORKER_LOG, ".log")):
        assert owned.path.exists()
        owned.remove()
        owned.remove()
    assert not list(temporary.iterdir())
