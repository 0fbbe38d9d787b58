"""Whole runs with planted secrets and a home: no file that is left, and nothing that is printed, has one."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.main_job.running import environment, run
from tests.support.processes import ROOT

SECRETS = {
    "HF_TOKEN": "hf_plantedplantedplanted",
    "OPENAI_API_KEY": "sk-planted-0123456789",
    "HTTPS_PROXY": "http://planted-user:planted-pass@127.0.0.1:9",
    "MY_SERVICE_PASSWORD": "planted horse staple",
}
HOME = "home-of-planted-ada"
LIMITS = ["--max-seconds", "2", "--block-seconds", "0.3"]
CASE = ["tiny-bloom", "--weights", "random", "--device", "cpu", *LIMITS]
EXPORTS = ("csv", "jsonl", "openmetrics", "codecarbon", "model-card", "github-benchmark", "ai-energy-score")


def variables(tmp_path: Path, fault: str | None = None) -> dict[str, str]:
    (tmp_path / HOME).mkdir(exist_ok=True)
    plain = environment(pretend=True, fault=fault, temporary=tmp_path / "temporary")
    places = {"HOME": str(tmp_path / HOME), "HF_HOME": str(tmp_path / HOME / "hf"), "PYTHONPATH": str(ROOT)}
    return plain | SECRETS | places | {"NO_PROXY": "127.0.0.1"}


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, and every file in an archive of it."""
    for path in (path for path in folder.rglob("*") if path.is_file()):
        yield str(path), path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{path}!{name}", archive.read(name)) for name in archive.namelist())


def planted_in(content: bytes) -> list[str]:
    words = [*SECRETS.values(), "planted-pass", "planted%20horse", HOME]
    return [word for word in words if word.encode() in content]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_file_and_no_output_has_a_secret_or_the_home(tmp_path: Path) -> None:
    results = tmp_path / "results"
    shown: list[str] = []
    for fault in (None, "kill-at:8", "nan-at:1"):
        done = run([*CASE, "--save-outputs", "--debug"], results, variables(tmp_path, fault))
        shown += [done.out, done.err]
    assert len(list(results.glob("*/*.json"))) == 3
    verbs: list[tuple[str, ...]] = [
        ("export", name, str(results), "-o", f"export-{name}") for name in EXPORTS
    ]
    verbs += [
        ("export", "package", str(results), "-o", "package.zip"),
        ("report", "--results", str(results), "-o", "page.html"),
        ("report", "--results", str(results), "--format", "md", "-o", "page.md"),
        ("show", *map(str, results.glob("*/*.json"))),
        ("doctor",),
        ("compare", str(results), str(results), "--debug"),
    ]
    for verb in verbs:
        printed = subprocess.run(
            [sys.executable, "-m", "bench", *verb],
            cwd=tmp_path,
            env=os.environ | variables(tmp_path),
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        shown += [printed.stdout, printed.stderr]
    assert (tmp_path / "package.zip").is_file()
    assert (tmp_path / "page.html").is_file()
    found = {name: words for name, content in contents(tmp_path) if (words := planted_in(content))}
    assert found == {}
    assert planted_in("".join(shown).replace(str(tmp_path / HOME), "~").encode()) == []
