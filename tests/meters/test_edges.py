"""Edges from the nearest ticks, on random waves whose truth is a formula and on recorded cards."""

from __future__ import annotations

import csv
import gzip
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bench.meters import edges
from bench.meters.recorder import Floats
from tests.meters.helpers import Recorded, S, fast_row

STEP_S = 0.0005
BEFORE_S, AFTER_S = 4.0, 2.5
TRACES = Path(
    os.environ.get("JOULEBENCH_TEST_TRACES", Path(__file__).resolve().parents[3] / "shared" / "traces")
)
"""Where recordings of real cards lie, beside the project."""
TICKS_S = (0.01, 0.02, 0.05, 0.1, 0.1007, 0.2, 0.5)
WINDOWS_S = (0.3, 1.0, 5.0, 15.0, 60.0)


@dataclass(frozen=True)
class Drawn:
    """A window at second 0: its samples, its true joules, the plain difference, the counter's tick."""

    t_s: Floats
    energy_j: Floats
    window_s: float
    true_j: float
    plain_j: float

    def ours(self, delay: edges.Delay | None = None) -> edges.Edged | None:
        """What the edges tell, with the delay that this very start tells where none is given."""
        start = edges.curves(self.t_s, self.energy_j, 0.0)
        end = edges.curves(self.t_s, self.energy_j, self.window_s)
        if delay is None:
            onset_s = edges.start_delay_s(start, 0.0)
            delay = edges.delay_of([] if onset_s is None else [onset_s]) or edges.UNTOLD
        return edges.window_energy(edges.Looks(start, end, 0.0, self.window_s), delay)


def drawn(
    power_w: Floats,
    window_s: float,
    tick_s: float,
    delay_s: float,
    rng: np.random.Generator,
    *,
    fast: bool = True,
    missing: float = 0.0,
    late: float = 0.0,
) -> Drawn:
    """What a recorder sees of a power that begins `BEFORE_S` before the window."""
    moments_s = -BEFORE_S + STEP_S * np.arange(len(power_w) + 1)
    true_j = np.concatenate([[0.0], np.cumsum(power_w) * STEP_S])
    phase_s = rng.uniform(0, tick_s)

    def counter_j(t_s: Floats) -> Floats:
        ticked_s = np.floor((t_s - delay_s - phase_s) / tick_s) * tick_s + phase_s
        return np.asarray(np.floor(np.interp(ticked_s, moments_s, true_j) * 1e3) / 1e3)

    t_s = np.arange(-BEFORE_S + 1.2 + rng.uniform(0, 1 / 23), window_s + AFTER_S - 0.1, 1 / 23)
    if fast:
        beside = [
            np.arange(low + rng.uniform(0, 0.005), high, 0.005) for low, high in _fast(window_s, tick_s)
        ]
        t_s = np.concatenate([t_s, *beside])
    t_s = (
        t_s + rng.uniform(0, 0.001, len(t_s)) + (rng.random(len(t_s)) < late) * rng.uniform(0, 0.04, len(t_s))
    )
    t_s = np.sort(t_s[rng.random(len(t_s)) >= missing])
    begin_j, end_j = np.interp([0.0, window_s], moments_s, true_j)
    plain_j = np.diff(counter_j(np.array([0.0, window_s])))
    return Drawn(t_s, counter_j(t_s), window_s, float(end_j - begin_j), float(plain_j[0]))


def _fast(window_s: float, tick_s: float) -> list[tuple[float, float]]:
    room_s = edges.room_s(tick_s)
    return [(-room_s, edges.FAST_PAST_START_S), (window_s, window_s + room_s)]


def random_wave(window_s: float, rng: np.random.Generator) -> Floats:
    """Work, and around and inside it whatever power does: steps, ramps, bursts, square waves, noise."""
    t_s = -BEFORE_S + STEP_S * np.arange(round((BEFORE_S + window_s + AFTER_S) / STEP_S))
    at_work = (t_s >= 0) & (t_s < window_s)
    idle_w, work_w = rng.uniform(40, 120), rng.uniform(150, 600)
    power_w = np.where(at_work, work_w, idle_w)
    past_s = t_s - window_s
    kinds = rng.choice(
        ["step after", "step before", "ramp", "fade", "bursts", "square", "other", "noise", "tail"],
        rng.integers(0, 3),
        replace=False,
    )
    for kind in kinds:
        height_w = rng.uniform(10, 0.5 * work_w)
        if kind == "step after":
            power_w = power_w + height_w * 0.4 * ((past_s >= 0) & (past_s < rng.uniform(0.2, 2.3)))
        elif kind == "step before":
            power_w = power_w + height_w * 0.4 * ((t_s < 0) & (t_s > -rng.uniform(0.2, 2.3)))
        elif kind == "ramp":
            falls_s = rng.uniform(0.05, 0.3)
            power_w = power_w + height_w * np.clip(1 - past_s / falls_s, 0, 1) * (past_s >= 0)
        elif kind == "fade":
            power_w = power_w + 0.4 * height_w * np.exp(-np.maximum(past_s, 0) / 2) * (past_s >= 0)
        elif kind == "bursts":
            period_s = rng.uniform(0.03, 3.0)
            power_w = power_w + height_w * at_work * (
                (t_s / period_s + rng.random()) % 1 < rng.uniform(0.1, 0.9)
            )
        elif kind == "square":
            period_s = rng.uniform(0.05, 8.0)
            power_w = power_w + 0.5 * height_w * ((t_s / period_s + rng.random()) % 1 < 0.5)
        elif kind == "other":
            begun_s = rng.uniform(-BEFORE_S, window_s + AFTER_S)
            power_w = power_w + 0.5 * height_w * (t_s >= begun_s)
        elif kind == "noise":
            size = len(t_s) // 100 + 1
            power_w = power_w * (1 + 0.03 * np.repeat(rng.standard_normal(size), 100)[: len(t_s)])
        else:
            power_w = power_w - 0.7 * height_w * at_work * np.clip(1 + past_s / rng.uniform(0.05, 0.17), 0, 1)
    return np.asarray(power_w)


def rms(values: list[float]) -> float:
    return math.sqrt(sum(value**2 for value in values) / len(values))


def many(count: int, seed: int) -> Iterator[tuple[float, Drawn, edges.Delay]]:
    """Random waves, ticks, delays (told to milliseconds), windows; recorders that miss and are late."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        window_s, tick_s = float(rng.choice(WINDOWS_S[:4])), float(rng.choice(TICKS_S))
        delay_s = float(rng.choice([0.0, 0.0, rng.uniform(0, 0.25)]))
        missing, late = (0.1, 0.1) if rng.random() < 0.3 else (0.0, 0.0)
        wave = random_wave(window_s, rng)
        seen = drawn(wave, window_s, tick_s, delay_s, rng, missing=missing, late=late)
        told_s = max(0.0, delay_s + rng.normal(0, 0.001))
        yield tick_s, seen, edges.Delay(told_s, 0.0015, 12)


def test_random_waves_are_never_worse_than_plain_and_the_intervals_hold_the_truth() -> None:
    """Per tick and window; of a single wave chance may favour anything."""
    ours: dict[tuple[float, float], list[float]] = {}
    plain: dict[tuple[float, float], list[float]] = {}
    held = []
    for tick_s, seen, delay in many(1500, 1):
        found = seen.ours(delay)
        assert found is not None, (tick_s, seen.window_s)
        key = (tick_s, seen.window_s)
        ours.setdefault(key, []).append(found.energy_j / seen.true_j - 1)
        plain.setdefault(key, []).append(seen.plain_j / seen.true_j - 1)
        held.append(abs(found.energy_j - seen.true_j) <= 1.96 * found.u_j)
    worse = {key: (rms(ours[key]), rms(plain[key])) for key in ours if rms(ours[key]) > rms(plain[key])}
    assert worse == {}
    assert 0.93 <= np.mean(held) <= 0.97


@pytest.mark.parametrize("tick_s", [0.02, 0.1])
@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.2])
def test_twelve_starts_tell_how_late_a_counter_publishes(tick_s: float, delay_s: float) -> None:
    rng = np.random.default_rng(2)
    moments_s = -BEFORE_S + STEP_S * np.arange(round((BEFORE_S + 1 + AFTER_S) / STEP_S))
    power_w = np.where((moments_s >= 0) & (moments_s < 1), 340.0, 70.0)
    delays = edges.Delays()
    for number in range(12):
        seen = drawn(power_w, 1.0, tick_s, delay_s, rng)
        delays.learn(number, edges.start_delay_s(edges.curves(seen.t_s, seen.energy_j, 0.0), 0.0))
    assert delays.now.starts == 12
    assert delays.now.seconds == pytest.approx(delay_s, abs=0.003)
    assert delays.now.u_s < 0.003
    assert delays.as_mapping()["how"] == "from the starts of work"


def test_starts_that_scatter_tell_no_delay() -> None:
    assert edges.delay_of([0.0, 0.1, 0.2, 0.3, 0.4]) is None
    assert edges.Delays().now == edges.UNTOLD
    assert "cannot be told" in str(edges.Delays().as_mapping()["how"])
    assert edges.Delays(0.05).as_mapping()["how"] == "calibrated"


@pytest.mark.skipif(not TRACES.is_dir(), reason="the recorded cards are not part of the project")
@pytest.mark.parametrize("card", ["3090", "4090", "a5000", "a100", "k40m"])
def test_recorded_cards_are_known_to_three_tenths_of_a_percent_at_a_second(card: str) -> None:
    """Recorded power is the truth; the window is its load, cut to a second from its end."""
    name, rng = f"{card}_transient_pmd.csv.gz", np.random.default_rng(3)
    with (TRACES / "edges.csv").open() as file:
        begun_s, ended_s = next(
            (float(row["start_s"]), float(row["end_s"]))
            for row in csv.DictReader(file)
            if row["file"] == name
        )
    with gzip.open(TRACES / name, "rt") as file:
        rows = [(float(row["t_s"]), float(row["power_w"])) for row in csv.DictReader(file)]
    t_s, watts = np.array(rows).T
    moments_s = -BEFORE_S + STEP_S * np.arange(round((BEFORE_S + 1 + AFTER_S) / STEP_S))
    idle_w = watts[: int(np.searchsorted(t_s, begun_s - 0.05))]
    at_s = np.where(moments_s < 0.5, begun_s + moments_s, ended_s - 1.0 + moments_s)
    power_w = np.where(at_s < t_s[0], rng.choice(idle_w, len(at_s)), np.interp(at_s, t_s, watts))
    errors = []
    for _ in range(60):
        seen = drawn(power_w, 1.0, 0.1, 0.0, rng)
        found = seen.ours(edges.Delay(0.0, 0.002, 12))
        assert found is not None
        errors.append(found.energy_j / seen.true_j - 1)
    assert rms(errors) < 0.003


def test_a_counter_that_hardly_moves_has_no_edges(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path / "samples.bin")
    recorded.write(*(fast_row(second * S, energy_j=100.0) for second in range(20)))
    assert edges.looks(recorded, 0, 8 * S, 12 * S) is None
