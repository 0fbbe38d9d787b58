"""Joules beside seconds: the fixture `energy_benchmark` for pytest, upon pytest-benchmark's public interface.

    @pytest.mark.energy(budget_j=250, per="page")
    def test_a_page(energy_benchmark):
        energy_benchmark(write_pages, units=4)

    pytest --energy-save=base                                   # .energy/<machine>/0001_base.json
    pytest --energy-compare --energy-fail=median:5%             # exit status 1 where a test became worse

`marker` reads the marker, `measuring` puts a window of `bench.Meter` around each round, `figures` says what
they come to, `storage` saves a session, `judging` sets it against a saved one, `terminal` shows it. pytest
imports this module in every project of an environment that has joulebench: what is heavy is imported when a
test asks for energy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.pytest_plugin.session import Session

if TYPE_CHECKING:
    from bench.pytest_plugin.measuring import Benchmark, EnergyBenchmark

NO_BENCHMARK = "energy_benchmark needs pytest-benchmark: pip install pytest-benchmark"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the terminal."""
    group = parser.getgroup("energy", "energy (joulebench)")
    group.addoption(
        "--energy-save",
        metavar="NAME",
        help="Save the joules of this session in STORAGE/MACHINE/NUMBER_NAME.json.",
    )
    group.addoption(
        "--energy-compare",
        metavar="NUMBER|FILE",
        nargs="?",
        const="",
        help="Compare with a session saved on this machine: the latest, one by number, or any by its file.",
    )
    group.addoption(
        "--energy-fail",
        metavar="LIMIT",
        action="append",
        default=[],
        help="With --energy-compare, end with exit status 1 where a test is worse by more: median:5%%, or "
        "any limit of `python -m bench compare --fail-on`, such as time:3%%. Repeatable.",
    )
    group.addoption(
        "--energy-storage",
        metavar="DIR",
        default=".energy",
        help="Folder of saved sessions, one folder a machine. [default: %(default)s]",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, the session and the fixture."""
    config.addinivalue_line(
        "markers",
        "energy(budget_j=None, per='call', **options): joules that a unit may take, what the unit is called, "
        "and options of bench.Meter.",
    )
    session = Session(config)
    config.pluginmanager.register(session, "energy-session")
    # Asked by an option, because pytest-benchmark can be loaded under more than one name.
    present = config.getoption("benchmark_disable", None) is not None
    config.pluginmanager.register(
        _Fixture(session) if present else _FixtureWithoutBenchmark(), "energy-fixture"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Add which cards at which limit and driver, so that pytest-benchmark warns where they differ."""
    from bench.pytest_plugin.storage import machine

    machine_info["energy"] = machine()


class _Fixture:
    """What there is beside pytest-benchmark."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @pytest.fixture
    def energy_benchmark(self, benchmark: Benchmark, request: pytest.FixtureRequest) -> EnergyBenchmark:
        """Measure the joules and the seconds of rounds of a function; see docs/pytest.md."""
        from bench.pytest_plugin.measuring import EnergyBenchmark

        return EnergyBenchmark(benchmark, request.node, self._session)


class _FixtureWithoutBenchmark:
    """What there is without it: tests of energy are skipped."""

    @pytest.fixture
    def energy_benchmark(self) -> None:
        """Needs pytest-benchmark; see docs/pytest.md."""
        pytest.skip(NO_BENCHMARK)
