"""`scripts/setup` beside a Python that only pretends: what it says meanwhile, and where it cannot write."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import ROOT

PYTHON = """#!/bin/sh
case "$*" in
  *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *"pip install"*)
    mkdir "$TMPDIR/pip-unpack" && head -c 3000000 /dev/zero > "$TMPDIR/pip-unpack/torch"
    until grep -q " MB in .venv" "$SAID"; do /bin/sleep 0.05; done ;;
esac
"""
SLEEP = '#!/bin/sh\necho "$1" > asked; exec /bin/sleep 0.1\n'
"""A sleep that does not take its time."""


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Only what set-up looks at."""
    folder = tmp_path / "checkout"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup", folder / "scripts" / "setup")
    for name in ("pyproject.toml", "constraints.txt"):
        (folder / name).write_text("")
    return folder


def set_up(checkout: Path, *arguments: str) -> tuple[int, str]:
    """Exit status, and what was said."""
    tools = checkout.parent / "tools"
    executable(tools / "sleep", SLEEP)
    said = checkout.parent / "said"
    environment = {
        "PATH": f"{tools}:/usr/bin:/bin",
        "PYTHON": str(executable(tools / "python", PYTHON)),
        "SAID": str(said),
        "HOME": os.environ.get("HOME", "/"),
    }
    with said.open("w") as stream:
        done = subprocess.run(
            [checkout / "scripts" / "setup", *arguments],
            env=environment,
            stderr=stream,
            check=False,
            timeout=120,
        )
    return done.returncode, said.read_text()


def test_it_says_how_far_it_is_each_15_seconds(checkout: Path) -> None:
    status, said = set_up(checkout)
    assert status == 0, said
    (megabytes, *_) = re.findall(r"^  \d+ s: (\d+) MB in \.venv$", said, flags=re.M)
    assert int(megabytes) >= 3, "what is downloaded counts"
    assert (checkout / "asked").read_text() == "15\n"
    assert not (checkout / ".venv" / "tmp").exists()
    assert set_up(checkout) == (0, ""), "nothing is left to do"


def test_a_checkout_that_cannot_be_written_is_one_sentence(checkout: Path) -> None:
    lock = checkout / ".venv.lock"
    lock.mkdir()  # refuses to be written by any user, also by root
    status, said = set_up(checkout, "report")
    assert (status, said.count("\n")) == (2, 1)
    assert said.startswith(f"Error: {checkout} cannot be written by this user, and its .venv does not serve.")
    assert "Let its owner run scripts/setup report, or install" in said
    assert f"pip install -c '{checkout}/constraints.txt' '{checkout}[run,report]'" in said


def test_a_complete_environment_needs_no_lock(checkout: Path) -> None:
    assert set_up(checkout)[0] == 0
    (checkout / ".venv.lock").unlink()
    (checkout / ".venv.lock").mkdir()
    assert set_up(checkout, "base") == (0, "")
