"""Sessions of pytest within a test: in this process beside planted joules, or in one of their own."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import scipy.special  # noqa: F401 - a session within puts sys.modules back, and numpy cannot be loaded twice

import bench
import joulebench_pytest
from tests.measurement.api.conftest import quick, with_gpus
from tests.pytest_plugin.planted import Truth, plant
from tests.support.processes import ROOT

__all__ = ["quick", "with_gpus"]

Session = Callable[..., pytest.RunResult]

ALONE = ("-p", "no:joulebench", "-p", "no:cacheprovider")
"""The plugin may be installed, too: only the one of this checkout shall count."""


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest-benchmark would take the sessions within for workers of the one around them."""
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def truth(monkeypatch: pytest.MonkeyPatch) -> Iterator[Truth]:
    """Planted joules in place of a meter."""
    yield from plant(monkeypatch)


@pytest.fixture
def session(pytester: pytest.Pytester) -> Session:
    """Run the tests of the folder in this process."""

    def run(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess(*ALONE, *arguments, plugins=[joulebench_pytest])

    return run


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this checkout an installed one for processes that start now: its metadata beside its code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = folder / "site" / f"joulebench-{bench.__version__}.dist-info"
    info.mkdir(parents=True)
    entries = "".join(f"{name} = {target}\n" for name, target in project["entry-points"]["pytest11"].items())
    (info / "entry_points.txt").write_text(f"[pytest11]\n{entries}")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: joulebench\nVersion: {bench.__version__}\n")
    monkeypatch.setenv("PYTHONPATH", f"{info.parent}:{ROOT}")
