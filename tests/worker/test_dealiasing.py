"""Work in step with a sensor that sees a quarter of the time, with and without rests that shift it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import pstdev
from typing import Any

import pytest

from bench.core.calibration import Calibration, Counter
from bench.core.modalities.text import TextOptions
from bench.core.weights import Weights
from bench.engines.base import EngineSpec, GeneratedBatch
from bench.meters.gpus import GpuDrivers
from bench.worker import main
from bench.worker.dealiasing import PERIODS_BETWEEN, Dealiasing, shift
from bench.worker.messages import Generate, Generated
from tests.standin import StandIn
from tests.store.calibrations import known
from tests.support.metering import MS, S

PERIOD_S = 0.1
HIGH_W, LOW_W, REST_W = 400.0, 110.0, 110.0


def work(standin: StandIn, begin_ns: int, seconds: float) -> int:
    """Load that repeats itself every 100 ms, as denoising steps do; where it ends."""
    half_ns = round(PERIOD_S / 2 * S)
    for number in range(round(seconds / PERIOD_S)):
        standin.load(0, begin_ns + 2 * number * half_ns, HIGH_W)
        standin.load(0, begin_ns + (2 * number + 1) * half_ns, LOW_W)
    end_ns = begin_ns + round(seconds * S)
    standin.load(0, end_ns, REST_W)
    return end_ns


def error_of_a_minute(
    standin: StandIn, drivers: GpuDrivers, item_s: float, shift: Dealiasing | None, phase_ns: int
) -> float:
    """The counter's error over 60 s of items, the joules of the rests taken out on both sides."""
    begin_ns = standin.now_ns() // (100 * MS) * 100 * MS + 100 * MS + phase_ns
    now_ns, rest_s, worked_s, rests = begin_ns, 0.0, float("inf"), 0
    while now_ns < begin_ns + 60 * S:
        if shift and worked_s >= shift.every_s:
            pause_s = shift.rest_s(rests, now_ns / S)
            now_ns, rest_s, worked_s, rests = now_ns + round(pause_s * S), rest_s + pause_s, 0.0, rests + 1
        now_ns = work(standin, now_ns, item_s)
        worked_s += item_s
    standin.control.virtual_now_ns = begin_ns
    before_j = drivers.gpus[0].read().energy_j
    standin.control.virtual_now_ns = now_ns
    after_j = drivers.gpus[0].read().energy_j
    assert before_j is not None
    assert after_j is not None
    truth_j = standin.true_energy_j(0, begin_ns, now_ns) - REST_W * rest_s
    standin.clear_load()
    standin.advance_ns(5 * S)
    return (after_j - before_j - REST_W * rest_s) / truth_j - 1


@pytest.fixture
def part_time(clocked: StandIn) -> StandIn:
    """A card whose sensor sees 25 of every 100 ms, like an A100's or an H100's, and its counter with it."""
    card = clocked.gpu(0)
    card.counter_part_time = True
    card.seen_share, card.sensor_period_ns, card.base_w = 0.25, 100 * MS, REST_W
    return clocked


@pytest.mark.parametrize("item_s", [1.0, 2.5], ids=["items of 1 s", "items of 2.5 s"])
def test_a_part_time_sensor_lies_about_work_in_step_and_is_right_about_work_that_is_shifted(
    part_time: StandIn, drivers: GpuDrivers, item_s: float
) -> None:
    phases_ns = [round(share * 100) * MS for share in (0.0, 0.2, 0.4, 0.6, 0.8)]
    in_step = [error_of_a_minute(part_time, drivers, item_s, None, at) for at in phases_ns]
    assert max(map(abs, in_step)) > 0.4
    assert pstdev(in_step) > 0.25
    shift = Dealiasing(PERIOD_S)
    shifted = [error_of_a_minute(part_time, drivers, item_s, shift, at) for at in phases_ns]
    print(f"in step sd {pstdev(in_step):.1%}, shifted worst {max(map(abs, shifted)):.2%}")
    assert max(map(abs, shifted)) < 0.02


def test_items_that_would_be_in_step_with_any_fixed_rest_are_shifted_too(
    part_time: StandIn, drivers: GpuDrivers
) -> None:
    """2.1 s of work and a rest of 0.38 periods would come round every time; the points in time do not."""
    errors = [
        error_of_a_minute(part_time, drivers, 2.1, Dealiasing(PERIOD_S), at * MS) for at in (0, 25, 50, 75)
    ]
    assert max(map(abs, errors)) < 0.02


def test_starts_fill_the_period_evenly_however_many_there_are() -> None:
    shift, now_s, points = Dealiasing(PERIOD_S, first=1000), 12.345, []
    for number in range(50):
        now_s += shift.rest_s(number, now_s)
        points.append(now_s % PERIOD_S / PERIOD_S)
        now_s += 2.1
    gaps = [b - a for a, b in zip(sorted(points), sorted(points)[1:], strict=False)]
    assert max(gaps) < 3 / len(points)


class Sleeper:
    """An engine whose batches take 30 ms."""

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        begun = time.monotonic_ns()
        time.sleep(0.03)
        return GeneratedBatch(begun, time.monotonic_ns(), len(prompts), (), None)


def produced(shift: Dealiasing | None, **wanted: Any) -> Generated:
    """What a worker with such an engine makes."""
    with_engine = main.Worker()
    spec = EngineSpec(
        "m", Weights(kind="random", architecture="tiny-bloom"), TextOptions(new_tokens=4), "float32", 1
    )
    with_engine._prompts, with_engine._batch, with_engine._seed = ("one",), spec.batch, 0
    with_engine._engine = Sleeper()  # type: ignore[assignment]
    answer = with_engine.answer(Generate(0, shift=shift, **wanted))
    assert isinstance(answer, Generated)
    return answer


def test_the_worker_rests_before_the_first_batch_and_then_seldom() -> None:
    shift = Dealiasing(period_s=0.01, first=3)
    begun_ns = time.monotonic_ns()
    made = produced(shift, batches=40)
    edges_ns = [begun_ns, *(edge for batch in made.batches for edge in (batch.start_ns, batch.end_ns))]
    idle_s = sum(after - before for before, after in zip(edges_ns[::2], edges_ns[1::2], strict=False)) / 1e9
    assert 0 < sum(end_ns - begin_ns for begin_ns, end_ns in made.rests_ns) / S <= idle_s
    worked_s = (made.batches[-1].end_ns - begun_ns) / 1e9
    assert 2 <= len(made.rests_ns) <= 1 + worked_s / shift.every_s
    assert shift.every_s == pytest.approx(PERIODS_BETWEEN * 0.01)


def test_without_a_shift_nothing_rests() -> None:
    assert produced(None, batches=3).rests_ns == ()


def card(share_seen: float | None, period_s: float | None) -> Calibration:
    """A calibrated card, of which only the counter matters here."""
    counter = Counter(tick_s=0.5, share_seen=share_seen, sensor_period_s=period_s, unexplained=0.0)
    return known(counter=counter)


@pytest.mark.parametrize(
    ("cards", "period_s"),
    [
        ([], None),
        ([None], 0.1),
        ([card(1.0, 0.1)], None),
        ([card(0.25, 0.02)], 0.02),
        ([card(None, None)], 0.1),
        ([card(1.0, 0.1), None], 0.1),
        ([card(0.25, 0.02), card(0.5, 0.3)], 0.3),
    ],
    ids=[
        "no card",
        "a card that nobody knows",
        "one that sees all the time",
        "one that sees a quarter of 20 ms",
        "one whose share could not be told",
        "one known, one not",
        "the longest period of several",
    ],
)
def test_cards_are_rested_for_as_they_were_calibrated(
    cards: list[Calibration | None], period_s: float | None
) -> None:
    assert shift(cards, 7) == (None if period_s is None else Dealiasing(period_s, 7))
