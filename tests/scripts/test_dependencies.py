"""Each dependency has a lowest version; `scripts/dependencies` refuses unknown words."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

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


TOOL = """#!/bin/sh
echo "$(basename "$0") $*" >> "$ASKED"
[ "$(basename "$0")" != pip-audit ] || exit "$AUDIT_ENDS"
"""


@pytest.mark.parametrize("ends", [0, 1])
def test_the_audit_fails_where_a_package_cannot_be_looked_up(tmp_path: Path, ends: int) -> None:
    """Its tools are stand-ins here, which write down what they are asked for."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "dependencies", tmp_path / "scripts" / "dependencies")
    for tool in ("python", "pip-licenses", "cyclonedx-py", "pip-audit"):
        executable(tmp_path / "build" / "tools" / "bin" / tool)
    executable(tmp_path / "scripts" / "setup")
    variables = os.environ | {"ASKED": str(tmp_path / "asked"), "AUDIT_ENDS": str(ends)}
    done = subprocess.run([tmp_path / "scripts" / "dependencies", "audit"], env=variables, check=False)
    assert done.returncode == ends
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[0] for line in asked] == [
        "python", "setup", "pip-licenses", "cyclonedx-py", "pip-audit",
    ]  # fmt: skip
    assert {"--strict", "constraints.txt"} <= set(asked[-1].split())
    assert "-o build/sbom.json" in asked[-2]


def executable(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TOOL)
    path.chmod(0o755)


@pytest.mark.parametrize("words", [[], ["oldest"], ["audit", "tests"]])
def test_unknown_words_are_refused_with_the_known_ones(words: list[str]) -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "dependencies", *words], text=True, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: scripts/dependencies ")
    assert len(done.stderr.splitlines()) == 1
