"""The stand-in NVML is an instrument: what it claims is checked here against figures worked out separately.

`seen_mj` below is the sensor once more, independently: it adds up milliseconds, where nvml.c integrates.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pynvml
import pytest

from tests.standin import (
    MAX_GPUS,
    MEMORY_NOT_AVAILABLE,
    NEVER,
    Family,
    StandIn,
    StandInError,
    append_event,
    build,
)
from tests.standin.control import MAX_EVENTS

pytest_plugins = ["tests.standin.fixtures"]

ROOT = Path(__file__).resolve().parent.parent
MS = 1_000_000
S = 1000 * MS


@pytest.fixture
def nvml(standin: StandIn) -> Iterator[StandIn]:
    """The stand-in in place of this process's NVML, initialised, on a clock that only the test moves."""
    standin.use_virtual_clock()
    for i in range(2):
        standin.gpu(i).counter_offset_mj = 0
    standin.attach()
    pynvml.nvmlInit()
    yield standin
    pynvml.nvmlShutdown()


def handle(index: int = 0) -> Any:
    return pynvml.nvmlDeviceGetHandleByIndex(index)


def counter_mj(index: int = 0) -> int:
    return int(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle(index)))


def field(field_id: int, scope: int = 0, index: int = 0) -> Any:
    return pynvml.nvmlDeviceGetFieldValues(handle(index), [(field_id, scope)])[0]


def instant_mw(index: int = 0) -> int:
    return int(field(pynvml.NVML_FI_DEV_POWER_INSTANT, index=index).value.uiVal)


def average_mw(index: int = 0) -> int:
    return int(field(pynvml.NVML_FI_DEV_POWER_AVERAGE, index=index).value.uiVal)


def start(standin: StandIn, code: str) -> subprocess.Popen[str]:
    """A fresh Python that finds the stand-in as its NVML, with pipes to talk to it."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | standin.environment(),
    )


def run(standin: StandIn, code: str) -> str:
    with start(standin, code) as process:
        out, _ = process.communicate(timeout=240)
    assert process.returncode == 0
    return out


# ---- truth ---------------------------------------------------------------------------------------------


def test_wave_energy_is_exact_between_any_two_times(standin: StandIn) -> None:
    standin.gpu(0).base_w = 50.0
    standin.square_wave(0, 350.0, 100 * MS, duty=0.3, phase_ns=20 * MS)

    assert standin.true_energy_j(0, 20 * MS, 120 * MS) == 350 * 0.03 + 50 * 0.07
    assert standin.true_energy_j(0, 30 * MS, 60 * MS) == 350 * 0.02 + 50 * 0.01
    assert standin.true_energy_j(0, 0, 20 * MS) == 50 * 0.02
    assert standin.true_energy_j(0, -80 * MS, -50 * MS) == 350 * 0.03
    assert standin.true_energy_j(0, 0, 86_400 * S) == 86_400 * (350 * 0.3 + 50 * 0.7)
    assert [standin.true_power_w(0, t * MS) for t in (19, 20, 49, 50, 119, 120)] == [
        50,
        350,
        350,
        50,
        50,
        350,
    ]


def test_log_holds_from_each_event_to_the_next(standin: StandIn) -> None:
    standin.gpu(0).base_w = 60.0
    standin.load(0, 10 * S, 300.0)
    standin.load(0, 12 * S, 90.0)
    standin.load(1, 10 * S, 500.0)

    assert [standin.true_power_w(0, t) for t in (10 * S - 1, 10 * S, 12 * S - 1, 12 * S)] == [
        60,
        300,
        300,
        90,
    ]
    assert standin.true_energy_j(0, 8 * S, 15 * S) == 2 * 60 + 2 * 300 + 3 * 90
    assert standin.true_energy_j(0, 11 * S, 12 * S) == 300
    assert standin.true_energy_j(0, 0, 1) == 60e-9
    assert standin.true_energy_j(1, 9 * S, 11 * S) == 70 + 500


def test_log_may_be_written_out_of_order_while_it_is_read(standin: StandIn) -> None:
    events = [(t * S, float(100 + t)) for t in range(400)]
    random.Random(7).shuffle(events)
    for i, (t_ns, watts) in enumerate(events):
        standin.load(0, t_ns, watts)
        if i % 50 == 0:  # makes the library take in what is there so far
            standin.true_energy_j(0, 0, S)

    assert standin.true_energy_j(0, 0, 400 * S) == sum(100 + t for t in range(400))
    standin.load(0, 5 * S, 1000.0)
    assert standin.true_energy_j(0, 5 * S, 6 * S) == 1000, "of two events at one time the last written holds"


def test_cleared_log_starts_again(standin: StandIn) -> None:
    standin.load(0, 0, 300.0)
    assert standin.true_energy_j(0, 0, S) == 300
    standin.clear_load()
    assert standin.true_energy_j(0, 0, S) == 70
    standin.load(0, S, 200.0)
    assert standin.true_energy_j(0, 0, 2 * S) == 270


def test_many_events_are_loaded_at_once(standin: StandIn) -> None:
    standin.load_many(1, np.array([0, 2 * S, 3 * S]), np.array([300.0, 100.0, 70.0]))
    assert standin.true_energy_j(1, 0, 4 * S) == 770
    assert standin.true_energy_j(0, 0, 4 * S) == 280
    with pytest.raises(StandInError, match="log is full"):
        standin.load_many(1, np.arange(MAX_EVENTS), np.zeros(MAX_EVENTS))


# ---- counter -------------------------------------------------------------------------------------------


def test_counter_moves_only_at_ticks(nvml: StandIn) -> None:
    nvml.gpu(0).tick_phase_ns = 30 * MS
    nvml.load(0, 0, 300.0)
    readings = []
    for _ in range(24):
        readings.append(counter_mj())
        nvml.advance_ns(10 * MS)

    first, full = 300 * 30, 300 * 100  # the first tick comes 30 ms after the counter's origin
    assert readings == [0] * 3 + [first] * 10 + [first + full] * 10 + [first + 2 * full]


def test_counter_that_publishes_late_shows_the_same_ticks_so_much_later(nvml: StandIn) -> None:
    nvml.load(0, 0, 300.0)
    nvml.change(0, tick_ns=100 * MS, counter_late_ns=250 * MS)
    nvml.advance_ns(1349 * MS)
    assert counter_mj() == 300_000  # the tick of second 1.0; that of 1.1 is published at 1.35
    nvml.advance_ns(1 * MS)
    assert counter_mj() == 330_000
    nvml.change(0, gain=2.0)
    assert counter_mj() == 330_000
    nvml.advance_ns(100 * MS)
    assert counter_mj() == 390_000


def test_counter_turns_at_the_very_nanosecond(nvml: StandIn) -> None:
    nvml.load(0, 0, 200.0)
    nvml.advance_ns(100 * MS - 1)
    assert counter_mj() == 0
    nvml.advance_ns(1)
    assert counter_mj() == field(pynvml.NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION).value.ullVal == 20_000


def test_counter_counts_what_no_sample_would_show(nvml: StandIn) -> None:
    nvml.load(0, 10 * MS, 700.0)
    nvml.load(0, 13 * MS, 70.0)
    nvml.advance_ns(S)
    assert counter_mj() == 70 * 997 + 700 * 3


@pytest.mark.parametrize("gain", [0.94, 1.0, 1.05, 1.11])
def test_gain_holds_for_every_reading(nvml: StandIn, gain: float) -> None:
    nvml.gpu(0).gain = gain
    nvml.load(0, -10 * S, 300.0)
    nvml.advance_ns(100 * S)
    assert counter_mj() == round(gain * 300 * 100_000)
    assert average_mw() == instant_mw() == pynvml.nvmlDeviceGetPowerUsage(handle()) == round(gain * 300_000)
    assert nvml.true_energy_j(0, 0, 100 * S) == 300 * 100


def test_counter_without_ticks_is_continuous(nvml: StandIn) -> None:
    nvml.gpu(0).tick_ns = 0
    nvml.load(0, 0, 1000.0)
    nvml.advance_ns(123_456_789)
    assert counter_mj() == 123_456


def test_changed_settings_let_the_counter_go_on(nvml: StandIn) -> None:
    nvml.load(0, 0, 100.0)
    nvml.advance_ns(10 * S + 50 * MS)
    before = counter_mj()
    nvml.change(0, gain=1.5, tick_ns=20 * MS)
    assert before == 1_000_000
    nvml.advance_ns(10 * S)
    assert counter_mj() == before + round(1.5 * 100 * 10_040), "the piece after the last tick is not lost"
    with pytest.raises(StandInError, match="rewrite the past"):
        nvml.change(0, base_w=10.0)


def test_changes_do_not_drift(nvml: StandIn) -> None:
    nvml.load(0, 0, 123.4567)
    for i in range(500):
        nvml.advance_ns(77 * MS)
        nvml.change(0, tick_ns=(10 + i % 7) * MS)
    nvml.change(0, tick_ns=0)
    assert abs(counter_mj() - 123.4567 * 500 * 77) <= 1


def test_reset_counter_begins_at_zero(nvml: StandIn) -> None:
    nvml.gpu(0).counter_offset_mj = 5_000_000
    nvml.load(0, 0, 300.0)
    nvml.reset_counter(0, 10 * S + 40 * MS)
    nvml.advance_ns(10 * S)
    assert counter_mj() == 5_000_000 + 3_000_000
    nvml.advance_ns(50 * MS)
    assert counter_mj() == 0
    nvml.advance_ns(50 * MS)
    assert counter_mj() == 300 * 60
    nvml.change(0, gain=2.0)
    nvml.advance_ns(100 * MS)
    assert counter_mj() == 300 * 60 + 2 * 300 * 100


def test_frozen_counter_stands_and_catches_up(nvml: StandIn) -> None:
    nvml.load(0, 0, 300.0)
    nvml.advance_ns(S)
    nvml.freeze_counter(0)
    nvml.advance_ns(S)
    assert counter_mj() == 300_000
    assert instant_mw() == 300_000
    nvml.gpu(0).counter_frozen_ns = NEVER
    assert counter_mj() == 600_000


def test_counter_of_few_bits_wraps(nvml: StandIn) -> None:
    nvml.gpu(0).counter_wraps_mj = 2**18
    nvml.load(0, 0, 300.0)
    nvml.advance_ns(S)
    assert counter_mj() == 300_000 - 2**18


def test_card_without_a_counter(nvml: StandIn) -> None:
    nvml.gpu(1).counter_supported = False
    with pytest.raises(pynvml.NVMLError_NotSupported):
        counter_mj(1)
    values = pynvml.nvmlDeviceGetFieldValues(handle(1), [83, 186])
    assert [value.nvmlReturn for value in values] == [pynvml.NVML_ERROR_NOT_SUPPORTED, 0]
    assert counter_mj(0) == 0


# ---- power readings and the part-time sensor -----------------------------------------------------------


def test_average_trails_by_its_window_and_instant_by_its_period(nvml: StandIn) -> None:
    nvml.load(0, 0, 100.0)
    nvml.load(0, 10 * S, 300.0)
    expected = {
        0: (100, 100),
        99: (100, 100),
        100: (120, 300),
        550: (200, 300),
        900: (280, 300),
        1000: (300, 300),
    }
    nvml.advance_ns(10 * S)
    for after_ms, watts in expected.items():
        nvml.control.virtual_now_ns = 10 * S + after_ms * MS
        assert [average_mw(), instant_mw()] == [1000 * each for each in watts]
        assert pynvml.nvmlDeviceGetPowerUsage(handle()) == average_mw()
    nvml.control.virtual_now_ns = 10 * S + 500 * MS
    nvml.gpu(0).usage_is_instant = True
    assert pynvml.nvmlDeviceGetPowerUsage(handle()) == 300_000


def test_load_in_step_with_a_quarter_time_sensor_misleads(nvml: StandIn) -> None:
    gpu = nvml.gpu(0)
    gpu.seen_share, gpu.base_w = 0.25, 100.0
    nvml.square_wave(0, 500.0, 100 * MS, duty=0.25)
    nvml.advance_ns(3600 * S)
    truth_mj = 200 * 3600 * 1000

    assert counter_mj() == truth_mj, "by default only the readings have the gap"
    assert average_mw() == instant_mw() == 500_000
    gpu.counter_part_time = True
    assert counter_mj() == 2.5 * truth_mj
    gpu.wave_phase_ns = 25 * MS
    assert counter_mj() == 0.5 * truth_mj
    assert average_mw() == instant_mw() == 100_000
    gpu.wave_period_ns = 137 * MS  # out of step: the gap evens out
    assert counter_mj() == pytest.approx(nvml.true_energy_j(0, 0, 3600 * S) * 1e3, rel=1e-3)


def seen_mj(
    power_w: Callable[[int], float], from_ms: int, to_ms: int, period_ms: int, window_ms: int, phase_ms: int
) -> float:
    """What a part-time sensor takes for the energy, added up millisecond by millisecond."""
    total = 0.0
    for t in range(from_ms, to_ms):
        begin = t - (t - phase_ms) % period_ms
        window = range(begin, begin + window_ms)
        total += power_w(t) if t in window else sum(map(power_w, window)) / window_ms
    return total


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("source", ["wave", "log"])
def test_sensor_agrees_with_the_sum_of_milliseconds(nvml: StandIn, source: str, seed: int) -> None:
    draw = random.Random(seed)
    gpu = nvml.gpu(0)
    period, phase, tick = draw.randint(4, 120), draw.randint(0, 200), draw.randint(1, 250)
    window, averaging, now = draw.randint(1, period), draw.randint(1, 1500), draw.randint(1500, 4000)
    gpu.sensor_period_ns, gpu.sensor_phase_ns, gpu.seen_share = period * MS, phase * MS, window / period
    gpu.tick_ns, gpu.averaging_window_ns, gpu.counter_part_time = tick * MS, averaging * MS, True
    gpu.base_w, gpu.gain = 80.0, draw.uniform(0.9, 1.1)
    if source == "wave":
        length, high, shift = draw.randint(2, 90), draw.randint(1, 60), draw.randint(0, 500)
        high = min(high, length)
        nvml.square_wave(0, 450.0, length * MS, high / length, shift * MS)

        def power_w(t: int) -> float:
            return 450.0 if (t - shift) % length < high else 80.0
    else:
        levels = {draw.randint(0, 3500): draw.uniform(50, 700) for _ in range(draw.randint(1, 60))}
        for t, watts in levels.items():
            nvml.load(0, t * MS, watts)

        def power_w(t: int) -> float:
            return levels[max(known)] if (known := [at for at in levels if at <= t]) else 80.0

    power_at = {t: power_w(t) for t in range(-2000, 4200)}.__getitem__
    nvml.advance_ns(now * MS)
    last = now - now % tick
    closed = (last - window - phase) // period * period + phase

    assert counter_mj() == pytest.approx(gpu.gain * seen_mj(power_at, 0, last, period, window, phase), abs=1)
    expected_w = gpu.gain * seen_mj(power_at, last - averaging, last, period, window, phase) / averaging
    assert average_mw() == pytest.approx(1e3 * expected_w, abs=0.51)
    expected_w = gpu.gain * sum(map(power_at, range(closed, closed + window))) / window
    assert instant_mw() == pytest.approx(1e3 * expected_w, abs=0.51)
    gpu.counter_part_time = False
    assert counter_mj() == pytest.approx(gpu.gain * sum(map(power_at, range(last))), abs=1)
    assert nvml.true_energy_j(0, 0, now * MS) == pytest.approx(
        sum(map(power_at, range(now))) / 1e3, rel=1e-12
    )


# ---- fields --------------------------------------------------------------------------------------------


def test_fields_carry_their_own_answer_type_and_time(nvml: StandIn) -> None:
    nvml.advance_ns(10 * S)
    ids = [83, 185, 186, 191, 187, 188, 189, 190, pynvml.NVML_FI_DEV_MEMORY_TEMP]
    values = pynvml.nvmlDeviceGetFieldValues(handle(), ids)
    assert [value.fieldId for value in values] == ids
    assert [value.nvmlReturn for value in values] == [0] * 8 + [pynvml.NVML_ERROR_NOT_SUPPORTED]
    unsigned, wide = pynvml.NVML_VALUE_TYPE_UNSIGNED_INT, pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG
    assert [value.valueType for value in values[:8]] == [wide, unsigned, unsigned, wide, *[unsigned] * 4]
    assert values[0].value.ullVal == values[3].value.ullVal == 700_000
    assert [value.value.uiVal for value in values[4:8]] == [200_000, 700_000, 700_000, 700_000]
    assert {value.timestamp for value in values} == {10_000_000}

    nvml.gpu(0).unsupported_fields[0] = pynvml.NVML_FI_DEV_POWER_INSTANT
    assert field(186).nvmlReturn == pynvml.NVML_ERROR_NOT_SUPPORTED
    assert field(185).nvmlReturn == 0


def test_fields_are_stamped_with_the_wall_clock(nvml: StandIn) -> None:
    nvml.control.virtual_clock = 0
    assert abs(field(186).timestamp / 1e6 - time.time()) < 1


def test_module_scope_and_a_counter_of_the_module(nvml: StandIn) -> None:
    gpu = nvml.gpu(0)
    gpu.base_w, gpu.module_extra_w = 100.0, 40.0
    nvml.advance_ns(10 * S)
    module = pynvml.NVML_POWER_SCOPE_MODULE
    assert field(191, module).nvmlReturn == pynvml.NVML_ERROR_NOT_SUPPORTED
    gpu.module_scope = True
    assert field(191, module).value.ullVal == 1_400_000
    assert field(185, module).value.uiVal == field(186, module).value.uiVal == 140_000
    assert field(191).value.ullVal == counter_mj() == 1_000_000
    gpu.counter_is_module = True
    assert field(83).value.ullVal == counter_mj() == 1_400_000
    assert field(191).value.ullVal == 1_000_000
    assert nvml.true_energy_j(0, 0, 10 * S) == 1000


# ---- trouble -------------------------------------------------------------------------------------------

ONE_CALL_OF: dict[Family, Callable[[], Any]] = {
    Family.INIT: pynvml.nvmlInit,
    Family.HANDLE: pynvml.nvmlDeviceGetCount,
    Family.INFO: pynvml.nvmlSystemGetDriverVersion,
    Family.ENERGY: counter_mj,
    Family.POWER: lambda: pynvml.nvmlDeviceGetPowerUsage(handle()),
    Family.FIELDS: lambda: field(186),
    Family.TEMPERATURE: lambda: pynvml.nvmlDeviceGetTemperature(handle(), 0),
    Family.CLOCKS: lambda: pynvml.nvmlDeviceGetClockInfo(handle(), 1),
    Family.REASONS: lambda: pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle()),
    Family.PROCESSES: lambda: pynvml.nvmlDeviceGetComputeRunningProcesses(handle()),
    Family.MEMORY: lambda: pynvml.nvmlDeviceGetMemoryInfo(handle()),
    Family.LIMITS: lambda: pynvml.nvmlDeviceGetEnforcedPowerLimit(handle()),
    Family.MIG: lambda: pynvml.nvmlDeviceGetMigMode(handle()),
    Family.UTILISATION: lambda: pynvml.nvmlDeviceGetUtilizationRates(handle()),
}


@pytest.mark.parametrize("family", Family)
def test_each_family_fails_after_some_calls_for_some_calls(nvml: StandIn, family: Family) -> None:
    call = ONE_CALL_OF[family]
    before = nvml.calls(family)
    nvml.fail(family, pynvml.NVML_ERROR_TIMEOUT, after=2, times=3)
    outcomes = []
    for _ in range(7):
        try:
            call()
            outcomes.append("ok")
        except pynvml.NVMLError_Timeout:
            outcomes.append("timeout")
    assert outcomes == ["ok"] * 2 + ["timeout"] * 3 + ["ok"] * 2
    assert nvml.calls(family) == before + 7

    nvml.fail(family, pynvml.NVML_ERROR_NO_PERMISSION)
    for _ in range(3):
        with pytest.raises(pynvml.NVMLError_NoPermission):
            call()
    nvml.heal(family)
    call()


@pytest.mark.parametrize("code", [*range(1, 31), 999])
def test_every_error_code_becomes_its_exception(nvml: StandIn, code: int) -> None:
    nvml.fail(Family.POWER, code)
    with pytest.raises(pynvml.NVMLError) as raised:
        pynvml.nvmlDeviceGetPowerUsage(handle())
    assert raised.value.value == code
    assert pynvml.nvmlErrorString(code)


def test_fault_of_one_gpu_leaves_the_other(nvml: StandIn) -> None:
    nvml.fail(Family.ENERGY, pynvml.NVML_ERROR_UNKNOWN, gpu=1)
    assert counter_mj(0) == 0
    with pytest.raises(pynvml.NVMLError_Unknown):
        counter_mj(1)


def test_energy_fault_stands_in_its_field(nvml: StandIn) -> None:
    nvml.fail(Family.ENERGY, pynvml.NVML_ERROR_NO_DATA, times=1)
    nvml.fail(Family.POWER, pynvml.NVML_ERROR_NOT_SUPPORTED, after=1)
    values = pynvml.nvmlDeviceGetFieldValues(handle(), [83, 185, 186])
    assert [v.nvmlReturn for v in values] == [pynvml.NVML_ERROR_NO_DATA, 0, pynvml.NVML_ERROR_NOT_SUPPORTED]


def test_lost_device_answers_nothing_from_its_time_on(nvml: StandIn) -> None:
    lost = handle(1)
    nvml.lose(1, 5 * S)
    nvml.advance_ns(5 * S - 1)
    pynvml.nvmlDeviceGetName(lost)
    nvml.advance_ns(1)
    calls: list[Callable[[], Any]] = [
        lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(lost),
        lambda: pynvml.nvmlDeviceGetFieldValues(lost, [83]),
        lambda: pynvml.nvmlDeviceGetName(lost),
        lambda: pynvml.nvmlDeviceGetTemperature(lost, 0),
        lambda: pynvml.nvmlDeviceGetComputeRunningProcesses(lost),
        lambda: handle(1),
    ]
    for call in calls:
        with pytest.raises(pynvml.NVMLError_GpuIsLost):
            call()
    assert counter_mj(0) == 350_000
    assert pynvml.nvmlDeviceGetCount() == 2
    nvml.gpu(1).lost_ns = NEVER
    assert counter_mj(1) == 350_000


def test_latency_delays_calls_on_its_gpu(nvml: StandIn) -> None:
    slow, quick = handle(0), handle(1)
    nvml.gpu(0).latency_us = 20_000
    nvml.gpu(1).process_latency_us = 30_000

    def took_s(call: Callable[[], Any]) -> float:
        began = time.perf_counter()
        call()
        return time.perf_counter() - began

    assert took_s(lambda: pynvml.nvmlDeviceGetFieldValues(slow, [83, 185, 186])) >= 0.02
    assert took_s(lambda: pynvml.nvmlDeviceGetComputeRunningProcesses(quick)) >= 0.03
    assert min(took_s(lambda: pynvml.nvmlDeviceGetPowerUsage(quick)) for _ in range(5)) < 0.01


def test_unknown_settings_are_errors(standin: StandIn) -> None:
    with pytest.raises(AttributeError, match="no setting 'tick_ms'"):
        standin.gpu(0).tick_ms = 10
    with pytest.raises(StandInError, match="virtual clock"):
        standin.advance_ns(S)
    with pytest.raises(StandInError, match="not one of"):
        standin.load(MAX_GPUS, 0, 1.0)
    with pytest.raises(StandInError, match=f"1 to {MAX_GPUS}"):
        StandIn(standin.library, standin.path.with_name("other"), gpu_count=MAX_GPUS + 1)


# ---- what the card says of itself ----------------------------------------------------------------------


def test_settings_show_through_the_real_pynvml(nvml: StandIn) -> None:
    gpu, h = nvml.gpu(0), handle()
    gpu.name, gpu.temperature_c, gpu.sm_clock_mhz, gpu.memory_clock_mhz = b"NVIDIA Test", 71, 1410, 1215
    gpu.reasons = pynvml.nvmlClocksEventReasonSwPowerCap | pynvml.nvmlClocksEventReasonHwThermalSlowdown
    gpu.power_limit_mw, gpu.utilisation_percent, gpu.memory_utilisation_percent = 450_000, 93, 41
    gpu.memory_used_bytes, gpu.mig_mode, gpu.persistence_mode = 5 * 2**30, 1, 0

    assert pynvml.nvmlDeviceGetName(h) == "NVIDIA Test"
    assert pynvml.nvmlDeviceGetName(handle(1)) == "NVIDIA H200 stand-in"
    assert pynvml.nvmlDeviceGetTemperature(h, pynvml.NVML_TEMPERATURE_GPU) == 71
    assert pynvml.nvmlDeviceGetTemperatureV(h, pynvml.NVML_TEMPERATURE_GPU) == 71
    assert pynvml.nvmlDeviceGetTemperatureThreshold(h, pynvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN) == 87
    assert [pynvml.nvmlDeviceGetClockInfo(h, kind) for kind in range(4)] == [1410, 1410, 1215, 1410]
    assert pynvml.nvmlDeviceGetClock(h, pynvml.NVML_CLOCK_SM, pynvml.NVML_CLOCK_ID_CURRENT) == 1410
    assert pynvml.nvmlDeviceGetMaxClockInfo(h, pynvml.NVML_CLOCK_SM) == 1980
    assert pynvml.nvmlDeviceGetCurrentClocksEventReasons(h) == 0x44
    assert pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(h) == 0x44
    assert pynvml.nvmlDeviceGetSupportedClocksEventReasons(h) == 0x1FF
    assert pynvml.nvmlDeviceGetPowerManagementLimit(h) == 450_000
    assert pynvml.nvmlDeviceGetEnforcedPowerLimit(h) == 450_000
    assert pynvml.nvmlDeviceGetPowerManagementDefaultLimit(h) == 700_000
    assert pynvml.nvmlDeviceGetPowerManagementLimitConstraints(h) == [200_000, 700_000]
    rates = pynvml.nvmlDeviceGetUtilizationRates(h)
    assert (rates.gpu, rates.memory) == (93, 41)
    assert pynvml.nvmlDeviceGetMigMode(h) == [1, 1]
    assert pynvml.nvmlDeviceGetPersistenceMode(h) == 0
    memory, split = pynvml.nvmlDeviceGetMemoryInfo(h), pynvml.nvmlDeviceGetMemoryInfo(h, pynvml.nvmlMemory_v2)
    assert memory.total == memory.used + memory.free == 141 * 2**30
    assert split.used == 5 * 2**30
    assert split.used + split.reserved == memory.used
    gpu.mig_mode = -1
    with pytest.raises(pynvml.NVMLError_NotSupported):
        pynvml.nvmlDeviceGetMigMode(h)
    with pytest.raises(pynvml.NVMLError_NoPermission):
        pynvml.nvmlDeviceSetPowerManagementLimit(h, 300_000)
    with pytest.raises(pynvml.NVMLError_FunctionNotFound):
        pynvml.nvmlDeviceGetFanSpeed(h)


def test_identity_of_each_device(nvml: StandIn) -> None:
    for i in range(2):
        h = handle(i)
        uuid, pci = pynvml.nvmlDeviceGetUUID(h), pynvml.nvmlDeviceGetPciInfo(h)
        assert uuid == f"GPU-00000000-0000-4000-8000-00000000000{i}"
        assert (pci.domain, pci.bus, pci.device) == (0, i + 1, 0)
        assert str(pci.busId) == f"00000000:0{i + 1}:00.0"
        for same in (
            pynvml.nvmlDeviceGetHandleByUUID(uuid),
            pynvml.nvmlDeviceGetHandleByPciBusId(f"00000000:0{i + 1}:00.0"),
            pynvml.nvmlDeviceGetHandleByPciBusId(f"0000:0{i + 1}:00.0"),
            pynvml.nvmlDeviceGetHandleBySerial(pynvml.nvmlDeviceGetSerial(h)),
        ):
            assert pynvml.nvmlDeviceGetIndex(same) == i
        assert pynvml.nvmlDeviceGetMinorNumber(h) == i
        assert pynvml.nvmlDeviceGetBoardPartNumber(h) == "900-00000-0000-000"
        assert pynvml.nvmlDeviceGetCudaComputeCapability(h) == (9, 0)
        assert pynvml.nvmlDeviceGetArchitecture(h) == pynvml.NVML_DEVICE_ARCH_HOPPER
        assert pynvml.nvmlDeviceGetBrand(h) == pynvml.NVML_BRAND_NVIDIA
        assert pynvml.nvmlDeviceGetComputeMode(h) == pynvml.nvmlDeviceGetPerformanceState(h) == 0
        assert pynvml.nvmlDeviceGetEccMode(h) == [1, 1]
        assert pynvml.nvmlDeviceGetVbiosVersion(h)
    with pytest.raises(pynvml.NVMLError_NotFound):
        pynvml.nvmlDeviceGetHandleByUUID("GPU-unknown")
    with pytest.raises(pynvml.NVMLError_InvalidArgument):
        handle(2)
    assert pynvml.nvmlSystemGetDriverVersion() == "580.95.05"
    assert pynvml.nvmlSystemGetNVMLVersion() == "13.580.95.05"
    assert pynvml.nvmlSystemGetCudaDriverVersion() == 13000


@pytest.mark.parametrize("version", ["", "_v2", "_v3"])
def test_process_lists(nvml: StandIn, version: str) -> None:
    def listed(kind: str) -> list[tuple[int, int | None]]:
        call = getattr(pynvml, f"nvmlDeviceGet{kind}RunningProcesses{version}")
        return [(process.pid, process.usedGpuMemory) for process in call(handle())]

    assert listed("Compute") == listed("Graphics") == listed("MPSCompute") == []
    compute = {4000 + i: i * 2**20 for i in range(7)} | {4321: MEMORY_NOT_AVAILABLE}
    nvml.set_processes(0, compute, {55: 2**20})
    assert listed("Compute") == [(pid, None if pid == 4321 else used) for pid, used in compute.items()]
    assert listed("Graphics") == [(55, 2**20)]
    nvml.set_processes(0)
    assert listed("Compute") == listed("Graphics") == []
    with pytest.raises(StandInError, match="holds 8, not 9"):
        nvml.set_processes(0, dict.fromkeys(range(9), 0))


# ---- processes, clocks, and the programs that use it ---------------------------------------------------


def test_without_a_control_file_there_is_no_driver(standin: StandIn) -> None:
    code = """
import os, pynvml
path = os.environ.pop("JOULEBENCH_STANDIN")
try:
    pynvml.nvmlInit()
except pynvml.NVMLError_DriverNotLoaded:
    print("not loaded")
try:
    pynvml.nvmlDeviceGetCount()
except pynvml.NVMLError_Uninitialized:
    print("uninitialised")
os.environ["JOULEBENCH_STANDIN"] = path
pynvml.nvmlInit()
print(pynvml.nvmlDeviceGetCount())
pynvml.nvmlShutdown()
try:
    pynvml.nvmlDeviceGetCount()
except pynvml.NVMLError_Uninitialized:
    print("shut down")
"""
    assert run(standin, code).splitlines() == ["not loaded", "uninitialised", "2", "shut down"]


def test_detached_process_has_no_driver_and_its_old_environment(standin: StandIn) -> None:
    names = ("JOULEBENCH_STANDIN", "LD_LIBRARY_PATH", "PATH")
    before = {name: os.environ.get(name) for name in names}
    standin.attach()
    pynvml.nvmlInit()
    assert pynvml.nvmlDeviceGetCount() == 2
    standin.detach()
    assert {name: os.environ.get(name) for name in names} == before
    with pytest.raises(pynvml.NVMLError_DriverNotLoaded):
        pynvml.nvmlInit()


def test_two_processes_see_one_state(standin: StandIn) -> None:
    code = """
import sys, pynvml
from tests.standin import append_event
pynvml.nvmlInit()
handle = pynvml.nvmlDeviceGetHandleByIndex(0)
for line in sys.stdin:
    if line.startswith("load"):
        append_event(None, 0, int(line.split()[1]), 500.0)
    energy_mj = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    print(energy_mj, pynvml.nvmlDeviceGetTemperature(handle, 0), flush=True)
"""
    standin.use_virtual_clock()
    standin.gpu(0).counter_offset_mj = 0
    with start(standin, code) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask(line: str) -> list[int]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(line + "\n")
            process.stdin.flush()
            return [int(word) for word in process.stdout.readline().split()]

        assert ask("read") == [0, 40]
        standin.advance_ns(S)
        standin.gpu(0).temperature_c = 65
        assert ask("read") == [70_000, 65]
        assert ask(f"load {S}") == [70_000, 65]
        standin.advance_ns(S)
        assert ask("read") == [570_000, 65]
        assert standin.true_energy_j(0, 0, 2 * S) == 570
        process.stdin.close()


def test_concurrent_writers_lose_no_event(standin: StandIn) -> None:
    count = 250

    def write_many() -> None:
        for i in range(count):
            append_event(standin.path, 0, i, 1.0)

    code = f"""
from tests.standin import append_event
for i in range({count}):
    append_event(None, 1, i, 1.0)
"""
    with start(standin, code) as process:
        threads = [threading.Thread(target=write_many) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert process.wait(timeout=240) == 0

    events = standin.control.events[: standin.control.event_count]
    assert len(events) == 4 * count
    assert [sum(event.gpu == i for event in events) for i in (0, 1)] == [3 * count, count]
    assert sum(event.t_ns for event in events) == 4 * sum(range(count))


def test_a_forgotten_load_leaves_no_jump_in_the_counter(nvml: StandIn) -> None:
    nvml.load(0, 0, 300.0)
    nvml.load(0, S, 70.0)
    nvml.advance_ns(2 * S + 50 * MS)
    assert counter_mj() == 370_000
    nvml.forget_load()
    assert nvml.control.event_count == 0
    assert counter_mj() == 370_000
    nvml.advance_ns(S)
    assert counter_mj() == 440_000


def test_real_clock_counts_whole_ticks(standin: StandIn) -> None:
    gpu = standin.gpu(0)
    gpu.tick_ns = 10 * MS
    standin.load(0, 0, 400.0)
    standin.attach()
    pynvml.nvmlInit()
    h, readings = handle(), []
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        earliest = time.monotonic_ns()
        mj = pynvml.nvmlDeviceGetTotalEnergyConsumption(h)
        readings.append((earliest, mj, time.monotonic_ns()))
    pynvml.nvmlShutdown()

    first_tick = -(-gpu.counter_origin_ns // gpu.tick_ns) * gpu.tick_ns
    head = standin.true_energy_j(0, gpu.counter_origin_ns, first_tick) * 1e3

    def expected_mj(now: int) -> int:
        return int(gpu.counter_offset_mj + head + (now - first_tick) // gpu.tick_ns * 4000 + 1e-6)

    for earliest, mj, latest in readings:
        if earliest >= first_tick:
            assert expected_mj(earliest) <= mj <= expected_mj(latest)
    assert readings[-1][1] - readings[0][1] >= 15 * 4000
    assert [mj for _, mj, _ in readings] == sorted(mj for _, mj, _ in readings)


def test_codecarbon_measures_the_true_energy(standin: StandIn) -> None:
    code = """
import json, time
from codecarbon import OfflineEmissionsTracker
tracker = OfflineEmissionsTracker(
    country_iso_code="DEU", output_methods=[], measure_power_secs=3600, gpu_ids=[0], tracking_mode="machine",
    allow_multiple_runs=True, log_level="error",
)
tracker.start_task("warm-up")
tracker.stop_task()
begin = time.monotonic_ns()
tracker.start_task("work")
began = time.monotonic_ns()
time.sleep(2)
end = time.monotonic_ns()
data = tracker.stop_task()
print(json.dumps([begin, began, end, time.monotonic_ns(), data.gpu_energy * 3.6e6]))
"""
    standin.gpu(0).tick_ns = 10 * MS
    standin.load(0, 0, 400.0)
    standin.load(1, 0, 650.0)
    begin, began, end, ended, gpu_energy_j = json.loads(run(standin, code).splitlines()[-1])

    # Between the calls and around them: on a busy machine the two bounds move apart, and the claim holds.
    assert gpu_energy_j >= 0.99 * standin.true_energy_j(0, began, end)
    assert gpu_energy_j <= 1.01 * standin.true_energy_j(0, begin, ended)


def test_torch_counts_the_devices_of_the_stand_in(standin: StandIn) -> None:
    pytest.importorskip("torch")
    code = """
import os
os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = "GPU-00000000-0000-4000-8000-000000000001"
import torch.cuda as cuda
print(cuda._raw_device_count_nvml(), cuda._raw_device_uuid_nvml(), cuda._device_count_nvml())
cuda.is_available()
"""
    uuids = [f"GPU-00000000-0000-4000-8000-00000000000{i}" for i in range(2)]
    assert run(standin, code) == f"2 {uuids} 1\n"


def test_build_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StandInError, match="needs a C compiler"):
        build(tmp_path / "library")
