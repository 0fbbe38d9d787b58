"""The pytest plugin's entry: options, marker and fixture, without an import of `bench`.

pytest imports this module in every project of an environment that has joulebench, and such a project may have
a package `bench` of its own. So `bench` is imported only where a test asks for energy or an option does, and
only where that name means the package beside this file; otherwise one sentence names the other one.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bench.pytest_plugin.measuring import Benchmark, EnergyBenchmark
    from bench.pytest_plugin.session import EnergySession

FIXTURE = "energy_benchmark"
NOT_MEASURED = "energy_not_measured"
"""Name of a report's property with the reason; it also reaches us from the processes of pytest-xdist."""
NO_BENCHMARK = "energy_benchmark needs pytest-benchmark: pip install pytest-benchmark"
PACKAGE = Path(__file__).resolve().parent / "bench"
CLASH = (
    "The import name bench belongs to {other} in this project, so joulebench cannot be imported beside it. "
    'Measure the tests from outside with "joulebench watch -- pytest", or rename that package.'
)

MISSED = ("No module named 'bench.", "from 'bench'")
"""Python's words for what a package `bench` lacks."""

MEANS_US = (
    f"The import name bench means joulebench here ({PACKAGE}). Put the folder of your own bench on the path, "
    "with an __init__.py in it: pytest's option pythonpath, or python -m pytest."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the terminal."""
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
    """Register the marker and the fixture; open the session at once where an option needs it."""
    config.addinivalue_line(
        "markers",
        "energy(budget_j=None, per='call', **options): joules that a unit may take, what the unit is called, "
        "and options of bench.Meter.",
    )
    entry = _Entry(config)
    config.pluginmanager.register(entry, "energy-entry")
    # Asked by an option, because pytest-benchmark can be loaded under more than one name.
    present = config.getoption("benchmark_disable", None) is not None
    config.pluginmanager.register(
        _Fixture(entry) if present else _FixtureWithoutBenchmark(), "energy-fixture"
    )
    options = ("energy_save", "energy_compare", "energy_fail")
    if any(config.getoption(name) not in (None, []) for name in options):
        if clash := name_clash():
            raise pytest.UsageError(clash)
        entry.session()


class _Entry:
    """The session of energy, opened when it is first needed."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._session: EnergySession | None = None

    def session(self) -> EnergySession:
        """Return the session; this imports `bench`, so ask for a clash of names first."""
        if self._session is None:
            from bench.pytest_plugin.session import EnergySession

            self._session = EnergySession(self._config)
            self._config.pluginmanager.register(self._session, "energy-session")
        return self._session

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuse what no test can be measured by; a clash of names is left to the tests that it concerns."""
        asking = [item for item in items if FIXTURE in getattr(item, "fixturenames", ())]
        if asking and not name_clash():
            self.session().check(asking)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect which tests ran without being measured, here and in the workers of xdist."""
        reasons = [str(value) for name, value in report.user_properties if name == NOT_MEASURED]
        if report.when == "call" and reasons:
            self.session().not_measured[report.nodeid] = "; ".join(dict.fromkeys(reasons))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name the clash where a module could not be collected because the name `bench` means joulebench."""
        failed = terminalreporter.stats.get("error", [])
        texts = [str(getattr(report, "longreprtext", "")) for report in failed]
        if any(sign in text for sign in MISSED for text in texts) and not name_clash():
            terminalreporter.write_line(MEANS_US)


class _Fixture:
    """The fixture beside pytest-benchmark."""

    def __init__(self, entry: _Entry) -> None:
        self._entry = entry

    @pytest.fixture
    def energy_benchmark(self, benchmark: Benchmark, request: pytest.FixtureRequest) -> EnergyBenchmark:
        """Measure the joules and the seconds of rounds of a function; see docs/pytest.md."""
        if clash := name_clash():
            pytest.fail(clash, pytrace=False)
        from bench.pytest_plugin.measuring import EnergyBenchmark

        return EnergyBenchmark(benchmark, request.node, self._entry.session())


class _FixtureWithoutBenchmark:
    """The fixture without pytest-benchmark: tests of energy are skipped."""

    @pytest.fixture
    def energy_benchmark(self) -> None:
        """Needs pytest-benchmark; see docs/pytest.md."""
        pytest.skip(NO_BENCHMARK)


def name_clash() -> str | None:
    """Sentence where `import bench` would give, or has given, another package than joulebench's."""
    other = _location()
    return None if Path(other).resolve() == PACKAGE else CLASH.format(other=other)


def _location() -> str:
    """Folder or file that `import bench` means."""
    loaded: Any = sys.modules.get("bench")
    try:
        spec = loaded.__spec__ if loaded else importlib.util.find_spec("bench")
    except ValueError:  # loaded, and without a spec
        spec = None
    folders = list(spec.submodule_search_locations or []) if spec else []
    if folders:
        return str(folders[0])
    return str((spec and spec.origin) or getattr(loaded, "__file__", None) or "a module without a file")
