"""Which sides of `--pair` are checkouts, and what is said of those whose code cannot be run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.catalog.loading import load
from bench.catalog.models import Catalogue
from bench.cli import pairing
from bench.errors import BenchError, PrerequisiteError, UsageError
from bench.worker.checkouts import opened
from tests.support.main_job.running import CATALOGUE

OLD = "# messages of a time before there was a protocol\n"
CRASHING = "raise RuntimeError('this commit does not even import')\n"
OWN = f"#!/bin/sh\necho broken by its own interpreter >&2\nexit 9 # not {sys.executable}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository with one commit on `trunk`, as the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    git("init", "-q", "-b", "trunk")
    checkout(Path(), OLD, room="runner")
    git("add", "-A")
    git("commit", "-q", "-m", "old")
    return tmp_path


def git(*arguments: str) -> str:
    somebody = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    done = subprocess.run(["git", *somebody, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def checkout(folder: Path, messages: str, room: str = "worker") -> None:
    """A `bench` that holds nothing but its messages."""
    package = folder / "bench" / room
    package.mkdir(parents=True)
    for each in (package.parent, package):
        (each / "__init__.py").touch()
    (package / "messages.py").write_text(messages, encoding="utf-8")


def refusal(name: str) -> BenchError:
    with pytest.raises(BenchError) as caught, opened((name, name)):
        pass
    assert caught.value.exit_status == 2
    return caught.value


def test_a_commit_older_than_the_protocol_is_refused_and_not_left_checked_out(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = here / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    said = str(refusal("trunk"))
    assert re.match(
        r"trunk \([0-9a-f]{7}\): Its code is older than this program: its workers speak protocol 0,", said
    )
    assert "compare the records" in said
    assert len(git("worktree", "list").splitlines()) == 1
    assert not list(temporary.iterdir())


def test_a_newer_one_is_refused_too() -> None:
    checkout(Path("later"), "PROTOCOL = 99\n")
    assert "newer than this program: its workers speak protocol 99" in str(refusal("later"))


def test_a_worker_that_crashes_at_its_imports_is_quoted() -> None:
    checkout(Path("broken"), CRASHING)
    said = refusal("broken")
    assert isinstance(said, PrerequisiteError)
    assert "exit status 1" in str(said)
    assert str(said).endswith("Its last words: RuntimeError: this commit does not even import.")


def test_a_checkout_is_run_by_its_own_interpreter_whatever_becomes_of_it() -> None:
    checkout(Path("own"), OLD)
    python = Path("own/.venv/bin/python")
    python.parent.mkdir(parents=True)
    python.symlink_to("nowhere")
    assert "could not be started: [Errno 2]" in str(refusal("own"))
    python.unlink()
    python.write_text(OWN, encoding="utf-8")
    python.chmod(0o755)
    assert str(refusal("own")).endswith("Its last words: broken by its own interpreter.")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("./nowhere", '"./nowhere" is not a folder or a git revision. See `git branch`.'),
        ("empty folder", '"empty folder" is not a checkout of joulebench: it lacks bench/.'),
        ("empty", '"empty" is not a checkout of joulebench: it lacks bench/.'),
        ("loop", '"loop" is not a folder or a git revision. See `git branch`.'),
        ("both", '"both" is both a folder and a git revision. Write ./both for'),
    ],
)
def test_what_is_no_checkout_is_refused_in_one_sentence(name: str, said: str) -> None:
    Path("empty folder").mkdir()
    Path("loop").symlink_to("loop")
    git("branch", "both")
    checkout(Path("both"), OLD)
    tree = git("commit-tree", "-m", "without bench", "4b825dc642cb6eb9a060e54bf8d69288fbee4904").strip()
    git("branch", "empty", tree)
    error = refusal(name)
    assert isinstance(error, UsageError)
    assert str(error).startswith(said)


@pytest.fixture
def catalogue() -> Catalogue:
    return load(CATALOGUE)


@pytest.mark.parametrize(
    ("pair", "checkouts"),
    [
        (("trunk", "."), True),
        (("HEAD~0", "./base"), True),
        (("base", "base"), True),
        (("tiny-bloom", "tiny-bloom,batch=2"), False),
        (("tiny-blom", "smoke"), False),
    ],
)
def test_cases_and_checkouts_are_told_apart(
    catalogue: Catalogue, pair: tuple[str, str], checkouts: bool
) -> None:
    checkout(Path("base"), OLD)
    assert pairing.of_checkouts(catalogue, (), pair, pytest.fail) is checkouts


@pytest.mark.parametrize(
    ("names", "pair", "said"),
    [
        ((), ("trunk", "tiny-bloom"), 'only "trunk" is a checkout. Name cases first'),
        ((), ("trunk", "tiny-blom"), '"tiny-blom" is not a model, a suite, a folder or a git revision'),
        (("tiny-bloom",), ("mian", "typo"), '"mian" is not a model, a suite, a folder or a git revision'),
        ((), ("tiny-bloom", "../base"), '"../base" is not a model, a suite, a folder or a git revision'),
        ((), ("trunk", "--quick"), "only one was named"),
    ],
)
def test_half_a_pair_of_checkouts_is_refused(
    catalogue: Catalogue, names: tuple[str, ...], pair: tuple[str, str], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        pairing.of_checkouts(catalogue, names, pair, pytest.fail)
    assert said in str(caught.value)


def test_a_branch_called_like_a_model_is_named_with_the_way_to_it(catalogue: Catalogue) -> None:
    git("branch", "tiny-bloom")
    notes: list[str] = []
    assert not pairing.of_checkouts(catalogue, (), ("tiny-bloom", "tiny-bloom,batch=2"), notes.append)
    assert notes == [
        '"tiny-bloom" is taken as the case; the folder is ./tiny-bloom, the branch heads/tiny-bloom.'
    ]
    assert pairing.of_checkouts(catalogue, (), ("heads/tiny-bloom", "trunk"), notes.append)
