"""`bench run --pair BASE HEAD` of two checkouts, end to end: a commit, and a working tree twice as slow."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from bench.cli import invoke
from bench.core.provenance import CodeVersion
from bench.machine import locks
from tests.standin import StandIn
from tests.support.main_job.metered import IDLE_W, PAD_VARIABLE
from tests.support.main_job.running import environment, finish, start
from tests.support.metering import MS
from tests.support.processes import ROOT, wait_until

MADE = "            batch = engine.generate(prompts, seed=self._seed + at)\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """This code, committed; in the working tree its worker makes every batch twice."""
    folder = tmp_path / "repository"
    for inside in ("bench", "bench/worker"):
        (folder / inside).mkdir(parents=True)
        for entry in (ROOT / inside).iterdir():
            if entry.name not in ("__pycache__", "worker"):
                (folder / inside / entry.name).symlink_to(entry)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "base")
    worker = folder / "bench" / "worker" / "main.py"
    code = worker.read_text(encoding="utf-8")
    assert code.count(MADE) == 1
    worker.unlink()
    worker.write_text(code.replace(MADE, 2 * MADE), encoding="utf-8")
    return folder


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def measure(repository: Path, standin: StandIn, *options: str) -> subprocess.Popen[str]:
    standin.gpu(0).tick_ns = 20 * MS
    standin.load(0, standin.now_ns(), IDLE_W)
    temporary = repository.parent / "tmp"
    temporary.mkdir()
    variables = environment(standin.environment(), pretend=True) | {
        "PYTHONPATH": str(ROOT),
        PAD_VARIABLE: "0.4",
        "TMPDIR": str(temporary),
    }
    asked = ["tiny-bloom", "--weights", "random", "--device", "cpu", "--gpus", "0", *options]
    asked += ["--pair", "HEAD", "."]
    return start(asked, repository.parent / "results", variables, folder=repository)


def nothing_is_left(repository: Path) -> bool:
    left = {each.name for each in (repository.parent / "tmp").iterdir()}
    assert left == {locks.FOLDER}  # the machine's locks are a file each, and stay
    return len(git(repository, "worktree", "list").splitlines()) == 1


@pytest.mark.slow
def test_a_working_tree_that_works_twice_takes_twice_the_joules(
    repository: Path, standin: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    process = measure(repository, standin, "--block-seconds", "0.8", "--max-seconds", "1")
    done = finish(process, repository.parent / "results")
    assert done.status == 0, done.err
    a, b = sorted(done.records, key=lambda record: record.pair.side if record.pair else "")
    assert a.pair is not None
    assert b.pair is not None
    assert a.pair.ratio is not None
    print(f"ratio {a.pair.ratio}, truth 2")
    assert a.pair.ratio.value == pytest.approx(2.0, rel=0.03)
    commit = git(repository, "rev-parse", "HEAD")
    assert f"B: {a.label} at . ({commit[:7]}, changed)" in done.out
    assert b.pair.other == f"{a.label} at HEAD ({commit[:7]})"
    assert a.case.hash == b.case.hash
    assert a.provenance.git == CodeVersion.model_validate(
        {"commit": commit, "dirty": False, "checkout": "HEAD"}
    )
    assert b.provenance.git == CodeVersion.model_validate({"commit": commit, "dirty": True, "checkout": "."})
    assert (
        str(repository.parent / "tmp") not in a.provenance.model_dump_json() + b.provenance.model_dump_json()
    )
    assert nothing_is_left(repository)

    sides = [f"{side}={done.results}@{letter}" for side, letter in (("base", "A"), ("head", "B"))]
    assert invoke(["compare", *sides, "--fail-on", "energy:5%", "--results", str(done.results)]) == 1
    said = capsys.readouterr().out
    assert "measured in turns" in said
    assert "2.0%  worse" in said, "the pair is no measure of what equal things differ by"


def test_ctrl_c_leaves_no_checkout_and_no_process(repository: Path, standin: StandIn) -> None:
    process = measure(repository, standin)
    assert process.stderr is not None
    while "warming up" not in process.stderr.readline():
        assert process.poll() is None
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 3, "the recorder and two workers"
    os.killpg(process.pid, signal.SIGINT)
    assert finish(process, repository.parent / "results").status == 130
    assert wait_until(lambda: not any(child.is_running() for child in children), 10)
    assert nothing_is_left(repository)
