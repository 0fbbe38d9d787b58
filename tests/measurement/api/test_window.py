"""What a window and a meter promise to the program around them, on a machine without a GPU."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest

import bench
from bench.core.energy_result import MIN_WINDOWS
from bench.errors import MeterError, UsageError
from tests.measurement.api.conftest import CPU_J, RAM_J
from tests.support.processes import wait_until

pytestmark = pytest.mark.usefixtures("without_gpu")


@pytest.fixture
def meter() -> Iterator[bench.Meter]:
    with bench.Meter(unit="page", idle_seconds=0) as running:
        yield running


def test_estimated_window_is_the_sum_of_its_domains(meter: bench.Meter) -> None:
    with meter.window(units=4) as window:
        pass
    assert (window.scope, window.kind, window.valid) == ("host", "estimated", True)
    assert window.energy_j == CPU_J + RAM_J
    assert window.energy_per_unit_j == (CPU_J + RAM_J) / 4
    assert window.duration_s > 0
    assert "15 J" in repr(window)


def test_net_is_without_what_idle_drew() -> None:
    with bench.measure(units=2, unit="page", idle_seconds=1) as window:
        pass
    assert window.net_j == pytest.approx(CPU_J + RAM_J - (CPU_J + RAM_J) * window.duration_s, rel=0.2)
    assert window.net_per_unit_j == pytest.approx((window.net_j or 0) / 2)


def test_without_idle_net_is_absent_with_the_reason(meter: bench.Meter) -> None:
    with meter.window(units=1) as window:
        pass
    assert window.net_j is None
    assert window.net_per_unit_j is None
    assert "idle_seconds=0" in window.absent["net_j"]
    assert "idle_seconds=0" in window.absent["net_per_unit_j"]


# ---- units ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "inside", "after"])
def test_units_may_be_told_before_inside_or_after(meter: bench.Meter, when: str) -> None:
    with meter.window(units=np.int64(5) if when == "before" else None) as window:
        if when == "inside":
            window.units = 5
    if when == "after":
        window.units = 5
    assert window.energy_per_unit_j == (CPU_J + RAM_J) / 5
    assert window.valid


def test_units_never_told_leave_the_joules_and_no_figure(meter: bench.Meter) -> None:
    with meter.window() as window:
        pass
    assert window.energy_j == CPU_J + RAM_J
    assert window.energy_per_unit_j is None
    assert "set `units`" in window.absent["energy_per_unit_j"]
    assert not window.valid
    assert window.reasons == [
        "no units: units were not given; joules per unit cannot be formed. "
        "Give units=, or set `units` of the window."
    ]
    window.units = 0
    assert window.reasons[0].startswith("no units: 0 units were made;")


def test_without_a_unit_the_window_is_one() -> None:
    with bench.measure(idle_seconds=0) as window:
        pass
    assert (window.units, window.unit) == (1.0, "window")
    assert window.energy_per_unit_j == window.energy_j


@pytest.mark.parametrize("units", [-1, float("nan"), float("inf"), "many", "8", True, 10**400, [1]])
def test_what_is_no_count_is_refused(meter: bench.Meter, units: Any) -> None:
    with pytest.raises(UsageError, match="is not a count"):
        meter.window(units=units)
    with meter.window() as window, pytest.raises(UsageError, match="is not a count"):
        window.units = units
    with pytest.raises(UsageError, match="is not a count"):
        bench.measured(units=units)(print_nothing)


# ---- exceptions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no such\n  prompt"),
        UsageError("It is.", "Take another."),
        KeyboardInterrupt(),
        SystemExit(3),
    ],
)
def test_exception_passes_unchanged_and_the_window_is_kept_invalid(
    meter: bench.Meter, error: BaseException
) -> None:
    with pytest.raises(type(error)) as caught, meter.window(units=1) as window:
        raise error
    assert caught.value is error
    assert window.energy_j == CPU_J + RAM_J
    assert not window.valid
    assert f"the work ended with {type(error).__name__}" in window.reasons[0]
    assert "\n" not in window.reasons[0]
    assert not re.search(r"[.:;] ?[.:;]", repr(window))
    with meter.window(units=1) as following:
        pass
    assert following.valid
    result = meter.result()
    assert result.energy_per_unit_j is not None
    assert result.energy_per_unit_j.n == 1
    assert len(result.blocks) == 2


def test_work_that_fails_only_when_it_is_waited_for_is_no_valid_window() -> None:
    calls = []

    def wait() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("an illegal memory access was encountered")

    with bench.Meter(unit="page", idle_seconds=0, synchronise=wait) as meter:
        window = meter.window(units=1)
        with pytest.raises(RuntimeError, match="illegal memory access"), window:
            pass
        assert "RuntimeError: an illegal" in window.reasons[0]
        with meter.window(units=1) as following:
            pass
        assert following.valid


def test_recorder_that_is_killed_costs_the_window_and_ends_the_meter(meter: bench.Meter) -> None:
    with meter.window(units=1):
        running = meter._metering.running
        assert running is not None
    recorder = running.meter_set.recorder
    with meter.window(units=1) as window:
        os.kill(recorder.pid, signal.SIGKILL)
        assert wait_until(lambda: not recorder.alive, timeout_s=5.0)
    assert "the recorder process had ended" in " ".join(window.reasons)
    with pytest.raises(MeterError, match="The recorder process has ended"), meter.window():
        pass
    assert len(meter.result().blocks) == 2


def test_estimate_of_more_than_the_window_is_not_valid(
    meter: bench.Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with meter.window(units=1) as window:
        pass
    assert window.valid
    assert window._metered is not None
    assert window._metered.codecarbon is not None
    monkeypatch.setattr(window._metered.codecarbon, "duration_s", 1.06 * window.duration_s)
    assert window.reasons[0].startswith("short estimate: the estimate covers 6% more time")


# ---- one at a time -------------------------------------------------------------------------------------


def test_nested_window_is_refused_and_the_outer_one_goes_on(meter: bench.Meter) -> None:
    with meter.window(units=1) as outer, pytest.raises(UsageError, match="is open already"), meter.window():
        pass
    assert outer.valid


def test_window_of_another_thread_is_refused(meter: bench.Meter) -> None:
    errors: list[Exception] = []

    def other() -> None:
        try:
            with meter.window():
                pass
        except UsageError as error:
            errors.append(error)

    with meter.window(units=1) as window:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert "is open already" in str(errors[0])
    assert window.valid
    assert len(meter.result().blocks) == 1


def test_window_is_opened_once_and_read_after_its_end(meter: bench.Meter) -> None:
    with meter.window(units=1) as window:
        assert not window.closed
        assert repr(window) == "<Window, not closed>"
        with pytest.raises(UsageError, match="has not ended"):
            _ = window.energy_j
    with pytest.raises(UsageError, match="opened once"), window:
        pass


def test_two_meters_may_be_nested(meter: bench.Meter) -> None:
    with (
        meter.window(units=1) as outer,
        bench.Meter(unit="page", idle_seconds=0) as other,
        other.window(units=1) as inner,
    ):
        pass
    assert inner.valid
    assert outer.valid
    assert outer.duration_s > inner.duration_s


# ---- a meter's life ------------------------------------------------------------------------------------


def started(meter: bench.Meter) -> bool:
    return meter._metering.running is not None


def test_nothing_starts_before_the_first_window_and_results_outlive_the_meter() -> None:
    meter = bench.Meter(unit="page", idle_seconds=0)
    assert meter.result().blocks == []
    assert meter.result().energy_per_unit_j is None
    assert str(meter.result()).startswith("no joules per page (no valid block")
    assert not started(meter)
    with meter.window(units=1):
        pass
    running = meter._metering.running
    assert running is not None
    meter.close()
    assert not running.meter_set.recorder.alive
    assert len(meter.result().blocks) == 1
    with pytest.raises(UsageError, match="This meter is closed"), meter.window():
        pass
    meter.close()


def test_meter_that_is_forgotten_lets_its_recorder_go() -> None:
    meter = bench.Meter(unit="page", idle_seconds=0)
    with meter.window(units=1) as window:
        assert meter._metering.running is not None
        recorder = meter._metering.running.meter_set.recorder
    del meter, window
    assert not recorder.alive


def test_failed_start_leaves_nothing_and_may_be_tried_again() -> None:
    meter = bench.Meter(unit="page", idle_seconds=0, gpus=0)
    for _ in range(2):
        with pytest.raises(UsageError, match="gpus:"), meter.window():
            pass
    assert not started(meter)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"idle_seconds": -1}, "idle_seconds=-1 is not a length of time"),
        ({"idle_seconds": "5"}, "idle_seconds='5' is not a length of time"),
        ({"idle_seconds": True}, "idle_seconds=True is not a length of time"),
        ({"idle_seconds": float("nan")}, "idle_seconds=nan is not a length of time"),
        ({"idle_seconds": 10**400}, r"idle_seconds=10+\.\.\.0+ is not a length of time"),
        ({"synchronise": 3}, "synchronise=3 cannot be called"),
        ({"country": "XXX"}, 'No grid factor is known for "XXX"'),
        ({"country": 3}, "country=3 is not a country"),
        ({"gpus": ""}, "gpus='' names no cards"),
        ({"gpus": "0,"}, "gpus='0,' names no cards"),
        ({"gpus": [0, ""]}, "names no cards"),
        ({"gpus": True}, "gpus=True names no cards"),
        ({"gpus": 1.5}, "gpus=1.5 names no cards"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_before_anything_starts(
    options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        bench.Meter(**options)


def test_a_country_goes_by_its_name_too() -> None:
    with bench.Meter(country="germany", idle_seconds=0) as meter:
        with meter.window():
            pass
        carbon = meter.result().carbon
    assert carbon is not None
    assert carbon.country == "DEU"


def test_enough_windows_make_a_valid_result_that_becomes_json() -> None:
    with bench.Meter(unit="page", idle_seconds=1) as meter:
        for _ in range(MIN_WINDOWS):
            with meter.window(units=2):
                pass
        result = meter.result()
    assert (result.valid, result.reasons, result.scope, result.kind) == (True, [], "host", "estimated")
    assert result.energy_per_unit_j is not None
    assert result.energy_per_unit_j.n == MIN_WINDOWS
    assert result.net_per_unit_j is not None
    assert str(result) == "7.5 J per page (95 %: 7.5 to 7.5), n = 5, host, estimated, ok"
    told = json.loads(json.dumps(result.as_dict()))
    assert told["schema"] == "joulebench/energy/1"
    assert bench.EnergyResult.model_validate(told) == result
    assert repr(result) == f"<EnergyResult {result}>"


# ---- functions -----------------------------------------------------------------------------------------


def test_each_call_of_a_function_is_a_window() -> None:
    @bench.measured(units=len, unit="word", idle_seconds=0)
    def write(text: str, *, times: int) -> list[str]:
        """Write it."""
        return [text] * times

    assert write("a", times=3) == ["a"] * 3
    write("a", times=5)
    assert [block.units for block in write.meter.result().blocks] == [3, 5]
    assert write.__wrapped__("a", times=1) == ["a"]
    assert len(write.meter.result().blocks) == 2
    assert (write.__doc__, write.meter.unit) == ("Write it.", "word")


def print_nothing() -> None: ...


def test_a_function_is_measured_without_parentheses_too() -> None:
    @bench.measured
    def write(text: str) -> str:
        return text

    assert write.meter.unit == "window"
    assert not started(write.meter)
    for given in (8, len):
        with pytest.raises(UsageError, match="for units"):
            bench.measured(given)  # type: ignore[arg-type]


def nothing(_returned: str) -> None: ...


@pytest.mark.parametrize(
    ("units", "said"),
    [
        (nothing, "counting the units of what was returned: units=None is not a count; joules"),
        (lambda text: len(text) / 0, "counting the units of what was returned: ZeroDivisionError"),
    ],
)
def test_a_count_that_fails_costs_the_window_and_not_what_was_made(units: Any, said: str) -> None:
    @bench.measured(units=units, idle_seconds=0)
    def write(text: str) -> str:
        return text

    assert write("a page") == "a page"
    (block,) = write.meter.result().blocks
    assert (block.valid, block.units) == (False, None)
    assert said in block.reasons[0]


def test_methods_and_their_exceptions() -> None:
    class Painter:
        @bench.measured(units=1, unit="image", idle_seconds=0)
        def paint(self, prompt: str) -> str:
            if not prompt:
                raise ValueError(prompt)
            return prompt

    painter = Painter()
    assert painter.paint("a cat") == "a cat"
    with pytest.raises(ValueError, match=r"^$"):
        painter.paint("")
    assert [block.valid for block in Painter.paint.meter.result().blocks] == [True, False]


def test_what_returns_before_its_work_is_done_is_refused() -> None:
    async def coroutine() -> None: ...

    def generator() -> Iterator[int]:
        yield 1

    async def both() -> AsyncIterator[int]:
        yield 1

    for function in (coroutine, generator, both):
        with pytest.raises(UsageError, match="returns before its work is done"):
            bench.measured()(function)
