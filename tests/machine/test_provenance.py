"""Where a record comes from: the commit, also without a checkout, and the environment of its worker."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.core.provenance import CodeVersion
from bench.errors import EngineError
from bench.machine import provenance, source_stamp
from bench.worker.messages import Generate, Generated
from bench.worker.process import WorkerProcess
from tests.support.processes import ROOT

COMMIT = CodeVersion(commit="822c6c5a", dirty=False)
DEPRIORITIZED = "TORCH_CUDNN_SDPA_DEPRIORITIZED"


@pytest.fixture
def travelled(tmp_path: Path) -> Iterator[Path]:
    """A copy of the package's sources without `.git`."""
    shutil.copytree(ROOT / "bench" / "meters", tmp_path / "bench")
    provenance.git.cache_clear()
    yield tmp_path
    provenance.git.cache_clear()


def test_files_without_git_have_the_commit_that_their_stamp_holds(travelled: Path) -> None:
    assert provenance.git(travelled).absent == {"commit": source_stamp.OUTSIDE}
    source_stamp.write(travelled, COMMIT)
    provenance.git.cache_clear()
    assert provenance.git(travelled) == COMMIT


@pytest.mark.parametrize("change", ["another line", "another file", "a file less"])
def test_a_stamp_of_other_sources_gives_no_commit(travelled: Path, change: str) -> None:
    source_stamp.write(travelled, COMMIT)
    package = travelled / "bench"
    if change == "another line":
        (package / "recorder.py").write_text("# changed\n", encoding="utf-8")
    elif change == "another file":
        (package / "data.yaml").write_text("a: 1\n", encoding="utf-8")
    else:
        (package / "recorder.py").unlink()
    found = source_stamp.read(travelled)
    assert (found.commit, found.absent["commit"]) == (None, source_stamp.OTHER_SOURCES)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"sources": 1}'])
def test_a_damaged_stamp_is_a_reason(travelled: Path, text: str) -> None:
    (travelled / source_stamp.FILE).write_text(text, encoding="utf-8")
    found = source_stamp.read(travelled)
    assert found.commit is None
    assert found.absent["commit"] in (source_stamp.DAMAGED, source_stamp.OTHER_SOURCES)


def test_caches_of_an_interpreter_do_not_change_the_digest(travelled: Path) -> None:
    before = source_stamp.digest(travelled)
    (travelled / "bench" / "__pycache__").mkdir(exist_ok=True)
    (travelled / "bench" / "__pycache__" / "a.pyc").write_bytes(b"1")
    assert source_stamp.digest(travelled) == before


def worker_environment() -> dict[str, str]:
    """The variables that a worker was really started with."""
    with WorkerProcess({}) as child:
        with pytest.raises(EngineError, match="No model is loaded"):
            child.ask(Generate(0, batches=1), Generated)  # it is up
        entries = Path(f"/proc/{child.pid}/environ").read_text(encoding="utf-8").split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


@pytest.mark.parametrize("chosen", [None, "0"])
def test_provenance_names_the_environment_that_a_worker_gets(
    chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DEPRIORITIZED, raising=False)
    if chosen is not None:
        monkeypatch.setenv(DEPRIORITIZED, chosen)
    started_with = worker_environment()
    assert started_with[DEPRIORITIZED] == (chosen or "1"), "what the user has set is left alone"
    told = provenance.collect(["run"], ()).environment
    assert {key: started_with[key] for key in told} == told
    assert told[DEPRIORITIZED] == (chosen or "1")
    assert (DEPRIORITIZED in provenance.surroundings(()).environment) == (chosen is not None)
    assert os.environ.get(DEPRIORITIZED) == chosen


def test_what_git_says_is_decoded_with_replacement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nprintf 'a\\377'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    provenance.git.cache_clear()
    assert provenance.git(tmp_path) == CodeVersion(commit="a\ufffd", dirty=True)
    provenance.git.cache_clear()
