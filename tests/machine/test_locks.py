"""One measurement at a time on a card and on the CPU, whatever folder the results go to."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import PrerequisiteError
from bench.machine.locks import CPU, exclusive_use, holder, shared_folder
from tests.support.processes import ROOT

CARD = "GPU-00000000-0000-4000-8000-000000000000"
OTHER = "GPU-00000000-0000-4000-8000-000000000001"
HOLD = """
import os, sys
from pathlib import Path
from bench.machine.locks import exclusive_use
os.umask(0o077)
with exclusive_use(sys.argv[1:], Path("a folder/'s"), print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """Another process that measures on a card, until its stdin is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, CARD], cwd=ROOT, stdin=-1, stdout=-1, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def refused(*names: str) -> str:
    """What a second measurement is told, and that it says nothing else."""
    with pytest.raises(PrerequisiteError) as caught, exclusive_use(names, Path("results"), pytest.fail):
        pass
    assert caught.value.exit_status == 2
    return str(caught.value)


def notes_of(*names: str) -> list[str]:
    """What a measurement that is let through is told."""
    notes: list[str] = []
    with exclusive_use(names, Path("results"), notes.append):
        pass
    return notes


def test_a_second_one_is_told_who_measures_and_where(other: subprocess.Popen[str]) -> None:
    assert refused(OTHER, CARD) == (
        f"Process {other.pid} (`python -c {CARD}`, into {ROOT}/a folder/'s) is measuring on {CARD}. Two "
        f"measurements spoil each other's figures: wait for it to end (tail --pid={other.pid} -f /dev/null), "
        "or name another card with --gpus."
    )
    assert notes_of(OTHER, CPU) == [], "another card and the CPU are free, also after the refusal"


def test_who_reads_a_lock_learns_no_secret_and_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/planted-ada")
    monkeypatch.setenv("USER", "planted-ada")
    monkeypatch.setenv("HF_TOKEN", "hf_planted0123456789")
    monkeypatch.setattr(socket, "gethostname", lambda: "planted-tower")
    monkeypatch.setattr(sys, "argv", ["bench", "run", "hf_planted0123456789", "/scratch/planted-ada"])
    with exclusive_use([CPU], Path("/home/planted-ada/results-of-planted-tower"), pytest.fail):
        (file,) = shared_folder().iterdir()
        text = file.read_text()
    assert json.loads(text)["results"].startswith("~/results-of-host-")
    assert "planted" not in text
    assert "run *** /scratch/user-" in text


def test_everybody_may_use_the_folder_and_nobody_may_clear_it(other: subprocess.Popen[str]) -> None:
    assert shared_folder().stat().st_mode & 0o7777 == 0o1777
    assert [file.stat().st_mode & 0o777 for file in shared_folder().iterdir()] == [0o666]


def test_the_lock_dies_with_its_process_and_the_file_may_stay(other: subprocess.Popen[str]) -> None:
    assert holder(CARD) is not None
    os.kill(other.pid, signal.SIGKILL)
    assert other.wait(timeout=10) == -signal.SIGKILL
    assert holder(CARD) is None
    assert notes_of(CARD) == []


def test_looking_leaves_nothing_behind() -> None:
    assert holder(CPU) is None
    assert not shared_folder().exists()


@pytest.mark.parametrize("said", ["", "[]", '{"pid": 1}', "\x00\xff", "[" * 4000])
def test_a_holder_that_says_nonsense_is_another_process(said: str) -> None:
    with exclusive_use([CPU], Path("results"), pytest.fail):
        (file,) = shared_folder().iterdir()
        file.write_text(said, encoding="latin-1")
        assert refused(CPU) == (
            "Another process is measuring on the CPU. Two measurements spoil each other's figures: wait for "
            "it to end."
        )


ASK = """
import sys
from pathlib import Path
from bench.errors import PrerequisiteError
from bench.machine.locks import exclusive_use
try:
    with exclusive_use(sys.argv[1:], Path("results"), print):
        print("not refused")
except PrerequisiteError:
    print("refused")
"""


@pytest.mark.parametrize(
    ("windows", "told", "answer"),
    [
        (True, {}, "not refused"),
        (False, {}, "refused"),
        (True, {"started": 1.0}, "refused"),
        (True, {"pid": 1}, "refused"),
        (True, {"windows": "yes"}, "refused"),
    ],
    ids=["a window", "a run", "a process of another start", "a process of another id", "nonsense"],
)
def test_only_a_window_of_the_very_process_around_it_refuses_nothing(
    windows: bool, told: dict[str, object], answer: str
) -> None:
    with exclusive_use([CARD], Path("results"), pytest.fail, windows=windows):
        (file,) = shared_folder().iterdir()
        file.write_text(json.dumps(json.loads(file.read_text()) | told))
        done = subprocess.run(
            [sys.executable, "-c", ASK, CARD], cwd=ROOT, capture_output=True, text=True, check=True
        )
    assert done.stdout == f"{answer}\n"


def test_what_a_holder_says_is_printed_without_control_characters() -> None:
    with exclusive_use([CPU], Path("results"), pytest.fail):
        (file,) = shared_folder().iterdir()
        file.write_text('{"pid": 1, "command": "\\u001b[31m\\n", "results": "%s"}' % ("x" * 500))
        told = refused(CPU)
    assert told.isprintable()
    assert len(told) < 500


def plant(kind: str, folder: Path, elsewhere: Path) -> None:
    """Something that somebody else may have put where the lock goes."""
    if kind == "a folder that is a link":
        folder.symlink_to(elsewhere)
        return
    if kind == "a folder that is a file":
        folder.write_text("")
        return
    folder.mkdir()
    target = elsewhere / "precious"
    target.write_text("precious")
    lock = folder / "the-cpu.lock"
    match kind:
        case "a link":
            lock.symlink_to(target)
        case "a second name":
            lock.hardlink_to(target)
        case "a pipe":
            os.mkfifo(lock)
        case "a folder":
            lock.mkdir()


@pytest.mark.parametrize(
    "kind",
    [
        *("a folder that is a link", "a folder that is a file"),
        *("a link", "a second name", "a pipe", "a folder"),
    ],
)
def test_what_lies_there_is_never_followed_and_refuses_nobody(kind: str, tmp_path: Path) -> None:
    plant(kind, shared_folder(), tmp_path)
    (note,) = notes_of(CPU)
    assert re.fullmatch(r"A second measurement on the CPU at the same time would not be noticed: .+\.", note)
    assert holder(CPU) is None
    assert [file.read_text() for file in tmp_path.iterdir()] in ([], ["precious"])
