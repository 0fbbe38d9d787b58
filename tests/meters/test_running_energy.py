"""Joules counted step by step, and power now, from rows whose truth is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.meters.base import WENT_BACKWARDS
from bench.meters.gpu import Gpu
from bench.meters.gpu_status import gpu_status
from bench.meters.running_energy import NO_POWER, RunningEnergy
from bench.meters.sampling import SLOW, row
from bench.meters.window_meters import UNBROKEN
from tests.support.metering import MS, NAN, Recorded, S, fast_row, source_row

GPU = Gpu(0, "GPU-a", "a card")
STEP_NS = round(S / 23)
TICK_NS = 100 * MS
WATTS = 300.0


def counter_j(t_ns: int, watts: float = WATTS) -> float:
    """What a counter that ticks every 100 ms says."""
    return 500.0 + t_ns // TICK_NS * TICK_NS / S * watts


def sampled(path: Path, seconds: float, watts: float = WATTS) -> Recorded:
    """A recording of a card of constant power, as the sampler would leave it."""
    recorder = Recorded(path / "samples")
    recorder.write(*(fast_row(t, 0, counter_j(t, watts)) for t in range(0, round(seconds * S), STEP_NS)))
    return recorder


@pytest.mark.parametrize("step_s", [0.2, 1.0, 7.0])
def test_joules_of_all_steps_are_the_truth_but_for_the_last_tick(tmp_path: Path, step_s: float) -> None:
    tally = RunningEnergy(sampled(tmp_path, 60), [GPU], 0)
    for number in range(1, round(56 / step_s) + 1):
        found = tally.advance(round(number * step_s * S))[GPU.domain]
    assert found.energy_j == pytest.approx(WATTS * 56, abs=WATTS * 0.25)
    assert found.energy_j == pytest.approx(WATTS * found.seconds, rel=0.001)
    assert (found.lost_s, found.reason, found.source) == (0.0, None, "counter")


def test_power_now_is_the_counters_and_true_although_its_moves_are_seen_late(tmp_path: Path) -> None:
    recorder = sampled(tmp_path, 60)
    seen = [gpu_status(recorder, 0, round(t * S / 7)) for t in range(35, 400, 3)]
    assert {each.power_source for each in seen} == {"counter"}
    assert [each.power_w for each in seen] == pytest.approx([WATTS] * len(seen), rel=0.01)


def test_a_counter_that_was_reset_costs_its_seconds_and_says_so(tmp_path: Path) -> None:
    recorder = Recorded(tmp_path / "samples")
    times = range(0, 20 * S, STEP_NS)
    recorder.write(*(fast_row(t, 0, counter_j(t) - (0 if t < 10 * S else 2000)) for t in times))
    tally = RunningEnergy(recorder, [GPU], 0)
    for second in range(1, 20):
        found = tally.advance(second * S)[GPU.domain]
        assert (found.reason is None) == (second <= 10)
    assert found.lost_s == pytest.approx(1.0, abs=0.15)
    assert found.reason == WENT_BACKWARDS
    assert found.energy_j == pytest.approx(WATTS * 18, abs=WATTS * 0.3)


def test_a_counter_that_stands_still_is_said_and_has_no_power(tmp_path: Path) -> None:
    recorder = Recorded(tmp_path / "samples")
    recorder.write(*(fast_row(t, 0, counter_j(min(t, 5 * S))) for t in range(0, 12 * S, STEP_NS)))
    tally = RunningEnergy(recorder, [GPU], 0)
    before, after = tally.advance(6 * S)[GPU.domain], tally.advance(10 * S)[GPU.domain]
    assert after.energy_j == before.energy_j
    assert after.reason == "its counter has not moved for 5 s"
    assert gpu_status(recorder, 0, 10 * S).power_w is None


def test_a_card_without_a_counter_is_integrated_and_gaps_are_lost(tmp_path: Path) -> None:
    recorder = Recorded(tmp_path / "samples")
    times = [t for t in range(0, 20 * S, STEP_NS) if not 6 * S < t < 9 * S]
    recorder.write(*(fast_row(t, 0, NAN, 250.0) for t in times))
    tally = RunningEnergy(recorder, [GPU], 0)
    for second in range(1, 20):
        found = tally.advance(second * S)[GPU.domain]
    assert found.source == "power-integration"
    assert found.energy_j == pytest.approx(250 * found.seconds, rel=0.01)
    assert found.lost_s == pytest.approx(4.0, abs=1.0)
    assert found.reason == NO_POWER
    assert gpu_status(recorder, 0, 19 * S).power_source == "sensor"
    assert gpu_status(recorder, 0, 19 * S).power_w == pytest.approx(250)


def test_rapl_is_counted_on_and_a_reset_is_lost(tmp_path: Path) -> None:
    recorder = Recorded(tmp_path / "samples", ("cpu:package-0",))
    times = range(0, 20 * S, STEP_NS)
    recorder.write(*(source_row(t, 0, t / S * 80 - (0 if t < 10.5 * S else 800)) for t in times))
    tally = RunningEnergy(recorder, [], 0)
    for second in range(1, 20):
        found = tally.advance(second * S)["cpu:package-0"]
    assert found.energy_j == pytest.approx(80 * 18, abs=10)
    assert found.reason == UNBROKEN
    assert found.lost_s == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("offset_s", [0.0, 0.3, 0.7])
def test_a_meter_that_moves_seldom_is_counted_from_move_to_move(tmp_path: Path, offset_s: float) -> None:
    """Between its ticks of 0.9 s a meter at the wall is behind by up to 135 J: in 3 s a third."""
    recorder = Recorded(tmp_path / "samples", ("wall:rack",))
    times = range(0, 20 * S, STEP_NS)
    recorder.write(*(source_row(t, 0, (t + offset_s * S) // (0.9 * S) * 0.9 * 150) for t in times))
    tally = RunningEnergy(recorder, [], 0)
    for end_ns in (3 * S, 3 * S + 10 * MS, 8 * S, 19 * S):
        found = tally.advance(end_ns)["wall:rack"]
        assert found.energy_j is not None
        assert found.energy_j / found.seconds == pytest.approx(150, rel=STEP_NS / S / found.seconds + 1e-3)
        assert end_ns / S - 2.0 < found.seconds < end_ns / S


def test_state_is_the_last_that_was_seen_and_nothing_once_that_is_old(tmp_path: Path) -> None:
    recorder = sampled(tmp_path, 10)
    recorder.write(row(9 * S, SLOW, 0, 64.0, 1500.0, 0x4 | 0x40))
    seen = gpu_status(recorder, 0, 10 * S)
    assert (seen.temperature_c, seen.sm_clock_mhz, seen.utilisation_percent) == (64.0, 1500.0, None)
    assert seen.throttle == ("power-cap", "hw-thermal")
    late = gpu_status(recorder, 0, 13 * S)
    assert (late.temperature_c, late.throttle) == (None, None)
