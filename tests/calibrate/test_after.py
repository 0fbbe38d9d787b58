"""What is found after a load (decay), and beside an outside meter (gain and offset)."""

from __future__ import annotations

import math
import random

import pytest

from bench.calibrate.decay import decay
from bench.calibrate.reference import sensor_line
from bench.core.calibration import LEVELS, Plateau, SensorLine
from bench.errors import UsageError
from bench.meters.gpus import GpuDrivers
from bench.worker.messages import LoadStep
from tests.calibrate.simulated import IDLE_W, WATTS, drive, look
from tests.standin import StandIn

NOW = "2026-01-31T12:00:00Z"


@pytest.mark.parametrize(
    ("fading_w", "fades_s", "counter"), [(40.0, 2.0, True), (60.0, 6.0, True), (15.0, 0.7, False)]
)
def test_how_power_fades_after_a_load_is_found(
    clocked: StandIn, drivers: GpuDrivers, fading_w: float, fades_s: float, counter: bool
) -> None:
    clocked.gpu(0).counter_supported = counter
    driven = drive(clocked, (LoadStep("high", 5.0),))
    end_ns = driven.edges_ns[-1]
    for number in range(1, 500):
        watts = IDLE_W + fading_w * math.exp(-(number - 0.5) * 0.05 / fades_s)
        clocked.load(0, end_ns + round((number - 1) * 0.05e9), watts)
    found = decay(look(clocked, drivers, end_ns + 25_000_000_000, every_s=0.01), end_ns / 1e9)
    assert found is not None
    assert found.time_constant_s == pytest.approx(fades_s, rel=0.1)
    assert found.above_idle_w == pytest.approx(fading_w, rel=0.15)
    assert found.idle_w == pytest.approx(IDLE_W, rel=0.02)


def test_power_that_falls_at_once_has_no_time_constant(clocked: StandIn, drivers: GpuDrivers) -> None:
    driven = drive(clocked, (LoadStep("high", 2.0),))
    found = decay(
        look(clocked, drivers, driven.edges_ns[-1] + 10_000_000_000, 0.01), driven.edges_ns[-1] / 1e9
    )
    assert found is not None
    assert (found.above_idle_w, found.time_constant_s) == (0.0, None)
    assert found.reason == "power fell to idle with the load"
    assert found.idle_w == pytest.approx(IDLE_W, rel=0.01)


def test_too_short_a_look_after_the_load_is_no_decay(clocked: StandIn, drivers: GpuDrivers) -> None:
    driven = drive(clocked, (LoadStep("high", 2.0),))
    looks = look(clocked, drivers, driven.edges_ns[-1] + 500_000_000)
    assert decay(looks, driven.edges_ns[-1] / 1e9) is None


def stretches(gain: float, offset_w: float, seconds: float = 60.0) -> list[Plateau]:
    """What a card reads that errs so."""
    powers = [gain * WATTS[level] + offset_w for level in LEVELS]
    return [
        Plateau(level=level, seconds=seconds, read_j=watts * seconds)
        for level, watts in zip(LEVELS, powers, strict=True)
    ]


def true_j(seconds: float = 60.0) -> list[float]:
    return [WATTS[level] * seconds for level in LEVELS]


@pytest.mark.parametrize(("gain", "offset_w"), [(1.05, 0.0), (0.93, 4.0), (1.0, -2.0)])
def test_gain_and_offset_come_out_of_three_powers(gain: float, offset_w: float) -> None:
    found = sensor_line(stretches(gain, offset_w), true_j(), 0.01, NOW)
    assert found.gain == pytest.approx(gain)
    assert found.offset_w == pytest.approx(offset_w, abs=1e-9)
    assert 0.005 < found.relative_gain_u < 0.015
    assert found.true_w(gain * 300 + offset_w) == pytest.approx(300.0)
    assert (found.spans(100.0), found.spans(2 * found.to_w), found.reason) == (True, False, None)


def test_two_powers_give_gain_and_offset_too() -> None:
    found = sensor_line(stretches(1.05, 3.0)[::2], true_j()[::2], 0.01, NOW)
    assert found.gain == pytest.approx(1.05)
    assert found.offset_w == pytest.approx(3.0)


def test_one_number_for_all_gives_a_gain_alone() -> None:
    found = sensor_line(stretches(1.05, 0.0), [sum(true_j())], 0.01, NOW)
    assert found.gain == pytest.approx(1.05)
    assert (found.offset_w, found.reason) == (None, "one number gives no offset")
    assert not found.spans(200.0)


def test_at_the_wall_the_rest_of_the_machine_drops_out() -> None:
    wall_j = [(joules + 130.0 * 60) / 0.92 for joules in true_j()]
    found = sensor_line(stretches(1.05, 0.0), wall_j, 0.03, NOW, supply_efficiency=0.92)
    assert found.gain == pytest.approx(1.05)
    assert found.offset_w is None
    assert found.reason is not None
    assert "rest of the machine" in found.reason


def test_points_off_the_line_widen_it() -> None:
    straight = sensor_line(stretches(1.05, 0.0), true_j(), 0.01, NOW)
    bent_j = [value * factor for value, factor in zip(true_j(), (1.0, 1.08, 1.0), strict=True)]
    assert sensor_line(stretches(1.05, 0.0), bent_j, 0.01, NOW).gain_u > 2 * straight.gain_u


@pytest.mark.parametrize(
    ("joules", "efficiency", "said"),
    [
        ([1.0, 2.0], None, "2 numbers do not fit 3 stretches. .* in the order of the table, or their sum.$"),
        ([1.0, 2.0], 0.9, "2 numbers do not fit 3 stretches. .* in the order of the table.$"),
        ([1.17, 3.67, 6.67], None, "times what it draws"),
        (
            [20000.0, 20001.0, 20002.0],
            None,
            r"drew 333.3 to 333.4 W, and read 73.5 to 420 W",
        ),
        (
            [280.0, 280.0, 280.0],
            None,
            r"drew 4.667 to 4.667 W, and read .* Give the joules of each stretch .* order of the table.$",
        ),
        ([41400.0], 0.92, "The sum alone .* Give the joules of each stretch .* order of the table.$"),
        (true_j()[::-1], None, "times what it draws"),
    ],
)
def test_numbers_that_cannot_be_are_refused(joules: list[float], efficiency: float | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        sensor_line(stretches(1.05, 0.0), joules, 0.01, NOW, efficiency)


def test_the_lines_own_uncertainty_holds_the_truth() -> None:
    """Meters that err by a factor and from reading to reading, within what they state: 95 % and more."""
    chance = random.Random(5)
    held = 0
    for _ in range(1000):
        gain, offset_w = chance.gauss(1.0, 0.05), chance.uniform(-5, 5)
        common = 1 + chance.uniform(-0.01, 0.01)
        seen_j = [joules * common * (1 + chance.uniform(-0.01, 0.01)) for joules in true_j()]
        found = sensor_line(stretches(gain, offset_w), seen_j, 0.01, NOW)
        held += _holds(found, gain * 250.0 + offset_w, 250.0)
    assert held >= 930


def _holds(found: SensorLine, read_w: float, truth_w: float) -> bool:
    watts = found.true_w(read_w)
    return abs(watts - truth_w) <= 1.96 * watts * found.relative_u(watts)
