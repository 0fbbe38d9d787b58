"""Each dependency has a lowest version; `scripts/dependencies` refuses unknown words."""

from __future__ import annotations

import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.support.processes import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
INSTALLED = [
    *PROJECT["dependencies"],
    *(name for extra, names in EXTRAS.items() if extra != "dev" for name in names),
]


def pins() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    requirements = (Requirement(line.split("#")[0]) for line in lines if line.split("#")[0].strip())
    return {
        pin.name.lower().replace("_", "-"): Version(next(iter(pin.specifier)).version) for pin in requirements
    }


@pytest.mark.parametrize("line", INSTALLED)
def test_each_dependency_has_a_lowest_version_and_holds_the_tested_one(line: str) -> None:
    need = Requirement(line)
    assert [part for part in need.specifier if part.operator == ">="], line
    version = pins().get(need.name.lower())
    assert version is None or need.specifier.contains(version, prereleases=True), line


@pytest.mark.parametrize("words", [[], ["oldest"], ["audit", "tests"]])
def test_unknown_words_are_refused_with_the_known_ones(words: list[str]) -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "dependencies", *words], text=True, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: scripts/dependencies ")
    assert len(done.stderr.splitlines()) == 1
