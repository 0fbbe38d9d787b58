"""Sessions of pytest within a test: in this process beside planted joules, or in one of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import scipy.special  # noqa: F401 - a session within puts sys.modules back, and numpy cannot be loaded twice

import joulebench_pytest
from tests.pytest_plugin.planted import Truth, plant
from tests.runner.energy.conftest import quick, with_gpus

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
