"""A Python that lacks what joulebench needs: one sentence, status 2, and the line that works."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bench import dependencies
from bench.store import results
from tests.cli.conftest import Typed
from tests.support.factory import record
from tests.support.processes import ROOT
from tests.support.sample import save

WITHOUT_PACKAGES = (sys.executable, "-I", "-S", "-c")
"""`-S` leaves out site-packages, and with them everything that pip has installed."""
START = (
    "import sys; sys.path.insert(0, '.'); sys.argv = sys.argv[1:]; from bench.__main__ import main; main()"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the code that no environment knows."""
    folder = tmp_path / "a check out"
    shutil.copytree(ROOT / "bench", folder / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def without_packages(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a Python without packages."""
    return subprocess.run(
        [*WITHOUT_PACKAGES, START, "bench", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.mark.parametrize("arguments", [(), ("list",), ("--help",), ("run", "two words", "--batch", "2")])
def test_one_sentence_and_status_2(checkout: Path, arguments: tuple[str, ...]) -> None:
    done = without_packages(checkout, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    first, *others = done.stderr.splitlines()
    assert not others
    assert first.startswith(f"Error: {sys.executable} does not have the package click. ")
    assert first.endswith("-m pip install --force-reinstall GIT_ADDRESS_OR_WHEEL")


@pytest.mark.parametrize(
    ("package", "extra"), [("altair", "report"), ("vl_convert", "report"), ("ray", "fleet")]
)
def test_a_package_of_an_extra_is_installed_with_that_extra(
    package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with `pip install --upgrade joulebench`, which would leave it missing."""
    monkeypatch.setattr(dependencies, "ROOT", Path("/nowhere"))
    error = dependencies.missing(ModuleNotFoundError(f"No module {package}", name=package), ["charts"])
    assert error is not None
    assert f"does not have the package {package}." in error.message
    assert str(error.remedy).endswith(f"-m pip install 'joulebench[{extra}]'")


def test_with_an_environment_in_the_checkout_the_line_that_works_is_given(checkout: Path) -> None:
    """The line is run, by a shell, with a stand-in for that environment's Python."""
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    done = without_packages(checkout, "list", "two words")
    line = done.stderr.partition("Use the environment of this checkout: ")[2]
    told = subprocess.run(line, shell=True, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["-m", "bench", "list", "two words"]


def test_without_one_it_is_made_first(checkout: Path) -> None:
    setup = checkout / "scripts" / "setup"
    setup.parent.mkdir()
    setup.write_text("")
    assert (
        f"'{setup}' && '{checkout}/.venv/bin/python' -m bench list"
        in without_packages(checkout, "list").stderr
    )


def test_a_package_that_only_a_verb_needs(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: object) -> None:
        import package_that_is_not_there.part  # type: ignore[import-not-found]  # noqa: F401

    monkeypatch.setattr(results, "from_json", lacking)
    done = typed("show", save(tmp_path / "a.json", record()))
    assert done.status == 2
    assert f"{sys.executable} does not have the package package_that_is_not_there." in done.err


@pytest.mark.parametrize("name", ["bench.cli.no_such_verb", "bench", "_sqlite3", None])
def test_what_no_installation_mends_stays_a_fault(name: str | None) -> None:
    assert dependencies.missing(ModuleNotFoundError("...", name=name), []) is None


def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dependencies.old_python() is None
    monkeypatch.setattr(dependencies, "OLDEST", (3, 99))
    error = dependencies.old_python()
    assert error is not None
    assert error.message.startswith("joulebench needs Python 3.99, and ")
    assert error.exit_status == 2


def test_the_oldest_python_is_that_of_the_project() -> None:
    oldest = ".".join(map(str, dependencies.OLDEST))
    assert f'requires-python = ">={oldest},' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


IMPORTED_AS = {"pillow": "PIL", "vl-convert-python": "vl_convert"}
NOT_NAMED_BY_IMPORT = {"protobuf", "setuptools"}
"""Packages that no code of ours imports."""


def test_the_extras_are_those_of_the_project() -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra, names in dependencies.EXTRAS.items():
        wanted = {Requirement(each).name for each in stated["optional-dependencies"][extra]}
        assert set(names) == {IMPORTED_AS.get(name, name) for name in wanted - NOT_NAMED_BY_IMPORT}, extra


@pytest.mark.parametrize(
    ("own_environment", "has_setup", "name", "wanted"),
    [
        (True, True, "quant", "{root}/scripts/setup quant"),
        (True, True, "torchsde", "{root}/scripts/setup audio"),
        (True, True, "run", "{root}/scripts/setup"),
        (False, True, "quant", "{python} -m pip install -c {root}/constraints.txt -e '{root}[quant]'"),
        (False, False, "bitsandbytes", "{python} -m pip install 'joulebench[quant]'"),
        (True, True, "phonemizer", "{python} -m pip install phonemizer"),
    ],
)
def test_the_command_is_that_of_the_way_in_which_this_was_installed(
    own_environment: bool,
    has_setup: bool,
    name: str,
    wanted: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A checkout with its own environment, one in another environment, and an installed package."""
    monkeypatch.setattr(dependencies, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv") if own_environment else "/usr")
    monkeypatch.chdir("/")
    if has_setup:
        (tmp_path / "scripts").mkdir()
        (tmp_path / "scripts" / "setup").write_text("")
    assert dependencies.install_command(name) == wanted.format(root=tmp_path, python=sys.executable)


def test_in_the_checkout_itself_the_script_is_named_as_it_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "setup").write_text("")
    assert dependencies.install_command("quant") == "scripts/setup quant"
