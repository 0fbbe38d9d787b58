"""Tests that run more than once, and tests whose time is frozen."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.conftest import Session
from tests.pytest_plugin.planted import Truth
from tests.support.processes import ROOT

RUNS_AGAIN = """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        for _ in range(2):  # as pytest-rerunfailures does
            item._initrequest()
            runtestprotocol(item, nextitem=nextitem, log=True)
        return True
"""
TWO_CALLS = """
    import pytest
    from pytest_benchmark.fixture import FixtureAlreadyUsed

    def test_two(energy_benchmark):
        energy_benchmark(lambda: 1, rounds=1, warmup=0)
        with pytest.raises(FixtureAlreadyUsed):
            energy_benchmark(lambda: 2, rounds=1, warmup=0)

    def test_after():
        pass
"""
ONE = """
    import pytest

    UNITS = iter((1.5, 2))

    @pytest.mark.energy(budget_j=250)
    def test_it(energy_benchmark):
        energy_benchmark(lambda: 1, units=next(UNITS))
"""
FROZEN = """
    from unittest import mock
    import pytest

    @pytest.mark.energy(gpus=(), idle_seconds=0)
    def test_frozen(energy_benchmark):
        with mock.patch("time.monotonic_ns", lambda: 1767225600_000000000):
            energy_benchmark(lambda: sum(range(1000)), rounds=1, warmup=0)
"""
LOADED = """
    import sys, pytest

    @pytest.fixture(autouse=True)
    def early():
        assert "pandas" in sys.modules, "an autouse fixture may freeze time, and pandas must be there by then"

    @pytest.mark.energy(gpus=(), idle_seconds=0)
    def test_loaded(energy_benchmark):
        pass
"""
ALONE = ("-p", "no:joulebench", "-p", "no:cacheprovider", "-p", "joulebench_pytest")


@pytest.mark.parametrize("arguments", [("--benchmark-disable",), ("-n", "1")], ids=["disabled", "xdist"])
@pytest.mark.parametrize("source", [TWO_CALLS, "again"], ids=["two calls", "run again"])
def test_two_reasons_of_one_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    again = source == "again"
    if again:
        pytester.makeconftest(RUNS_AGAIN)
        source = TWO_CALLS.replace("with pytest.raises(FixtureAlreadyUsed):", "if False:")
    pytester.makepyfile(source)
    found = pytester.runpytest_subprocess(*ALONE, *arguments)
    assert found.ret == 0
    found.assert_outcomes(passed=4 if again else 2)
    notes = [line for line in found.outlines if "::test_two: not measured: " in line]
    assert len(notes) == 1, "one line for one test, however often the reason came"
    assert "INTERNALERROR" not in found.stdout.str()


def test_a_test_that_runs_again_is_its_last_run(
    pytester: pytest.Pytester, truth: Truth, session: Session
) -> None:
    """The first run's budget must not fail the session, and the table has one line."""
    pytester.makeconftest(RUNS_AGAIN)
    pytester.makepyfile(ONE)
    found = session()
    rows = [line for line in found.outlines if "J/unit" in line and "::test_it" in line]
    assert len(rows) == 1
    assert "150.0 J/unit" in rows[0]


def test_frozen_time_is_refused_in_a_sentence(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(FROZEN)
    found = pytester.runpytest_subprocess(*ALONE)
    assert found.ret == 1
    found.stdout.fnmatch_lines(["Time is frozen or shifted in this program*extend_ignore_list=*"])


def test_what_crashes_under_frozen_time_is_imported_before(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(LOADED)
    found = pytester.runpytest_subprocess(*ALONE)
    found.assert_outcomes(passed=1)
