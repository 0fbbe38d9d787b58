"""Projects that have a `bench` of their own, in an environment that has joulebench."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.pytest_plugin.conftest import install
from tests.support.processes import ROOT

PLAIN = """
    from bench.algorithm import ordered

    def test_ordered():
        assert ordered([2, 1]) == [1, 2]
"""
BOTH = """
    from bench.algorithm import ordered

    def test_energy(energy_benchmark):
        energy_benchmark(lambda: ordered([2, 1]), rounds=1, warmup=0)

    def test_ordered():
        assert ordered([2, 1]) == [1, 2]
"""
ALONE = ("-W", "error", "-p", "no:cacheprovider")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a package `bench`, beside an installed joulebench."""
    install(pytester.path, monkeypatch)
    package = pytester.path / "bench"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "algorithm.py").write_text("def ordered(values): return sorted(values)\n")
    return package


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one process", "xdist"])
@pytest.mark.parametrize("folder_first", [True, False], ids=["python -m pytest", "pytest with a conftest"])
def test_its_tests_pass(
    pytester: pytest.Pytester, project: Path, folder_first: bool, workers: tuple[str, ...]
) -> None:
    pytester.makepyfile(PLAIN)
    if folder_first:
        found = pytester.run(sys.executable, "-m", "pytest", *ALONE, *workers)
    else:
        pytester.makeconftest("")
        found = pytester.run(sys.executable, "-P", "-m", "pytest", *ALONE, *workers)
    assert found.ret == 0
    found.assert_outcomes(passed=1)


def test_a_measured_test_names_the_clash_and_the_others_pass(
    pytester: pytest.Pytester, project: Path
) -> None:
    pytester.makepyfile(BOTH)
    found = pytester.run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
    found.assert_outcomes(passed=1, errors=1)
    assert found.ret == 1
    sentence = f"The import name bench belongs to {project} in this project*joulebench watch -- pytest*"
    found.stdout.fnmatch_lines([sentence])


@pytest.mark.parametrize("option", ["--energy-save=x", "--energy-compare"])
def test_an_option_names_the_clash_before_the_first_test(
    pytester: pytest.Pytester, project: Path, option: str
) -> None:
    pytester.makepyfile(PLAIN)
    found = pytester.run(sys.executable, "-m", "pytest", *ALONE, option)
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([f"ERROR: The import name bench belongs to {project} *"])


def test_a_module_of_that_name_is_named_as_well(pytester: pytest.Pytester, project: Path) -> None:
    (project / "__init__.py").unlink()
    (project / "algorithm.py").unlink()
    project.rmdir()
    (pytester.path / "bench.py").write_text("ordered = sorted\n")
    pytester.makepyfile(BOTH.replace("bench.algorithm", "bench"))
    found = pytester.run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
    found.assert_outcomes(passed=1, errors=1)
    found.stdout.fnmatch_lines([f"The import name bench belongs to {pytester.path / 'bench.py'} in *"])


def test_a_folder_without_init_that_python_passes_over_is_explained(
    pytester: pytest.Pytester, project: Path
) -> None:
    """A package of site-packages comes before a namespace package, whatever the order of the path."""
    (project / "__init__.py").unlink()
    pytester.makepyfile(PLAIN)
    found = pytester.run(sys.executable, "-m", "pytest", *ALONE)
    assert found.ret == pytest.ExitCode.INTERRUPTED
    found.stdout.fnmatch_lines(
        [f"The import name bench means joulebench here ({ROOT / 'bench'}).*with an __init__.py in it*"]
    )


def test_a_missing_module_of_another_name_is_not_explained(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(pytester.path, monkeypatch)
    pytester.makepyfile("import benchmarks_that_are_not_there")
    found = pytester.run(sys.executable, "-m", "pytest", *ALONE)
    assert found.ret == pytest.ExitCode.INTERRUPTED
    found.stdout.no_fnmatch_line("*import name bench*")
