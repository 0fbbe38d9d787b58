"""Joules of rests between batches, cut out of a counter's curve; the truth is a formula."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.core.arrays import Floats
from bench.meters import edges, rests, sampling
from bench.meters.publishing_delay import Delay
from tests.support.metering import Recorded, S, fast_row, sampled_s

STEP_S = 0.0005
BEFORE_S, WORK_S, AFTER_S = 3.0, 30.0, 3.0
ORIGIN_S = 10.0
LATE_REST_S = 0.03
WHOLE_NS = (round(ORIGIN_S * S), round((ORIGIN_S + WORK_S) * S))


class Block:
    """Half a minute of work whose power goes as it likes, and a rest every two seconds."""

    def __init__(
        self, tick_s: float, delay_s: float, rng: np.random.Generator, late_s: tuple[float, ...] = ()
    ) -> None:
        t_s = -BEFORE_S + STEP_S * np.arange(round((BEFORE_S + WORK_S + AFTER_S) / STEP_S))
        resting_w, work_w = rng.uniform(70, 150), rng.uniform(200, 500)
        power_w = np.where((t_s >= 0) & (t_s < WORK_S), self._work(t_s, work_w, rng), rng.uniform(40, 70))
        self.spans_s = [(at, at + rng.uniform(0.002, 0.1)) for at in np.arange(0.3, WORK_S - 1, 2.05)]
        self.spans_s += [(at, at + LATE_REST_S) for at in late_s]
        for start_s, end_s in self.spans_s:
            power_w[(t_s >= start_s) & (t_s < end_s)] = resting_w
        self._moments_s = np.append(t_s, t_s[-1] + STEP_S)
        self._true_j = np.concatenate([[0.0], np.cumsum(power_w) * STEP_S])
        self._tick_s, self._delay_s, self._phase_s = tick_s, delay_s, rng.uniform(0, tick_s)
        self._rng = rng

    @staticmethod
    def _work(t_s: NDArray[Any], work_w: float, rng: np.random.Generator) -> Floats:
        period_s = rng.uniform(0.02, 3.0)
        size = len(t_s) // 100 + 1
        noise = 0.02 * np.repeat(rng.standard_normal(size), 100)[: len(t_s)]
        return np.asarray(
            work_w * (1 + noise)
            + 0.15 * work_w * ((t_s / period_s + rng.random()) % 1 < rng.uniform(0.2, 0.8))
        )

    @property
    def true_j(self) -> float:
        """Joules of all rests together."""
        edges_j = np.interp(np.array(self.spans_s), self._moments_s, self._true_j)
        return float(np.sum(np.diff(edges_j, axis=1)))

    @property
    def last_j(self) -> float:
        """Joules of the last rest."""
        return float(np.diff(np.interp(self.spans_s[-1], self._moments_s, self._true_j))[0])

    @property
    def work_j(self) -> float:
        """Joules of the whole block."""
        begin_j, end_j = np.interp([0, WORK_S], self._moments_s, self._true_j)
        return float(end_j - begin_j)

    def write(self, recorded: Recorded) -> list[tuple[int, int]]:
        """What a recorder sees of it at its usual rate; the rests' spans on its clock."""
        t_s = sampled_s(-BEFORE_S + 0.5, WORK_S + AFTER_S - 0.2, sampling.FAST_HZ, self._rng)
        t_s = t_s + self._rng.uniform(0, 0.001, len(t_s))
        ticked_s = (
            np.floor((t_s - self._delay_s - self._phase_s) / self._tick_s) * self._tick_s + self._phase_s
        )
        joules = np.interp(ticked_s, self._moments_s, self._true_j)
        for at_s, energy_j in zip(t_s, joules, strict=True):
            recorded.write(fast_row(round((at_s + ORIGIN_S) * S), energy_j=round(float(energy_j), 3)))
        return [(round((a + ORIGIN_S) * S), round((b + ORIGIN_S) * S)) for a, b in self.spans_s]


@pytest.mark.parametrize(("tick_s", "delay_s"), [(0.05, 0.0), (0.1, 0.0), (0.1, 0.05)])
def test_rests_are_known_far_better_than_by_the_power_beside_them(
    tick_s: float, delay_s: float, tmp_path: Path
) -> None:
    """Of random work; the joules of rests are 1 % of a block's, so 10 % of them are 0.1 % of it."""
    rng = np.random.default_rng(round(1000 * (tick_s + delay_s)))
    errors, of_block, held = [], [], []
    for number in range(12):
        recorded, block = Recorded(tmp_path / f"{number}.bin"), Block(tick_s, delay_s, rng)
        spans_ns = block.write(recorded)
        found = rests.measured(recorded, 0, spans_ns, tick_s, Delay(delay_s, 0.0015), WHOLE_NS)
        if found is None:  # not known well enough
            continue
        errors.append(found.energy_j / block.true_j - 1)
        of_block.append((found.energy_j - block.true_j) / block.work_j)
        held.append(abs(found.energy_j - block.true_j) <= 1.96 * found.u_j)
    assert len(errors) >= 9
    assert math.sqrt(np.mean(np.square(errors))) < 0.15
    assert math.sqrt(np.mean(np.square(of_block))) < 0.001
    assert sum(held) >= len(held) - 1


def test_a_counter_too_fast_or_too_slow_for_the_samples_inside_a_block_tells_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    for tick_s in (0.02, 0.5):
        recorded = Recorded(tmp_path / f"{tick_s}.bin")
        spans_ns = Block(tick_s, 0.0, rng).write(recorded)
        assert rests.measured(recorded, 0, spans_ns, tick_s, Delay(0.0, 0.002), WHOLE_NS) is None
    assert rests.measured(recorded, 0, [], 0.5, Delay(0.0, 0.002), WHOLE_NS) == (0.0, 0.0)


def test_without_updates_around_a_rest_nothing_is_told(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path / "samples.bin")
    recorded.write(*(fast_row(second * S, energy_j=100.0) for second in range(20)))
    assert (
        rests.measured(recorded, 0, [(9 * S, 9 * S + 50_000_000)], 0.1, Delay(0.0, 0.002), WHOLE_NS) is None
    )
    assert edges.edge_curves(recorded, 0, 9 * S, 10 * S, 0.1) is None


def test_a_rest_right_before_the_end_is_not_compared_with_what_comes_after(tmp_path: Path) -> None:
    """Ticks after the work had made such rests 15 J wrong (RMS)."""
    rng = np.random.default_rng(11)
    errors_j = [0.0]
    for number, left_s in enumerate(rng.uniform(0.02, 0.3, 60)):
        recorded = Recorded(tmp_path / f"{number}.bin")
        block = Block(0.1, 0.0, rng, late_s=(WORK_S - left_s - LATE_REST_S,))
        spans_ns = block.write(recorded)
        found = rests.measured(recorded, 0, spans_ns[-1:], 0.1, Delay(0.0, 0.0015), WHOLE_NS)
        if found is not None:
            errors_j.append(found.energy_j - block.last_j)
    assert math.sqrt(np.mean(np.square(errors_j))) < 3.0


def test_a_rest_that_is_not_resolved_has_the_power_of_the_others(tmp_path: Path) -> None:
    """One of 15 near the end: the joules of all are as well known as without it."""
    rng = np.random.default_rng(12)
    errors, held = [], []
    for number in range(12):
        recorded, block = Recorded(tmp_path / f"{number}.bin"), Block(0.1, 0.0, rng, late_s=(WORK_S - 0.1,))
        found = rests.measured(recorded, 0, block.write(recorded), 0.1, Delay(0.0, 0.0015), WHOLE_NS)
        if found is None:
            continue
        errors.append(found.energy_j / block.true_j - 1)
        held.append(abs(found.energy_j - block.true_j) <= 1.96 * found.u_j)
    assert len(errors) >= 9
    assert math.sqrt(np.mean(np.square(errors))) < 0.15
    assert sum(held) >= len(held) - 1
