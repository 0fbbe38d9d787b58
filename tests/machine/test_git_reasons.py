"""Why a commit is not known: no git, a checkout of another user, no checkout; and paths of a revision."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.compare.record_names import parse
from bench.compare.record_set import of_name
from bench.errors import UsageError
from bench.machine import provenance, source_stamp
from tests.support.factory import record
from tests.support.sample import save


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a package and a record."""
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "__init__.py").write_text("")
    save(tmp_path / "results" / "m" / "a.json", record())
    for line in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "one")):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=a@b", *line], cwd=tmp_path, check=True)
    provenance.git.cache_clear()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reason(folder: Path) -> str:
    """Why the commit at `folder` is not known."""
    provenance.git.cache_clear()
    found = provenance.git(folder)
    assert found.commit is None
    return found.absent["commit"]


def test_the_reason_is_the_true_one(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(provenance.git(checkout).commit or "") == 40
    with monkeypatch.context() as patch:
        patch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        assert "dubious ownership" in reason(checkout)
        assert "safe.directory" in reason(checkout)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nonexistent")
        assert reason(checkout) == "git is not installed, so the checkout's commit is not known"
    (checkout / ".git").rename(checkout / "elsewhere")
    assert reason(checkout) == source_stamp.OUTSIDE


def test_a_revision_of_a_checkout_that_git_refuses_or_without_git(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        with pytest.raises(UsageError, match="another user owns it"):
            of_name(parse("HEAD:results"))
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UsageError, match="git is not installed"):
        of_name(parse("HEAD:results"))


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        (".", "HEAD:results"),
        (".", "HEAD:./results"),
        (".", "HEAD:./"),
        ("results", "HEAD:results"),
        ("results", "HEAD:./"),
        ("results", "HEAD:./m"),
        ("results/m", "HEAD:../m/a.json"),
        ("results/m", "HEAD:results/m/a.json"),
    ],
)
def test_a_path_of_a_revision_is_read_as_git_show_reads_it(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, folder: str, name: str
) -> None:
    monkeypatch.chdir(checkout / folder)
    assert subprocess.run(["git", "show", name], check=False, capture_output=True).returncode == 0
    source = of_name(parse(name))
    assert (len(source.found), source.problems) == (1, ())
