"""Sensors of every kind, found out by the load alone: the stand-in's settings are what must come out."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from bench.calibrate import response
from bench.calibrate.excitation import LONGEST_S, SHORTEST_S, LoadCurve, varied
from bench.meters.fast_samples import FastSamples, tick_s
from bench.meters.gpus import GpuDrivers
from bench.worker.messages import LoadDone, LoadStep
from tests.calibrate.simulated import IDLE_W, varied_load
from tests.standin import StandIn
from tests.support.metering import MS, NAN


def set_sensor(
    standin: StandIn, tick_ms: int, period_ms: int, share: float, average_ms: int = 1000, *, counter: bool
) -> None:
    """Card 0's sensor: what `counter` says is whether the energy counter shares the gap."""
    gpu = standin.gpu(0)
    gpu.tick_ns, gpu.sensor_period_ns = tick_ms * MS, period_ms * MS
    gpu.seen_share, gpu.counter_part_time = share, counter
    gpu.averaging_window_ns = average_ms * MS


@pytest.mark.parametrize(
    ("tick_ms", "period_ms", "share", "seconds"),
    [
        (20, 100, 0.25, 15),
        (20, 20, 0.5, 20),
        (30, 100, 0.25, 20),
        (100, 100, 0.25, 20),
        (100, 100, 0.5, 20),
        (500, 100, 0.25, 45),
    ],
)
def test_a_part_time_counter_is_found_with_its_period(
    clocked: StandIn, drivers: GpuDrivers, tick_ms: int, period_ms: int, share: float, seconds: float
) -> None:
    set_sensor(clocked, tick_ms, period_ms, share, counter=True)
    counter, instant, _ = response.of(*varied_load(clocked, drivers, seconds))
    assert counter is not None
    assert counter.tick_s == pytest.approx(tick_ms / 1e3, rel=0.01)
    assert counter.share_seen == pytest.approx(share, rel=0.1)
    assert counter.sensor_period_s == pytest.approx(period_ms / 1e3, rel=0.01)
    assert counter.unexplained == pytest.approx(0, abs=0.01)
    assert instant is not None
    if tick_ms == 30:
        return  # it is renewed every 90 or 120 ms, so it has no one delay
    assert instant.window_s is not None
    assert instant.window_s == pytest.approx(share * period_ms / 1e3, rel=0.12)
    delay_s = (1 - share) * period_ms / 1e3 - (0.06 if (tick_ms, period_ms) == (20, 100) else 0)
    assert instant.delay_s == pytest.approx(delay_s, abs=0.005), "read at the tick after the window's end"
    assert instant.lag_s == pytest.approx(delay_s + instant.window_s / 2, abs=0.005)


@pytest.mark.parametrize(
    ("tick_ms", "share", "average_ms", "seconds"),
    [(20, 1.0, 25, 15), (100, 1.0, 1000, 20), (100, 0.25, 1000, 20), (500, 1.0, 1000, 30)],
)
def test_a_counter_that_sees_everything_is_told_from_power_readings_that_do_not(
    clocked: StandIn, drivers: GpuDrivers, tick_ms: int, share: float, average_ms: int, seconds: float
) -> None:
    set_sensor(clocked, tick_ms, 100, share, average_ms, counter=False)
    counter, instant, average = response.of(*varied_load(clocked, drivers, seconds))
    assert counter is not None
    assert (counter.share_seen, counter.reason) == (1.0, None)
    assert counter.tick_s == counter.sensor_period_s == pytest.approx(tick_ms / 1e3, rel=0.01)
    assert instant is not None
    assert instant.update_s == pytest.approx(max(tick_ms, 100) / 1e3, rel=0.01)
    assert instant.window_s == pytest.approx(share * 0.1, rel=0.1)
    assert instant.share_seen == pytest.approx(share * 100 / max(tick_ms, 100), rel=0.1)
    assert average is not None
    assert average.update_s == pytest.approx(tick_ms / 1e3, rel=0.01)
    assert average.window_s == pytest.approx(average_ms / 1e3, rel=0.05)
    assert average.lag_s == pytest.approx(average_ms / 2e3, abs=0.05 if share < 1 else 0.01)


@pytest.mark.parametrize(
    ("tick_ms", "share", "seconds"), [(20, 1.0, 12), (100, 1.0, 15), (100, 0.25, 20), (500, 1.0, 30)]
)
@pytest.mark.parametrize("late_ms", [0, 300])
def test_how_late_a_counter_publishes_is_found_and_hides_no_gap(
    clocked: StandIn, drivers: GpuDrivers, tick_ms: int, share: float, seconds: float, late_ms: int
) -> None:
    """A part-time sensor's window lies at the beginning of its period here, 37 ms before the middle."""
    set_sensor(clocked, tick_ms, 100, share, counter=True)
    curve, looks = varied_load(clocked, drivers, seconds)
    counter = response.counter(curve, looks.t_s + late_ms / 1e3, looks.energy_j)
    assert counter is not None
    assert counter.share_seen == pytest.approx(share, rel=0.1)
    early_s = (1 - share) / 2 * 0.1
    assert counter.delay_s == pytest.approx(late_ms / 1e3 + early_s, abs=0.006)


def test_a_card_without_a_counter_or_power_has_none(clocked: StandIn, drivers: GpuDrivers) -> None:
    clocked.gpu(0).counter_supported = False
    clocked.gpu(0).unsupported_fields[0] = 186
    counter, instant, average = response.of(*varied_load(clocked, drivers, 12))
    assert (counter, instant) == (None, None)
    assert average is not None
    assert average.window_s is not None


def test_readings_that_do_not_follow_the_load_tell_nothing_and_say_so(
    clocked: StandIn, drivers: GpuDrivers
) -> None:
    curve, looks = varied_load(clocked, drivers, 12)
    chance = random.Random(1)
    other = tuple(LoadStep(chance.choice(("high", "idle")), 0.1) for _ in curve.high)
    unlike = LoadCurve.of(LoadDone(other, tuple(round(edge * 1e9) for edge in curve.edges_s)))
    counter, instant, _ = response.of(unlike, looks)
    assert counter is not None
    assert (counter.share_seen, counter.sensor_period_s, counter.delay_s) == (None, None, None)
    assert counter.tick_s == pytest.approx(0.1, rel=0.01)
    assert instant is not None
    assert (instant.window_s, instant.delay_s, instant.share_seen, instant.lag_s) == (None,) * 4
    for part in (counter, instant):
        assert part.reason is not None
        assert part.reason.endswith("of its variance does not follow the load")


def test_too_few_readings_tell_nothing_and_say_so(clocked: StandIn, drivers: GpuDrivers) -> None:
    clocked.gpu(0).tick_ns = 500 * MS
    counter, instant, _ = response.of(*varied_load(clocked, drivers, 8))
    assert counter is not None
    assert (counter.share_seen, counter.unexplained) == (None, None)
    assert counter.reason == "fewer than 20 of its ticks were seen under the load"
    assert instant is not None
    assert instant.reason is not None
    assert instant.reason.endswith("20 are needed")


def test_the_load_is_of_many_lengths_and_the_same_every_time() -> None:
    steps = varied(60.0)
    assert steps == varied(60.0)
    assert [step.level for step in steps[:3]] == ["high", "idle", "high"]
    assert steps[-1].level == "idle"
    lengths = [step.seconds for step in steps]
    assert 60.0 <= sum(lengths) < 60.0 + 2 * LONGEST_S
    assert min(lengths) < 1.5 * SHORTEST_S
    assert max(lengths) > 0.8 * LONGEST_S
    assert len(set(lengths)) == len(lengths)


def test_the_loads_curve_is_exact_between_its_edges() -> None:
    steps = (LoadStep("high", 1.0), LoadStep("idle", 2.0))
    curve = LoadCurve.of(LoadDone(steps, (10_000_000_000, 11_000_000_000, 13_000_000_000)))
    found = curve.mean(np.array([9.0, 10.5, 11.5]), np.array([10.0, 11.5, 12.0]))
    assert found == pytest.approx([0.0, 0.5, 0.0], abs=2e-4)
    slow = curve.following(0.5, 2.0)
    begins, ends = np.arange(10.0, 13.0, 1e-4), np.arange(10.0, 13.0, 1e-4) + 1e-4
    reached = 1 - math.exp(-2)
    rising, falling = 1 - np.exp(-(begins - 10) / 0.5), reached * np.exp(-(begins - 11) / 2)
    assert slow.mean(begins, ends) == pytest.approx(np.where(begins < 11, rising, falling), abs=3e-4)


@pytest.mark.parametrize("part", [True, False])
def test_a_card_whose_power_follows_its_load_slowly_is_told_from_a_part_time_one(
    clocked: StandIn, drivers: GpuDrivers, part: bool
) -> None:
    """Power that needs 30 ms to rise and 50 to fall, and differs by some percent from wave to wave."""
    set_sensor(clocked, 100, 100, 0.25, counter=part)
    counter, instant, _ = response.of(*varied_load(clocked, drivers, 40, rise_s=0.03, fall_s=0.05))
    assert counter is not None
    assert counter.share_seen is not None
    assert counter.share_between is not None
    low, high = counter.share_between
    assert low <= counter.share_seen <= high
    assert low <= (0.25 if part else 1.0) <= high
    assert high < 0.5 if part else low > 0.5
    assert instant is not None
    assert instant.window_s == pytest.approx(0.025, rel=0.2)


def test_a_load_too_slow_to_betray_a_gap_says_so(clocked: StandIn, drivers: GpuDrivers) -> None:
    set_sensor(clocked, 100, 100, 0.25, counter=True)
    counter, _, _ = response.of(*varied_load(clocked, drivers, 20, rise_s=0.2, fall_s=0.3))
    assert counter is not None
    assert (counter.share_seen, counter.sensor_period_s) == (None, None)
    assert counter.reason is not None
    assert counter.reason.startswith("a gap would not have shown")


@pytest.mark.parametrize("part", [True, False])
def test_a_gap_that_uneven_ticks_hide_is_not_taken_for_none(
    clocked: StandIn, drivers: GpuDrivers, part: bool
) -> None:
    """The instant power sees half of 20 ms; ticks 4 ms off their grid do not tell of the counter."""
    set_sensor(clocked, 20, 20, 0.5, counter=part)
    curve, looks = varied_load(clocked, drivers, 15)
    uneven_s = looks.t_s + 0.004 * np.sin(7 * looks.t_s)
    instant = response.power_field(curve, looks.t_s, looks.power_instant_w)
    assert instant is not None
    assert instant.share_seen == pytest.approx(0.5, abs=0.1)
    counter = response.counter(curve, uneven_s, looks.energy_j, instant)
    assert counter is not None
    assert (counter.share_seen, counter.sensor_period_s) == (None, None)
    assert counter.reason is not None
    assert counter.reason.startswith("a gap would not have shown")


def test_a_tick_is_found_although_steps_are_missing_or_late() -> None:
    assert tick_s([0.0]) is None
    assert tick_s([0.0, 0.1, 0.2, 0.4, 0.5]) == pytest.approx(0.1)
    seldom = [0.0, 0.3, 0.4, 0.6, 0.7, 1.0, 1.3, 1.4]
    assert tick_s(seldom, typical=0.25) == pytest.approx(0.1)


def test_looks_keep_what_is_absent_as_nan(clocked: StandIn, drivers: GpuDrivers) -> None:
    clocked.gpu(0).counter_supported = False
    (sample,) = [drivers.gpus[0].sample()]
    looks = FastSamples.of([sample], [0.001])
    assert np.isnan(looks.energy_j[0])
    assert looks.power_instant_w[0] == IDLE_W
    assert len(FastSamples.joined([looks, looks]).t_s) == 2
    curve = LoadCurve.of(LoadDone((LoadStep("high", 1.0),), (0, 1_000_000_000)))
    assert response.counter(curve, looks.t_s, np.array([NAN])) is None
