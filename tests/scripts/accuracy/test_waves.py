"""Waves: their joules are exact, whoever asks; counters count them; recordings keep their edges."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bench.core.arrays import Floats
from scripts.accuracy.meters import OURS
from scripts.accuracy.moving import LENGTHS_S, PLAIN, Moved, moved, moving_lines, moving_targets
from scripts.accuracy.replay import recorded, resized, traces_folder
from scripts.accuracy.waves import BUSY_W, IDLE_W, ROOM_S, WAVES, Counter, Power, Wave, stepped
from tests.standin import StandIn


@pytest.mark.parametrize("name", WAVES)
def test_a_waves_joules_are_what_its_watts_add_up_to(name: str) -> None:
    """Added up in midpoints of 50 µs: at each of the few steps these err by less than 50 µs of its height."""
    scene = WAVES[name](1.3, np.random.default_rng(5))
    middles_s: Floats = -2.0 + 5e-5 * (np.arange(106_000, dtype=np.float64) + 0.5)
    step_s = 5e-5
    watts = (
        np.diff(scene.power.energy_j(np.append(middles_s - step_s / 2, middles_s[-1] + step_s / 2))) / step_s
    )
    before, after = scene.power._sides(middles_s)
    assert np.median(np.abs(watts - before)) < 1e-6
    off_j = np.sum((watts - (before + after) / 2) * step_s)
    assert abs(off_j) < 0.05
    assert scene.true_j == pytest.approx(np.sum(watts[40_000:66_000]) * step_s, abs=0.05)


def test_ramps_and_steps_have_the_joules_of_their_formulas() -> None:
    ramp = Power(np.array([0.0, 2.0]), np.array([0.0, 100.0]))
    assert ramp.energy_j(np.array([-1.0, 1.0, 2.0, 3.0])).tolist() == [0.0, 25.0, 100.0, 200.0]
    step = stepped([(0.0, 10.0), (1.0, 30.0)])
    both = ramp.plus(step)
    moments_s = np.array([0.3, 1.0, 1.7, 2.5])
    assert both.energy_j(moments_s) == pytest.approx(ramp.energy_j(moments_s) + step.energy_j(moments_s))
    with pytest.raises(ValueError, match="order"):
        Power(np.array([1.0, 0.0]), np.array([1.0, 1.0]))


@pytest.mark.parametrize("name", WAVES)
def test_the_stand_in_draws_the_same_joules(standin: StandIn, name: str) -> None:
    """Before the work, in it and after it, whatever the work does: power is told as steps of 5 ms."""
    scene = WAVES[name](0.7, np.random.default_rng(8))
    edges_s, watts = scene.power.steps()
    stamps = np.round((edges_s + ROOM_S + 2.0) * 1e9).astype(np.int64)
    standin.load_many(0, stamps, watts)
    for index in (10, len(edges_s) // 2, len(edges_s) - 2):
        known_j = float(np.diff(scene.power.energy_j(edges_s[[2, index]]))[0])
        found_j = standin.true_energy_j(0, int(stamps[2]), int(stamps[index]))
        assert found_j == pytest.approx(known_j, rel=1e-6, abs=1e-3)


def test_a_counter_is_as_of_its_last_tick_and_late_by_its_delay() -> None:
    power = stepped([(0.0, 100.0)])
    counter = Counter(power, tick_s=0.1, phase_s=0.03)
    late = Counter(power, tick_s=0.1, phase_s=0.03, delay_s=0.05)
    read_j = counter.read_j(np.array([0.50, 0.53001, 0.62]))
    assert read_j == pytest.approx([43.0, 53.0, 53.0], abs=2e-3)
    moments_s = np.linspace(0.0, 3.0, 400)
    assert late.read_j(moments_s + 0.05) == pytest.approx(counter.read_j(moments_s), abs=2e-3)


def test_a_part_time_counter_takes_a_quarter_for_the_whole() -> None:
    steady = Counter(stepped([(-20.0, 100.0)]), tick_s=0.1, phase_s=0.0, share=0.25)
    four_s = steady.read_j(np.array([0.05, 4.05]))
    assert np.diff(four_s)[0] == pytest.approx(400.0, abs=0.01)
    seen = [(-20.0, 0.0)] + [(k / 10 + d, w) for k in range(40) for d, w in ((0.0, 200.0), (0.05, 0.0))]
    in_step = Counter(stepped(seen), tick_s=0.1, phase_s=0.0, share=0.25)
    assert np.diff(in_step.read_j(np.array([-0.05, 4.05])))[0] == pytest.approx(800.0, rel=0.03)


def test_a_counter_that_holds_goes_on_with_the_last_looks_power() -> None:
    """Looks of 25 ms every 0.1 s: a step of power at 0.05 s is seen from 0.125 s on."""
    power = stepped([(-20.0, 100.0), (0.05, 300.0)])
    counter = Counter(power, tick_s=0.001, phase_s=0.0, share=0.25, origin_s=-13.0, holds=True)
    moments_s = np.array([0.0, 0.05, 0.125, 0.225, 1.0])
    grown_j = counter.read_j(moments_s) - counter.read_j(np.array([0.0]))
    assert grown_j == pytest.approx([0.0, 5.0, 12.5, 42.5, 275.0], abs=0.31)


def test_a_recording_is_made_shorter_and_longer_in_its_middle_only() -> None:
    t_s = np.arange(0.0, 14.0, 0.001)
    watts = np.where((t_s >= 1.0) & (t_s < 7.0), BUSY_W, IDLE_W) + np.where(
        (t_s > 6.9) & (t_s < 8.8), 30.0, 0.0
    )
    for seconds in (0.5, 1.0, 5.0, 30.0):
        scene = resized(t_s, watts, 1.0, 7.0, seconds)
        assert scene.true_j == pytest.approx(BUSY_W * seconds + 30.0 * 0.1, rel=2e-3)
        after_j = np.diff(scene.power.energy_j(np.array([seconds, seconds + 4.0])))[0]
        assert after_j == pytest.approx(IDLE_W * 4.0 + 30.0 * 1.8, rel=2e-3)


@pytest.fixture(scope="module")
def cards() -> dict[str, Wave]:
    folder = traces_folder()
    if folder is None:
        pytest.skip("no recordings of real cards here: JOULEBENCH_TEST_TRACES names their folder")
    return recorded(folder)


def test_recorded_cards_work_at_the_power_that_their_source_tells(cards: dict[str, Wave]) -> None:
    means = {
        "3090_transient": 440.0,
        "4090_transient": 388.0,
        "a100_transient": 200.0,
        "a5000_transient": 222.0,
    }
    for name, watts in means.items():
        scene = cards[name](30.0, np.random.default_rng(0))
        assert scene.true_j / 30.0 == pytest.approx(watts, rel=0.03)


def test_what_meters_err_by_is_told_per_wave_with_the_worst_first(tmp_path: Path) -> None:
    """The plain difference of work of 1 s between idle of 70 W is short by some percent."""
    rng = np.random.default_rng(3)
    calm = {name: WAVES[name] for name in ("constant", "slow square")}
    found = list(moved(calm, 6, tmp_path, rng))
    one_s = {each.wave: each for each in found if each.seconds == 1.0}
    assert one_s["constant"].rms[OURS] < 0.002
    assert 0.02 < one_s["constant"].rms[PLAIN] < 0.07
    assert one_s["constant"].ratio < 0.1
    worst = next(line for line in moving_lines(found, "Waves") if line.startswith("| **worst**, 1 s"))
    assert f"{100 * max(each.rms[PLAIN] for each in one_s.values()):.3f}" in worst
    assert all(math.isfinite(rms) for each in found for rms in each.rms.values())


def test_targets_of_moving_power_are_missed_by_the_worst_wave_and_by_a_better_peer() -> None:
    def found(worst: float, absent: int = 0) -> list[bool | None]:
        each = [
            Moved(wave, seconds, {OURS: rms / seconds, PLAIN: 0.04 / seconds}, absent)
            for wave, rms in (("calm", 1e-5), ("wild", worst))
            for seconds in LENGTHS_S
        ]
        return [target.met for target in moving_targets(each, "Waves", (0.01, 0.002, 0.0004))]

    assert found(0.009) == [True] * 5
    assert found(0.011, absent=1) == [False] * 2 + [True, True, False]
    assert found(0.05) == [False] * 4 + [True]
