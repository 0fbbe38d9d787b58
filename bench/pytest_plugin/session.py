"""One session of pytest: looks for the saved one before the first test, saves and judges after the last.

A usage error is found before minutes of measuring; the gate is a line and an exit status, never a traceback.
Here, too, nothing heavy is imported before it is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.core.secrets import masked
from bench.errors import BenchError, UsageError
from bench.pytest_plugin import marker

if TYPE_CHECKING:
    from bench.compare.comparison import ComparisonResult
    from bench.compare.gate import Judgement
    from bench.core.energy_result import SavedSession
    from bench.pytest_plugin.figures import MeasuredTest
    from bench.pytest_plugin.judging import SessionLimit

SEVERAL_PROCESSES = "run beside each other by pytest-xdist, and their joules cannot be separated"
FINISHED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


class EnergySession:
    """Measurements of a session, and their use at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self._save: str | None = config.getoption("energy_save")
        self._storage = config.rootpath / Path(config.getoption("energy_storage"))
        self._limits: tuple[SessionLimit, ...] = ()
        self._before: tuple[SavedSession, Path] | None = None
        self._measured: dict[str, MeasuredTest] = {}
        self.not_measured: dict[str, str] = {}
        self.compared: ComparisonResult | None = None
        self.judgements: list[Judgement] = []
        self.told: list[str] = []
        """Sentences for the end: what was saved, or why not."""
        try:
            self._prepare(config, config.getoption("energy_compare"), config.getoption("energy_fail"))
        except BenchError as error:
            raise pytest.UsageError(masked(str(error))) from error

    def _prepare(self, config: pytest.Config, wanted: str | None, limits: list[str]) -> None:
        """Load what will be compared with. Raises BenchError for what could come to nothing at the end."""
        if (self._save or limits or wanted is not None) and config.getoption("dist", "no") != "no":
            raise UsageError(f"The tests are {SEVERAL_PROCESSES}.", "Use -n 0 with --energy options.")
        if wanted is None and limits:
            raise UsageError("--energy-fail needs a saved session to compare with.", "Add --energy-compare.")
        if wanted is None:
            return
        from bench.pytest_plugin import judging, storage

        self._limits = tuple(map(judging.limit, limits))
        path = storage.find(storage.folder_of(self._storage, storage.machine()), wanted)
        self._before = storage.read(path), path

    @property
    def measured(self) -> list[MeasuredTest]:
        """Measurement of each test, in the order of the tests."""
        return list(self._measured.values())

    def keep(self, measured: MeasuredTest) -> None:
        """Take what a test measured; a test that is run again is what its last run measured."""
        self._measured[measured.test] = measured

    def check(self, items: list[pytest.Item]) -> None:
        """Refuse what no test can be measured by."""
        try:
            marker.check(items)
        except BenchError as error:
            raise pytest.UsageError(masked(str(error))) from error

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Import CodeCarbon before a fixture freezes the time: the import of pandas crashes Python then."""
        config = session.config
        called_once = hasattr(config, "workerinput") or config.getoption("benchmark_disable", True)
        if not (called_once or config.option.collectonly):
            from bench.meters.codecarbon import preload

            preload()

    @pytest.hookimpl(optionalhook=True)
    def pytest_benchmark_update_machine_info(self, machine_info: dict[str, Any]) -> None:
        """Add which cards at which limit and driver, so that pytest-benchmark warns where they differ."""
        from bench.pytest_plugin.storage import machine

        machine_info["energy"] = machine().as_mapping()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Judge, save, and set the exit status to the outcome if the tests themselves passed."""
        if session.exitstatus not in FINISHED or not (self.measured or self._save or self._before):
            return
        from bench.pytest_plugin import judging

        self.judgements += judging.budgets(self.measured)
        if not self.measured and not self._limits:
            self.judgements.append(judging.NOTHING_MEASURED)
        if self._before:
            self.compared = judging.compared(*self._before, self.measured)
            self.judgements += judging.against(self.compared, self._limits)
        session.exitstatus = session.exitstatus or judging.status(self.judgements)
        if self._save is not None:
            session.exitstatus = self._saved(self._save, session.exitstatus)

    def _saved(self, name: str, exit_status: int) -> int:
        """Save what was measured, unless the session did not pass; the exit status after that."""
        from bench.pytest_plugin import storage

        if exit_status or not self.measured:
            why = "the session did not pass" if self.measured else "nothing was measured"
            self.told.append(f"Not saved: {why}.")
            return exit_status
        identity = storage.machine()
        try:
            path = storage.save(storage.folder_of(self._storage, identity), name, identity, self.measured)
        except BenchError as error:
            self.told.append(f"Error: {error}")
            return pytest.ExitCode.USAGE_ERROR
        self.told.append(f"Saved as {path}")
        return 0

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The section `energy`."""
        if self.measured or self.not_measured or self.judgements or self.told:
            from bench.pytest_plugin.terminal import show

            show(self, terminalreporter)
