"""The padded estimator on counters whose truth is a formula, at any phase of tick and sampler."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bench.meters import sampling
from bench.meters.base import Reading, TaskReading, difference
from bench.meters.nvml import Gpu, Nvml
from bench.meters.padded import PAD_S, Padded, pad_s, padded_energy
from bench.meters.rig import Rig, Window
from bench.meters.ticks import seen_tick_s
from tests.meters.helpers import QuietCodeCarbon, Recorded, S, fast_row

IDLE_W, BUSY_W = 70.0, 340.0
SAMPLE_S = 1 / sampling.FAST_HZ
GLOW_S = 2.0


class Card:
    """Idle, then busy for `busy_s` from second 10 on, then idle again, `fading_w` of it fading with 2 s.

    Other work ended `since_s` before; what it left fades too. Ticks come late by up to `tick_late_s`, and are
    published `delay_s` after they were counted.
    """

    def __init__(
        self,
        busy_s: float,
        tick_s: float,
        fading_w: float,
        rng: np.random.Generator,
        since_s: float = math.inf,
        tick_late_s: float = 0.0,
        delay_s: float = 0.0,
    ) -> None:
        self.start_s, self.end_s = 10.0, 10.0 + busy_s
        self.since_s, self.tick_late_s, self.delay_s = since_s, tick_late_s, delay_s
        self.rng = rng
        self.fading_w = fading_w
        self.tick_s, self.tick_phase_s = tick_s, rng.uniform(0, tick_s)
        self.sample_phase_s = rng.uniform(0, SAMPLE_S)

    def energy_j(self, t_s: float) -> float:
        busy_s = min(max(t_s - self.start_s, 0.0), self.end_s - self.start_s)
        after_s = max(t_s - self.end_s, 0.0)
        faded_j = self.fading_w * GLOW_S * (1 - math.exp(-after_s / GLOW_S))
        before_s = min(t_s, self.start_s) - self.start_s + self.since_s
        faded_j += self.fading_w * GLOW_S * (1 - math.exp(-before_s / GLOW_S))
        return IDLE_W * t_s + (BUSY_W - IDLE_W) * busy_s + faded_j

    def counter_j(self, t_s: float) -> float:
        t_s -= self.delay_s
        number = math.floor((t_s - self.tick_phase_s) / self.tick_s)
        if self.ticked_s(number) > t_s:
            number -= 1
        return self.energy_j(self.ticked_s(number))

    def ticked_s(self, number: int) -> float:
        return self.tick_phase_s + number * self.tick_s + self.tick_late_s * (number**2 * 0.618 % 1)

    @property
    def truth_j(self) -> float:
        return self.energy_j(self.end_s) - self.energy_j(self.start_s)

    @property
    def plain_error(self) -> float:
        return (self.counter_j(self.end_s) - self.counter_j(self.start_s)) / self.truth_j - 1

    def record(self, path: Path) -> Recorded:
        """What the sampler would have written, from some seconds before the work to the end of its pad."""
        recorded = Recorded(path)
        until_s = self.end_s + pad_s(self.tick_s) + 0.2 + self.delay_s
        stamps_s = np.arange(7.0 + self.sample_phase_s, until_s, SAMPLE_S)
        stamps_s += self.rng.uniform(0, 0.001, len(stamps_s))
        rows = [fast_row(round(t * S), energy_j=self.counter_j(float(t))) for t in stamps_s]
        recorded.write(*rows)
        return recorded

    def padded(self, path: Path, delay_s: float = 0.0) -> Padded:
        recorded = self.record(path)
        start_ns, end_ns = round(self.start_s * S), round(self.end_s * S)
        found = padded_energy(recorded, 0, start_ns, end_ns, self.tick_s, delay_s)
        assert found is not None
        path.unlink()
        return found

    def padded_error(self, path: Path, delay_s: float = 0.0) -> float:
        return self.padded(path, delay_s).energy_j / self.truth_j - 1

    @property
    def resting_w(self) -> float:
        """What it draws in the half second after the work."""
        return (self.energy_j(self.end_s + 0.5) - self.energy_j(self.end_s)) / 0.5


def rms(errors: list[float]) -> float:
    return math.sqrt(sum(error**2 for error in errors) / len(errors))


@pytest.mark.parametrize("fading_w", [0.0, 40.0], ids=["settles at once", "fades for seconds"])
@pytest.mark.parametrize(("tick_s", "limit"), [(0.02, 0.004), (0.1, 0.005), (0.5, 0.02)])
def test_a_second_of_work_is_known_to_half_a_percent_whatever_the_phase(
    tick_s: float, limit: float, fading_w: float, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    cards = [Card(1.0, tick_s, fading_w, rng) for _ in range(40)]
    ours = rms([card.padded_error(tmp_path / "samples.bin") for card in cards])
    plain = rms([card.plain_error for card in cards])
    assert ours < limit
    assert ours < plain / 1.5
    if not fading_w:
        assert ours < plain / 8


@pytest.mark.parametrize("tick_s", [0.05, 0.1, 0.1007, 0.11])
def test_power_that_still_fades_on_both_sides_costs_little_at_any_tick(tick_s: float, tmp_path: Path) -> None:
    """Ticks that drift slowly against the samples were the worst: seen late for seconds, then not at all."""
    rng = np.random.default_rng(4)
    cards = [Card(1.0, tick_s, 40.0, rng, since_s=3.5) for _ in range(40)]
    assert rms([card.padded_error(tmp_path / "samples.bin") for card in cards]) < 0.002


def test_a_counter_that_keeps_no_grid_is_no_further_off_than_its_samples(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    cards = [Card(1.0, 0.1, 40.0, rng, since_s=3.5, tick_late_s=0.02) for _ in range(40)]
    assert rms([card.padded_error(tmp_path / "samples.bin") for card in cards]) < 0.01


def test_power_at_rest_is_what_is_drawn_right_after_the_work(tmp_path: Path) -> None:
    card = Card(5.0, 0.1, 40.0, np.random.default_rng(6))
    found = card.padded(tmp_path / "samples.bin")
    assert found.resting_w == pytest.approx(card.resting_w, abs=2.0)


@pytest.mark.parametrize("tick_s", [0.02, 0.1])
@pytest.mark.parametrize("delay_s", [0.05, 0.1, 0.2])
def test_a_counter_that_publishes_late_is_not_believed_right_after_the_work(
    tick_s: float, delay_s: float, tmp_path: Path
) -> None:
    """Nothing is missing where the card is idle at once; else what it draws more, times the delay."""
    rng = np.random.default_rng(7)
    cards = [Card(1.0, tick_s, 0.0, rng, delay_s=delay_s) for _ in range(20)]
    found = [card.padded(tmp_path / "samples.bin") for card in cards]
    assert rms([each.energy_j / card.truth_j - 1 for card, each in zip(cards, found, strict=True)]) < 0.002
    assert all(each.resting_w == pytest.approx(IDLE_W, abs=3.0) for each in found)
    fading = [Card(1.0, tick_s, 40.0, rng, 3.5, delay_s=delay_s) for _ in range(20)]
    unknown = rms([card.padded_error(tmp_path / "samples.bin") for card in fading])
    assert unknown < 0.003 + 40.0 * delay_s / BUSY_W
    known = rms([card.padded_error(tmp_path / "samples.bin", delay_s) for card in fading])
    assert known < 0.003


def test_a_window_in_which_the_counter_does_not_move_has_joules_all_the_same(tmp_path: Path) -> None:
    card = Card(0.3, 0.5, 0.0, np.random.default_rng(8))
    card.tick_phase_s = 0.4  # it moves at 9.9 and 10.4 s, and the work is done by 10.3 s
    recorded = card.record(tmp_path / "samples.bin")
    gpu, start_ns, end_ns = Gpu(0, "GPU-0", "a card", None), round(card.start_s * S), round(card.end_s * S)
    plain = difference(
        Reading(start_ns, card.counter_j(10.0)), Reading(end_ns, card.counter_j(10.3)), "counter"
    )
    assert plain.gross_j is None
    window = Window(start_ns, end_ns, {gpu.domain: plain}, TaskReading(0.3, None, None, None, None))
    with Nvml() as nvml:
        refined = Rig(nvml, recorded, QuietCodeCarbon(), (gpu,)).refine(window).energy[gpu.domain]
    assert refined.source == "counter-padded"
    assert refined.gross_j == pytest.approx(card.truth_j, rel=0.02)


def test_thirty_seconds_of_work_are_known_to_a_thousandth(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    errors = [Card(30.0, 0.1, 40.0, rng).padded_error(tmp_path / "samples.bin") for _ in range(10)]
    assert rms(errors) < 1e-3


def test_a_counter_that_hardly_moves_has_no_padded_energy(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path / "samples.bin")
    recorded.write(*(fast_row(second * S, energy_j=100.0) for second in range(20)))
    assert padded_energy(recorded, 0, 8 * S, 12 * S, 0.1) is None
    assert seen_tick_s(recorded, 0, 0, 20 * S) is None


def test_the_tick_is_seen_and_the_pads_of_a_slow_counter_are_longer(tmp_path: Path) -> None:
    card = Card(1.0, 0.5, 0.0, np.random.default_rng(3))
    recorded = Recorded(tmp_path / "samples.bin")
    stamps_s = np.arange(5.0, 15.0, SAMPLE_S)
    recorded.write(*(fast_row(round(t * S), energy_j=card.counter_j(float(t))) for t in stamps_s))
    assert seen_tick_s(recorded, 0, 5 * S, 15 * S) == pytest.approx(0.5, abs=SAMPLE_S)
    assert pad_s(0.1) == PAD_S < pad_s(0.5)
