"""What is inside a window and what is not, round by round."""

from __future__ import annotations

import inspect

import pytest

from bench.core.energy_result import MIN_WINDOWS
from bench.pytest_plugin.measuring import EnergyBenchmark
from tests.pytest_plugin.conftest import Session
from tests.pytest_plugin.planted import PlantedMeter, Truth


def test_only_the_work_of_metered_rounds_is_in_a_window(
    pytester: pytest.Pytester, truth: Truth, session: Session
) -> None:
    pytester.makepyfile(
        """
        import pytest
        from tests.pytest_plugin.planted import PlantedMeter
        log = PlantedMeter.log.append

        @pytest.mark.energy(synchronise=lambda: log("synchronise"))
        def test_it(energy_benchmark):
            def setup():
                log("setup")
                return (7,), {}
            found = energy_benchmark(
                lambda given: log("work") or given, setup=setup, teardown=lambda given: log("teardown"),
                rounds=2, warmup=1,
            )
            assert found == 7
            assert energy_benchmark.result.energy_per_unit_j.value == pytest.approx(298.5)
        """
    )
    session("--benchmark-cprofile=tottime").assert_outcomes(passed=1)
    warm = ["setup", "work", "synchronise", "teardown"]
    metered = ["setup", "open", "work", "synchronise", "close", "teardown"]
    assert PlantedMeter.log == [*warm, *metered, *metered, *warm], "the profiler's extra call is no round"
    assert truth.closed == 1


def test_work_that_fails_closes_its_window_and_keeps_its_own_traceback(
    pytester: pytest.Pytester, truth: Truth, session: Session
) -> None:
    pytester.makepyfile(
        """
        def test_it(energy_benchmark):
            def work():
                raise ZeroDivisionError("the work's own fault")
            energy_benchmark(work, warmup=0)
        """
    )
    found = session()
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["*raise ZeroDivisionError*"])
    found.stdout.no_fnmatch_line("*energy (joulebench)*")
    assert (PlantedMeter.log, truth.closed) == (["open", "close"], 1)


@pytest.mark.parametrize("lazy", ["async def work(): pass", "def work(): yield 1"])
def test_work_that_is_not_done_on_return_is_refused(
    pytester: pytest.Pytester, truth: Truth, session: Session, lazy: str
) -> None:
    pytester.makepyfile(f"{lazy}\ndef test_it(energy_benchmark):\n    energy_benchmark(work)")
    found = session()
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["The function returned before its work was done*"])


def test_switched_off_it_runs_once_without_a_meter(
    pytester: pytest.Pytester, truth: Truth, session: Session
) -> None:
    pytester.makepyfile("def test_it(energy_benchmark):\n    assert energy_benchmark(lambda: 5) == 5")
    found = session("--benchmark-disable")
    found.assert_outcomes(passed=1)
    found.stdout.fnmatch_lines(["*::test_it: not measured: pytest-benchmark is switched off"])
    assert (PlantedMeter.log, found.ret) == ([], 0)
    session("--benchmark-skip").assert_outcomes(skipped=1)


def test_without_pytest_benchmark_tests_are_skipped(
    pytester: pytest.Pytester, truth: Truth, session: Session
) -> None:
    pytester.makepyfile("def test_it(energy_benchmark):\n    energy_benchmark(print)")
    found = session("-p", "no:benchmark", "-rs")
    found.assert_outcomes(skipped=1)
    found.stdout.fnmatch_lines(["*energy_benchmark needs pytest-benchmark: pip install pytest-benchmark"])


def test_as_many_rounds_as_an_interval_needs() -> None:
    assert inspect.signature(EnergyBenchmark.__call__).parameters["rounds"].default == MIN_WINDOWS
