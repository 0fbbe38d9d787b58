"""A counter whose sensor looks a quarter of the time and holds what it saw until its next look."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bench.meters.gpus import GpuDrivers
from bench.meters.observed_start import ObservedStart
from bench.meters.publishing_delay import Delay, DelayTracker, delay_of
from scripts.accuracy import moving
from scripts.accuracy.meters import OURS
from scripts.accuracy.waves import ROOM_S, Counter, Scene, stepped
from tests.standin import StandIn

WINDOWS, WARM_UP = 60, 8
PERIOD_S, SHARE = 0.1, 0.25


SCATTERED_S = (0.004, 0.018, 0.032, 0.046, 0.06, 0.075)


def steady(seconds: float, after_w: float = 70.0) -> Scene:
    return Scene(stepped([(-ROOM_S - 30, 70.0), (0.0, 400.0), (seconds, after_w)]), seconds)


def starts(*delays_s: float) -> list[ObservedStart]:
    return [ObservedStart(delay_s, delay_s + 0.02) for delay_s in delays_s]


@pytest.mark.slow
@pytest.mark.parametrize(("tick_s", "after_w"), [(0.02, 70.0), (0.1, 70.0), (0.02, 150.0)])
def test_windows_are_right_on_average(
    tick_s: float, after_w: float, standin: StandIn, tmp_path: Path
) -> None:
    """Which looks fall into a window is chance; a plain difference is short by 3.6 to 7.5 % on average."""
    standin.attach()
    rng = np.random.default_rng(5)
    ours: list[float] = []
    with GpuDrivers() as drivers:
        run = moving.Run(drivers, tmp_path / "samples.bin", (WINDOWS + WARM_UP) * (3 * ROOM_S + 2), rng)
        for number in range(-WARM_UP, WINDOWS):
            scene = steady(rng.uniform(1.0, 1.1), after_w)
            origin_s = -ROOM_S - 1.0 - rng.uniform(0, PERIOD_S)
            counter = Counter(
                scene.power, tick_s, rng.uniform(0, tick_s), 0.0, SHARE, PERIOD_S, origin_s, True
            )
            error = run.errors(scene, counter)[OURS]
            assert error is not None
            ours += [error] if number >= 0 else []
    standard_error = float(np.std(ours)) / math.sqrt(WINDOWS)
    assert standard_error < 0.0045
    assert abs(np.mean(ours)) < 2.5 * standard_error


def test_starts_that_scatter_over_the_sensors_period_are_shown_within_it() -> None:
    delay = delay_of(starts(*SCATTERED_S), 0.02)
    assert delay[:4] == (0.0, 0.002, "scatter", 6)
    assert delay.scatter_s == pytest.approx(0.0875)
    assert delay.latest_s == 1.25 * delay.scatter_s


def test_one_start_far_later_than_the_others_is_left_out() -> None:
    delay = delay_of(starts(*SCATTERED_S, 0.16), 0.02)
    assert delay.scatter_s == pytest.approx(0.0875)


def test_a_late_counter_with_a_jitter_is_not_a_part_time_sensor() -> None:
    late = delay_of(starts(0.112, 0.115, 0.12, 0.124, 0.129, 0.12), 0.02)
    assert (late.scatter_s, late.basis) == (0.0, "bounds")
    assert late.seconds == pytest.approx(0.12, abs=0.002)


def test_starts_that_scatter_stand_over_a_calibrated_delay() -> None:
    """A calibration over many steps finds the mean of a delay that differs from step to step."""
    delays, calibrated = DelayTracker(0.04), DelayTracker(0.05)
    for number, start in enumerate(starts(*SCATTERED_S)):
        delays.learn(number, start, 0.02)
    for number, start in enumerate(starts(0.042, 0.058, 0.047, 0.061, 0.04, 0.053)):
        calibrated.learn(number, start, 0.02)
    found = delays.stated()
    assert found.scatter_s == delays.now.scatter_s > 0.06
    assert found.how == "starts scatter as a part-time sensor's do"
    assert found.known is False
    assert calibrated.now == Delay(0.05, 0.004, "calibrated")


def test_starts_that_agree_do_not_scatter() -> None:
    found = [ObservedStart(late_s, late_s + 0.1) for late_s in (0.049, 0.05, 0.051, 0.05, 0.052)]
    assert delay_of(found, 0.1) == Delay(0.05, 0.002, "starts", 5)
