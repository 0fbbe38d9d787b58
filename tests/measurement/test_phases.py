"""Joules of phases, most of them shorter than the counter's tick, against a known truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.core.block import Phase
from bench.engines.base import PhaseEdges
from bench.measurement.phases import phases
from bench.meters.gpu import Gpu
from bench.worker.messages import Batch
from tests.support.metering import Recorded, S, fast_row

GPU = Gpu(0, "GPU-a", "a card")
IDLE_W = 110.0


def seen(
    tmp_path: Path,
    lengths_s: dict[str, float],
    powers_w: dict[str, float],
    *,
    tick_s: float = 0.1,
    sample_s: float = 0.05,
    seconds: float = 30.0,
    tick_jitter_s: float = 0.0,
    spread: float = 0.02,
    delay_s: float = 0.0,
    late_share: float = 0.0,
    seed: int = 1,
) -> dict[str, Phase]:
    """What is said of batches of these phases by a card whose counter is looked at 20 times a second.

    The counter publishes its ticks `delay_s` late, and a share of the samples comes up to 40 ms late.
    """
    chance = np.random.default_rng(seed)
    now_s, batches, levels = 5.0, [], [(0.0, IDLE_W)]
    while now_s < 5.0 + seconds:
        stamps = []
        for name, length_s in lengths_s.items():
            end_s = now_s + length_s * (1 + spread * chance.normal())
            stamps.append(PhaseEdges(name, round(now_s * S), round(end_s * S)))
            levels.append((now_s, powers_w[name]))
            now_s = end_s
        levels.append((now_s, IDLE_W))
        batches.append(Batch(stamps[0].start_ns, stamps[-1].end_ns, 1, tuple(stamps)))
        now_s += 0.002
    times, watts = np.array(levels).T
    ends = np.append(times[1:], now_s + 10)
    counted = np.concatenate([[0.0], np.cumsum(watts * (ends - times))])
    ticks_s = np.arange(chance.uniform(0, tick_s), now_s + 4, tick_s)
    ticks_s = ticks_s + chance.normal(0, tick_jitter_s, len(ticks_s))
    stamps_s = np.arange(chance.uniform(0, sample_s), now_s + 3, sample_s)
    stamps_s = stamps_s + np.abs(chance.normal(0, 0.001, len(stamps_s)))
    late = chance.uniform(size=len(stamps_s)) < late_share
    stamps_s = np.sort(stamps_s + late * chance.uniform(0, 0.04, len(stamps_s)))
    last = np.clip(np.searchsorted(ticks_s, stamps_s - delay_s, side="right") - 1, 0, None)
    joules = np.interp(ticks_s[last], np.append(times, ends[-1]), counted)
    recorded = Recorded(tmp_path / "samples.bin")
    recorded.write(
        *(fast_row(round(t * S), energy_j=float(e)) for t, e in zip(stamps_s, joules, strict=True))
    )
    return phases(recorded, [GPU], tuple(batches))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("lengths_s", "powers_w"),
    [
        ({"prefill": 0.02, "decode": 1.0}, {"prefill": 450.0, "decode": 300.0}),
        (
            {"text_encoder": 0.05, "denoise": 2.0, "vae": 0.1},
            {"text_encoder": 200, "denoise": 380, "vae": 250},
        ),
        ({"prefill": 0.3, "decode": 5.0}, {"prefill": 450.0, "decode": 300.0}),
    ],
    ids=["a prefill of a fifth of a tick", "three phases", "long phases"],
)
@pytest.mark.parametrize("sample_s", [0.05, 0.0487], ids=["samples in step with the tick", "out of step"])
def test_phases_shorter_than_a_tick_are_told_from_many_ticks(
    tmp_path: Path, lengths_s: dict[str, float], powers_w: dict[str, float], sample_s: float, seed: int
) -> None:
    found = seen(tmp_path, lengths_s, powers_w, sample_s=sample_s, seed=seed)
    assert list(found) == list(lengths_s)
    for name, phase in found.items():
        joules = phase.energy[GPU.domain].gross_j
        assert joules is not None, phase.energy[GPU.domain].reason
        assert joules == pytest.approx(powers_w[name] * phase.seconds, rel=0.03)


THREE_PHASES_S = {"text_encoder": 0.05, "denoise": 2.0, "vae": 0.1}
THREE_PHASES_W = {"text_encoder": 200.0, "denoise": 380.0, "vae": 250.0}


@pytest.mark.parametrize("delay_s", [0.02, 0.05, 0.1, 0.2])
def test_a_counter_that_publishes_late_tells_phases_all_the_same(tmp_path: Path, delay_s: float) -> None:
    found = seen(tmp_path, THREE_PHASES_S, THREE_PHASES_W, delay_s=delay_s, sample_s=1 / 23)
    for name, phase in found.items():
        assert phase.energy[GPU.domain].gross_j == pytest.approx(
            THREE_PHASES_W[name] * phase.seconds, rel=0.03
        )


def test_a_counter_that_publishes_far_too_late_tells_none(tmp_path: Path) -> None:
    found = seen(tmp_path, THREE_PHASES_S, THREE_PHASES_W, delay_s=0.4, sample_s=1 / 23)
    assert {phase.energy[GPU.domain].gross_j for phase in found.values()} == {None}
    assert "later than 0.25 s" in (found["denoise"].energy[GPU.domain].reason or "")


@pytest.mark.parametrize("seed", range(5))
def test_late_samples_of_a_busy_machine_cost_no_phase(tmp_path: Path, seed: int) -> None:
    powers_w = {"prefill": 450.0, "decode": 300.0}
    found = seen(
        tmp_path, {"prefill": 0.02, "decode": 1.0}, powers_w, sample_s=1 / 23, late_share=0.03, seed=seed
    )
    for name, phase in found.items():
        assert phase.energy[GPU.domain].gross_j == pytest.approx(powers_w[name] * phase.seconds, rel=0.03)


def test_a_counter_that_moves_at_random_moments_tells_no_phases(tmp_path: Path) -> None:
    powers_w = {"prefill": 450.0, "decode": 300.0}
    found = seen(tmp_path, {"prefill": 0.02, "decode": 1.0}, powers_w, tick_jitter_s=0.03)
    assert {phase.energy[GPU.domain].gross_j for phase in found.values()} == {None}
    assert "irregularly" in (found["prefill"].energy[GPU.domain].reason or "")


def test_phases_in_step_with_the_tick_are_not_told_apart(tmp_path: Path) -> None:
    powers_w = {"prefill": 450.0, "decode": 300.0}
    found = seen(tmp_path, {"prefill": 0.02, "decode": 0.078}, powers_w, spread=0.0, seconds=5.0)
    for phase in found.values():
        assert phase.energy[GPU.domain].gross_j is None
        assert "the same share of every tick" in (phase.energy[GPU.domain].reason or "")


def test_too_few_moves_tell_nothing(tmp_path: Path) -> None:
    found = seen(tmp_path, {"decode": 0.2}, {"decode": 300.0}, seconds=0.2, tick_s=2.0)
    assert found["decode"].energy[GPU.domain].gross_j is None


def test_without_phases_or_cards_there_is_nothing_to_tell(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path / "samples.bin")
    assert phases(recorded, [GPU], (Batch(0, 1, 1, ()),)) == {}
    alone = phases(recorded, [], (Batch(0, S, 1, (PhaseEdges("decode", 0, S),)),))
    assert alone["decode"].seconds == 1.0
    assert alone["decode"].energy == {}
