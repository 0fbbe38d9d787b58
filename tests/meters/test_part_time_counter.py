"""A counter whose sensor looks a quarter of the time and holds what it saw until its next look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.meters.nvml import Nvml
from bench.meters.publishing_delay import Delay, Delays, ObservedStart, delay_of
from scripts.accuracy import moving
from scripts.accuracy.meters import OURS
from scripts.accuracy.waves import ROOM_S, Counter, Scene, stepped
from tests.standin import StandIn

WINDOWS, WARM_UP = 60, 8
PERIOD_S, SHARE = 0.1, 0.25


def steady(seconds: float) -> Scene:
    return Scene(stepped([(-ROOM_S - 30, 70.0), (0.0, 400.0), (seconds, 70.0)]), seconds)


@pytest.mark.slow
@pytest.mark.parametrize("tick_s", [0.02, 0.1])
def test_windows_are_right_on_average(tick_s: float, standin: StandIn, tmp_path: Path) -> None:
    """Which looks fall into a window is chance; a plain difference is short by 3.6 and 7.5 % on average."""
    standin.attach()
    rng = np.random.default_rng(5)
    ours: list[float] = []
    with Nvml() as nvml:
        run = moving.Run(nvml, tmp_path / "samples.bin", (WINDOWS + WARM_UP) * (3 * ROOM_S + 2), rng)
        for number in range(-WARM_UP, WINDOWS):
            scene = steady(rng.uniform(1.0, 1.1))
            origin_s = -ROOM_S - 1.0 - rng.uniform(0, PERIOD_S)
            counter = Counter(
                scene.power, tick_s, rng.uniform(0, tick_s), 0.0, SHARE, PERIOD_S, origin_s, True
            )
            error = run.errors(scene, counter)[OURS]
            assert error is not None
            ours += [error] if number >= 0 else []
    assert np.mean(ours) == pytest.approx(0, abs=0.01)
    assert np.std(ours) < 0.035


def test_starts_that_scatter_over_the_sensors_period_are_shown_within_it() -> None:
    starts = [ObservedStart(late_s, late_s + 0.02) for late_s in (0.004, 0.018, 0.032, 0.046, 0.06, 0.075)]
    delay = delay_of(starts, 0.02)
    assert (delay.seconds, delay.starts) == (0.0, 0)
    assert 0.075 < delay.scatter_s < 0.1
    assert delay.latest_s == delay.scatter_s


def test_starts_that_scatter_stand_over_a_calibrated_delay() -> None:
    """A calibration over many steps finds the mean of a delay that differs from step to step."""
    delays = Delays(0.04)
    for number, late_s in enumerate((0.004, 0.018, 0.032, 0.046, 0.06, 0.075)):
        delays.learn(number, ObservedStart(late_s, late_s + 0.02), 0.02)
    found = delays.as_mapping()
    assert found["scatter_s"] == delays.now.scatter_s > 0.06
    assert found["how"] == "starts scatter as a part-time sensor's do"
    assert found["known"] is False


def test_starts_that_agree_do_not_scatter() -> None:
    starts = [ObservedStart(late_s, late_s + 0.1) for late_s in (0.049, 0.05, 0.051, 0.05, 0.052)]
    assert delay_of(starts, 0.1) == Delay(0.05, 0.002, 5)
