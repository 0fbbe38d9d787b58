"""Two runs never measure into one folder at once, and a dead one never blocks the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import PrerequisiteError
from bench.store.machine_folder import MachineFolder

ROOT = Path(__file__).parents[2]

HOLD = """
import sys, time
from pathlib import Path
from bench.store.machine_folder import MachineFolder
with MachineFolder(Path(sys.argv[1]), "m"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder until its stdin is closed."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def refused(folder: Path) -> str:
    """What a second run into the folder is told."""
    with pytest.raises(PrerequisiteError) as caught:
        MachineFolder(folder, "m").__enter__()
    assert caught.value.exit_status == 2
    return str(caught.value)


def test_a_second_run_is_told_which_process_measures(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    assert refused(tmp_path) == (
        f"Another run (process {holder.pid}) is measuring into {tmp_path}/m. "
        "Two runs on one machine spoil each other's figures: wait for it to end."
    )


def test_a_refused_run_leaves_the_holders_lock_alone(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    assert refused(tmp_path) == refused(tmp_path)
    assert (tmp_path / "m" / ".lock").read_text() == f"{holder.pid}\n"


def test_the_lock_dies_with_a_killed_process(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    assert holder.wait(timeout=10) == -signal.SIGKILL
    assert (tmp_path / "m" / ".lock").exists()
    with MachineFolder(tmp_path, "m"):
        assert (tmp_path / "m" / ".lock").read_text() == f"{os.getpid()}\n"


def test_the_lock_is_given_back_at_the_end(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    assert holder.stdin is not None
    holder.stdin.close()
    assert holder.wait(timeout=10) == 0
    with MachineFolder(tmp_path, "m"):
        pass


def test_a_second_run_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with MachineFolder(tmp_path, "m"):
        assert f"(process {os.getpid()})" in refused(tmp_path)
    with MachineFolder(tmp_path, "m"):
        pass


def test_the_lock_is_given_back_when_a_run_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), MachineFolder(tmp_path, "m"):
        raise RuntimeError
    with MachineFolder(tmp_path, "m"):
        pass


def test_another_machines_folder_is_free(tmp_path: Path) -> None:
    with MachineFolder(tmp_path, "one"), MachineFolder(tmp_path, "other"):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


def test_a_lock_without_a_number_says_that_the_holder_is_not_known(tmp_path: Path) -> None:
    with MachineFolder(tmp_path, "m"):
        (tmp_path / "m" / ".lock").write_bytes(b"")
        assert "(process unknown)" in refused(tmp_path)
