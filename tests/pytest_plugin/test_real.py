"""Real meters beneath the plugin: a card of known power, a host without one, xdist, an installed plugin."""

from __future__ import annotations

import json

import pynvml
import pytest

from bench.core.energy_result import EnergyResult
from tests.pytest_plugin.conftest import ALONE, Session, install
from tests.standin import Family, StandIn
from tests.support.processes import ROOT

ON_A_CARD = """
    import time, pytest
    from pathlib import Path
    from tests.standin import draw

    def work():
        draw(0, 300.0)
        time.sleep(0.6)
        draw(0, 100.0)
        return ["an image"] * 8

    @pytest.mark.energy(budget_j=30, per="image", gpus="0", idle_seconds=0)
    def test_paint(energy_benchmark):
        energy_benchmark(work, units=len, warmup=0)
        Path("result.json").write_text(energy_benchmark.result.model_dump_json(by_alias=True))
"""
ON_THE_HOST = """
    import time, pytest

    @pytest.mark.energy(gpus=(), idle_seconds=0, per="page", budget_j=1e6)
    def test_write(energy_benchmark):
        energy_benchmark(lambda: time.sleep(0.3), rounds={rounds}, warmup=0)
"""
HEAVY = (
    "numpy",
    "scipy",
    "pydantic",
    "pynvml",
    "codecarbon",
    "psutil",
    "rich",
    "bench.runner",
    "bench.compare",
)


@pytest.mark.slow
def test_joules_of_rounds_are_the_truth(
    pytester: pytest.Pytester, with_gpus: StandIn, session: Session
) -> None:
    pytester.makepyfile(ON_A_CARD)
    found = session("--energy-save=base", "--benchmark-json=b.json")
    assert found.ret == 0, found.stdout.str()
    found.stdout.fnmatch_lines(["*::test_paint*J/image*gpu, measured*valid, within budget"])
    result = EnergyResult.model_validate_json((pytester.path / "result.json").read_text())
    truths_j = [with_gpus.true_energy_j(0, block.start_ns, block.end_ns) for block in result.blocks]
    (domain,) = (name for name in result.blocks[0].energy if name.startswith("gpu:"))
    assert [block.energy[domain].gross_j for block in result.blocks] == pytest.approx(truths_j, rel=0.01)
    assert [block.units for block in result.blocks] == [8.0] * 5
    told = json.loads((pytester.path / "b.json").read_text())
    energy = told["benchmarks"][0]["extra_info"]["energy"]
    assert energy["round_j"] == pytest.approx(sorted(truths_j)[2], rel=0.01)
    seconds = told["benchmarks"][0]["stats"]["median"]
    assert seconds == pytest.approx(energy["round_s"], rel=0.1), "both see the same stretch, rests left out"
    card = told["machine_info"]["energy"]["gpus"][0]
    assert (card["uuid"], "power_limit_w" in card) == (with_gpus.gpu(0).uuid.decode(), True)
    assert told["machine_info"]["energy"]["driver"] == "580.95.05"
    assert list((pytester.path / ".energy").glob("*h200*/0001_base.json"))


def test_without_a_card_it_is_an_estimate_and_says_so(
    pytester: pytest.Pytester, standin: StandIn, quick: None, session: Session
) -> None:
    standin.fail(Family.INIT, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
    standin.attach()
    pytester.makepyfile(ON_THE_HOST.format(rounds=2))
    found = session()
    standin.detach()
    assert found.ret == 3
    found.stdout.fnmatch_lines(
        [
            "*::test_write*J/page*host, *invalid, budget unclear",
            "estimated: CodeCarbon's model*",
            "*::test_write: 2 of 2 windows are valid, 5 are needed.",
            "unclear: *not distinguishable from the budget of 1e+06 J per page.",
        ]
    )


def test_installed_it_is_found_and_costs_nothing_until_it_is_used(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(pytester.path, monkeypatch)
    pytester.makepyfile(
        f"""
        import sys

        def test_nothing_heavy_was_imported(pytestconfig):
            assert pytestconfig.pluginmanager.hasplugin("joulebench")
            assert not [name for name in {HEAVY} if name in sys.modules]
        """
    )
    found = pytester.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider")
    found.assert_outcomes(passed=1)
    found.stdout.no_fnmatch_line("*energy (joulebench)*")


@pytest.mark.slow
def test_installed_it_measures_with_the_real_codecarbon(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(pytester.path, monkeypatch)
    pytester.makepyfile(ON_THE_HOST.format(rounds=5))
    found = pytester.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider")
    assert found.ret == 0, found.stdout.str()
    found.stdout.fnmatch_lines(["*::test_write*J/page*5*host, *valid, within budget"])


def test_beside_other_workers_tests_run_and_nothing_is_measured(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(ON_THE_HOST.format(rounds=5))
    found = pytester.runpytest_subprocess(*ALONE, "-p", "joulebench_pytest", "-n", "1")
    assert found.ret == 0
    found.assert_outcomes(passed=1)
    found.stdout.fnmatch_lines(
        ["*::test_write: not measured: tests are run beside each other by pytest-xdist*"]
    )
    found.stdout.no_fnmatch_line("*J/page*")
