"""The fixture's work: pytest-benchmark's rounds, each within a window of a meter.

`benchmark.pedantic` calls set-up, work and tear-down in turn and times the work alone. The window opens at
the end of the set-up and closes at the beginning of the tear-down, so its rests are outside the time, and
both see the same stretch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from bench.core.energy_result import MIN_WINDOWS, EnergyResult
from bench.core.secrets import masked
from bench.errors import BenchError, UsageError
from bench.measurement.api import Meter, Window
from bench.measurement.api.meter import Units
from bench.measurement.api.work import synchronise_torch
from bench.pytest_plugin.figures import MeasuredTest
from bench.pytest_plugin.marker import METER_OPTIONS, options_of
from bench.pytest_plugin.session import SEVERAL_PROCESSES, EnergySession
from joulebench_pytest import NOT_MEASURED


class Benchmark(Protocol):
    """Documented part of pytest-benchmark's fixture that is used here."""

    extra_info: dict[str, Any]

    @property
    def enabled(self) -> bool:
        """Whether rounds are run at all."""

    def pedantic(
        self,
        target: Callable[..., Any],
        *,
        setup: Callable[[], Any] | None,
        teardown: Callable[..., Any] | None,
        rounds: int = 1,
        warmup_rounds: int = 0,
    ) -> Any:
        """Call set-up, target and tear-down in turn; time the target."""


class EnergyBenchmark:
    """The fixture: call it once a test. `result` then has everything that was measured."""

    def __init__(self, benchmark: Benchmark, node: pytest.Item, session: EnergySession) -> None:
        self._benchmark = benchmark
        self._node = node
        self._session = session
        self.result: EnergyResult | None = None

    def __call__(
        self,
        function: Callable[..., Any],
        *,
        units: Units = 1,
        rounds: int = MIN_WINDOWS,
        warmup: int = 1,
        setup: Callable[[], Any] | None = None,
        teardown: Callable[..., Any] | None = None,
    ) -> Any:
        """Measure `rounds` calls after `warmup` unmetered ones; returns what the last call returned.

        `units` is how much one call makes, or counts it in what the call returned. `setup` may return the
        call's `(args, kwargs)`, which `teardown` is given too; neither is measured. Fails the test, in one
        sentence, where its budget is exceeded or it cannot be measured as asked.
        """
        if not self._benchmark.enabled:
            under_xdist = hasattr(self._node.config, "workerinput")
            reason = f"tests are {SEVERAL_PROCESSES}" if under_xdist else "pytest-benchmark is switched off"
            self._node.user_properties.append((NOT_MEASURED, reason))
            return self._benchmark.pedantic(function, setup=setup, teardown=teardown)
        try:
            options = options_of(self._node)
            unit = options.get("per") or ("call" if units == 1 else "unit")
            given = {name: options[name] for name in METER_OPTIONS if name in options}
            meter = Meter(unit, name=self._node.nodeid, **given)
            synchronise = options.get("synchronise") or synchronise_torch
            with meter, ExitStack() as window:
                turns = Rounds(meter, window, function, units, warmup, rounds, setup, teardown, synchronise)
                returned = self._benchmark.pedantic(
                    turns.work, setup=turns.before, teardown=turns.after, rounds=rounds, warmup_rounds=warmup
                )
        except BenchError as error:
            pytest.fail(masked(str(error)), pytrace=False)
        self._keep(MeasuredTest(self._node.nodeid, meter.result(), options.get("budget_j")))
        return returned

    def _keep(self, measured: MeasuredTest) -> None:
        self.result = measured.result
        self._benchmark.extra_info["energy"] = measured.summary()
        self._node.user_properties.append(("energy", str(measured.result)))
        self._session.keep(measured)
        if measured.budget == "fail":
            pytest.fail(measured.budget_sentence(), pytrace=False)


@dataclass
class Rounds:
    """Functions that pedantic calls in turn; `window` is empty outside a metered round."""

    meter: Meter
    window: ExitStack
    function: Callable[..., Any]
    units: Units
    warmup: int
    rounds: int
    setup: Callable[[], Any] | None
    teardown: Callable[..., Any] | None
    synchronise: Callable[[], object]
    _begun: int = field(default=0, init=False)
    _opened: Window | None = field(default=None, init=False)
    _returned: Any = field(default=None, init=False)

    def before(self) -> Any:
        """The caller's set-up, then the window, unless this is warm-up or a profiler's extra call."""
        arguments = self.setup() if self.setup else None
        if self.warmup <= self._begun < self.warmup + self.rounds:
            self._opened = self.window.enter_context(self.meter.window())
        self._begun += 1
        return arguments

    def work(self, *args: Any, **kwargs: Any) -> Any:
        """The function, until its work is done: else pytest-benchmark would time the queue."""
        self._returned = self.function(*args, **kwargs)
        if inspect.iscoroutine(self._returned) or inspect.isgenerator(self._returned):
            self._returned.close()  # or Python complains of a coroutine that was never awaited
            raise UsageError(
                "The function returned before its work was done.",
                "Give energy_benchmark a function that runs the coroutine or generator to its end.",
            )
        self.synchronise()
        return self._returned

    def after(self, *args: Any, **kwargs: Any) -> None:
        """Close the window, count what was made, then the caller's tear-down."""
        self.window.close()
        if self._opened is not None:
            self._opened.units = self.units(self._returned) if callable(self.units) else self.units
        self._opened = self._returned = None
        if self.teardown is not None:
            self.teardown(*args, **kwargs)
