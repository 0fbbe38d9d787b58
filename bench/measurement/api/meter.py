"""Meter for a program: many windows, and short forms for one window and one function.

    with Meter(unit="image", gpus="0") as meter:
        for batch in batches:
            with meter.window(units=len(batch)):
                pipe(batch)
    meter.result().energy_per_unit_j

Five valid windows make a result with an interval; with fewer it is invalid, with the reason. `measure` is a
meter of one window, `measured` one around every call of a function.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Protocol, Self, SupportsFloat, TypedDict, TypeVar, Unpack, cast, overload

from bench.catalog.grid import country_factor
from bench.core.energy_result import MIN_WINDOWS, EnergyResult
from bench.core.machine import Machine
from bench.core.provenance import Provenance
from bench.errors import UsageError
from bench.measurement.api.metering import GpuSelection, Metering, MeterSettings, RunningMeter
from bench.measurement.api.window import WINDOW, Window, number
from bench.measurement.idle import combine
from bench.stats import uncertainty
from bench.stats.figures import derive

P = ParamSpec("P")
R = TypeVar("R")
Given = ParamSpec("Given")
Returned = TypeVar("Returned", covariant=True)

IDLE_SECONDS = 5.0
LOOKED_ONCE = "a meter looks at idle once, before its first window"


class MeterOptions(TypedDict, total=False):
    """The options of a `Meter`, for the short forms."""

    unit: str
    name: str
    gpus: GpuSelection
    idle_seconds: float
    country: str
    synchronise: Callable[[], object] | None
    results: str | Path


class Meter:
    """Windows of one kind of work, one after the other, and what they come to, in joules per unit.

        with bench.Meter(unit="image", gpus="0") as meter:
            for batch in batches:
                with meter.window(units=len(batch)):
                    pipe(batch)
        print(meter.result())

    `unit` names what is made: `page`, `image`, ... Without it a window is the unit. `name` is what was
    measured: results of one name and unit are compared by `python -m bench compare`.
    `gpus` are the cards to meter by index or UUID: `"0"`, `"0,1"`, `[0, 1]`; `()` for none. Without it:
    the cards that this program computes on when the first window opens, else all that it may use.
    `idle_seconds` is the length of the look at idle before the first window; 0 for none, and then no net.
    `country` (ISO 3166 alpha-3, or its English name) chooses the grid factor for grams of CO2e.
    `synchronise` is called at both edges and must wait until the device is done; without it, torch's cards
    are waited for where torch uses CUDA.
    `results` is the folder that `bench calibrate` keeps what it found in.

    Nothing is started before the first window.
    """

    def __init__(
        self,
        unit: str = WINDOW,
        *,
        name: str | None = None,
        gpus: GpuSelection = None,
        idle_seconds: float = IDLE_SECONDS,
        country: str = "USA",
        synchronise: Callable[[], object] | None = None,
        results: str | Path = "results",
    ) -> None:
        self.unit, self.name = unit, name
        self._metering = Metering(
            MeterSettings(gpus, idle_seconds, _code(country), synchronise, Path(results))
        )
        self._windows: list[Window] = []

    def window(self, units: SupportsFloat | None = None) -> Window:
        """The next window, for a `with` statement; `units` is how much it makes, where that is known."""
        window = Window(self._metering, self.unit, units)
        self._windows.append(window)
        return window

    def beside(self, name: str) -> Meter:
        """Make another meter of the same instruments, for work that takes turns with this one's."""
        other = Meter(self.unit, name=name)
        other._metering = self._metering
        return other

    def result(self) -> EnergyResult:
        """Result of the windows that have ended so far."""
        running = self.running
        blocks = [window.block for window in self._windows if window.closed]
        carbon = running.carbon if running else None
        idle = combine(running.idle, None, LOOKED_ONCE) if running else {}
        figures = derive(blocks, carbon)
        valid = sum(block.valid for block in blocks)
        reasons = list(dict.fromkeys(reason for block in blocks for reason in block.reasons))
        if valid < MIN_WINDOWS:
            reasons.insert(0, f"{valid} of {len(blocks)} windows are valid, {MIN_WINDOWS} are needed.")
        absent = dict(running.absent if running else {}) | figures.absent
        if valid < 2:
            absent["interval"] = "one window has no spread" if valid else "no window is valid"
        if running and running.idle is None and "idle" not in absent:
            absent["idle"] = "it was not measured (idle_seconds=0), so net joules are absent"
        result = EnergyResult(
            status="invalid" if valid < MIN_WINDOWS else "ok",
            reasons=reasons,
            name=self.name,
            unit=self.unit,
            blocks=blocks,
            idle=idle,
            figures=figures,
            carbon=carbon,
            machine=running.machine if running else Machine(),
            provenance=running.provenance if running else Provenance(),
            absent=absent,
        )
        result.figures.uncertainty = uncertainty.of(result)
        return result

    @property
    def running(self) -> RunningMeter | None:
        """The meters themselves, once the first window has opened: to look at while it is open."""
        return self._metering.running

    def close(self) -> None:
        """End the recorder; results stay. A meter that is never closed ends with the program."""
        self._metering.close()

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _code(country: str) -> str:
    """The alpha-3 code of a country that a grid factor is known of. Raises UsageError."""
    if not isinstance(country, str):
        raise UsageError(
            f"country={country!r} is not a country code.", "Use a three-letter code such as USA or DEU."
        )
    return country_factor(country).code


def measure(units: SupportsFloat | None = None, **options: Unpack[MeterOptions]) -> Window:
    """One window with a meter of its own, in joules; takes the options of `Meter`.

        with bench.measure(units=8, unit="image", gpus="0") as window:
            images = pipe(prompts)
        print(window.energy_j, window.energy_per_unit_j)

    One window has no run-to-run spread, so it has no interval: for that, use a `Meter` and several windows.
    """
    meter = Meter(**options)
    return Window(meter._metering, meter.unit, units, closes=True)


def _options() -> list[inspect.Parameter]:
    """The parameters of `Meter`, each by its name."""
    found = inspect.signature(Meter).parameters.values()
    return [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in found]


# Notebooks and `help` show the options in place of `**options`.
vars(measure)["__signature__"] = inspect.Signature(
    [inspect.signature(measure).parameters["units"], *_options()], return_annotation=Window
)


class MeasuredFunction(Protocol[Given, Returned]):
    """A function each call of which is a window of `meter`; `__wrapped__` is the function itself."""

    meter: Meter
    __wrapped__: Callable[..., Any]

    def __call__(self, *args: Given.args, **kwargs: Given.kwargs) -> Returned:
        """Call the function inside a window."""

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Callable[..., Returned]: ...
    def __get__(self, instance: object, owner: type) -> object:
        """The function itself on a class, a method on an object: all of them share the one meter."""


Units = SupportsFloat | Callable[[Any], SupportsFloat]


@overload
def measured(function: Callable[P, R], /) -> MeasuredFunction[P, R]: ...
@overload
def measured(
    *, units: Units | None = None, **options: Unpack[MeterOptions]
) -> Callable[[Callable[P, R]], MeasuredFunction[P, R]]: ...
def measured(
    function: Callable[P, R] | None = None, /, *, units: Units | None = None, **options: Unpack[MeterOptions]
) -> MeasuredFunction[P, R] | Callable[[Callable[P, R]], MeasuredFunction[P, R]]:
    """Make each call of a function one window, with `@bench.measured` or the options of `Meter` behind it.

        @bench.measured(unit="image", units=len)
        def draw(prompts): return pipe(prompts)

    Joules per unit of the calls so far: `draw.meter.result().energy_per_unit_j`.

    `units` is a number, or counts what a call returned, after its window has ended. The results so far are
    `function.meter.result()`; `function.__wrapped__(...)` calls it unmetered, to warm up.
    """

    def decorate(function: Callable[P, R]) -> MeasuredFunction[P, R]:
        _refuse_count(function)
        _refuse_lazy(function)
        if not callable(units) and units is not None:
            number(units)
        meter = Meter(**options)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            with meter.window(None if callable(units) else units) as window:
                returned = function(*args, **kwargs)
            if callable(units):
                window.count(units, returned)
            return returned

        measured_call = cast("MeasuredFunction[P, R]", call)
        measured_call.meter = meter
        return measured_call

    return decorate if function is None else decorate(function)


def _refuse_count(function: object) -> None:
    """`measured(8)` and `measured(len)` mean units."""
    if inspect.isbuiltin(function) or not callable(function):
        raise UsageError(f"bench.measured was given {function!r} to measure.", "Write units=... for units.")


def _refuse_lazy(function: Callable[..., Any]) -> None:
    """A call of these returns before the work is done, so its window would be empty."""
    tests = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    if any(test(function) for test in tests):
        raise UsageError(
            f"{function.__name__} returns before its work is done, so its calls cannot be windows.",
            "Use `with meter.window():` around the work inside it.",
        )
