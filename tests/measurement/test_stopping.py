"""When repeats end: not before the floor, at the target, at the time limit; invalid blocks do not count."""

from __future__ import annotations

import numpy as np
import pytest

from bench.core.block import Block
from bench.core.energy import DomainEnergy
from bench.measurement import stopping
from bench.measurement.stopping import StopLimits
from bench.stats.figures import derive


def block(joules: float, *, valid: bool = True, edge_u_j: float | None = None) -> Block:
    energy = {"gpu:a": DomainEnergy(gross_j=joules, source="counter", kind="measured", edge_u_j=edge_u_j)}
    return Block(
        start_ns=0, end_ns=10**10, batches=1, items=1, units=1.0, warmup=False, valid=valid, energy=energy
    )


def blocks(*joules: float) -> list[Block]:
    return [block(value) for value in joules]


def verdict(measured: list[Block], elapsed_s: float) -> str | None:
    return stopping.ended_by(measured, elapsed_s, StopLimits(0.02, 100.0, 5))


def test_four_equal_blocks_are_not_enough() -> None:
    assert verdict(blocks(100, 100, 100, 100), 200.0) is None


def test_five_close_blocks_reach_the_target() -> None:
    assert verdict(blocks(100, 100.5, 99.5, 100, 100), 50.0) == "target"


def test_blocks_that_agree_are_no_sharper_than_their_edges() -> None:
    alike = blocks(*[100.0] * 5)
    assert stopping.half_width(alike) == 0.0
    loose = [block(100.0, edge_u_j=3.0) for _ in alike]
    assert stopping.half_width(loose) == pytest.approx(1.96 * 0.03 / 5**0.5)
    assert verdict(alike, 50.0) == "target"
    assert verdict(loose, 50.0) is None, "±2.6 %"


def test_a_wide_interval_goes_on_until_the_time_is_up() -> None:
    wide = blocks(100, 120, 80, 110, 90)
    assert verdict(wide, 99.0) is None
    assert verdict(wide, 100.0) == "max_seconds"


def test_invalid_blocks_neither_reach_the_target_nor_go_on_for_ever() -> None:
    measured = [*blocks(100, 100, 100, 100), block(100, valid=False)]
    assert verdict(measured, 50.0) is None
    assert verdict(measured, 100.0) == "max_seconds"


def test_the_headline_of_a_run_under_way_is_that_of_its_record() -> None:
    host = DomainEnergy(gross_j=30.0, source="rapl", kind="measured")
    measured = [block(100.0), block(103.0), block(97.0, valid=False), block(104.0)]
    for each in measured:
        each.energy["cpu:package-0"] = host
    figures = derive(measured, None)
    assert figures.headline_scope is not None
    now = stopping.headline(measured)
    assert now == figures.energy_per_unit_j[figures.headline_scope].gross
    assert now is not None
    assert now.n == 3


def test_only_invalid_blocks_have_no_headline() -> None:
    assert stopping.headline([block(100, valid=False)]) is None


@pytest.mark.parametrize(
    ("times", "joules", "celsius", "expected"),
    [
        ([1.0, 1.0], None, None, False),
        ([1.0, 1.01, 1.0], None, None, True),
        ([2.0, 1.0, 1.01, 1.0], None, None, True),
        ([1.0, 1.1, 1.0], None, None, False),
        ([1.0, 1.0, 1.0], [100.0, 90.0, 100.0], None, False),
        ([1.0, 1.0, 1.0], [100.0, 101.0, 100.0], None, True),
        ([1.0, 1.0, 1.0], [100.0, 101.0, 100.0], [50.0, 52.0, 54.0], False),
        ([1.0, 1.0, 1.0], [100.0, 101.0, 100.0], [54.0, 53.0, 52.0], False),
        ([1.0, 1.0, 1.0, 1.0], [100.0, 101.0, 100.0, 100.0], [40.0, 53.0, 53.5, 53.9], True),
        ([1.0, 1.0, 1.0], [100.0, 90.0, None], [50.0, None, 54.0], True),
    ],
)
def test_warm_up_ends_when_three_rounds_agree_in_time_energy_and_temperature(
    times: list[float], joules: list[float | None] | None, celsius: list[float | None] | None, expected: bool
) -> None:
    nothing = [None] * len(times)
    rounds = [
        stopping.WarmupRound(*each) for each in zip(times, joules or nothing, celsius or nothing, strict=True)
    ]
    assert stopping.steady(rounds) is expected


@pytest.mark.parametrize(
    ("times", "joules", "expected"),
    [
        ([1.0, 1.0, 1.0], [100.0, 93.0, 99.0], True),
        ([1.0, 1.0, 1.0], [100.0, 91.0, 99.0], False),
        ([1.0, 0.93, 1.0], [100.0, 100.0, 100.0], False),
    ],
)
def test_a_tick_of_the_counter_is_no_unrest_in_joules_but_in_time(
    times: list[float], joules: list[float], expected: bool
) -> None:
    rounds = [stopping.WarmupRound(*each, tick_share=0.08) for each in zip(times, joules, strict=True)]
    assert stopping.steady(rounds) is expected


def test_time_left_counts_down_to_the_floor_and_never_past_the_limit() -> None:
    assert stopping.seconds_left([], 0.0, StopLimits(0.02, 100.0, 5)) is None
    first = stopping.seconds_left(blocks(100), 10.0, StopLimits(0.02, 100.0, 5))
    assert first == pytest.approx(40.0)
    wide = stopping.seconds_left(blocks(100, 150, 50, 100, 100), 50.0, StopLimits(0.02, 100.0, 5))
    assert wide == pytest.approx(50.0)
    left = stopping.seconds_left(blocks(100, 101.2, 98.8, 101.2, 98.8), 50.0, StopLimits(0.0125, 1e3, 5))
    assert left == pytest.approx(30.0), "±1.49 % of 5 blocks is ±1.18 % of 8"


def warming(rise_k: float, time_constant_s: float, warm_s: float, target: float) -> bool:
    """Whether four rounds of 5 s from `warm_s` on look steady on a card that warms, in whole kelvins."""
    rounds = []
    for number in range(4):
        begun_s = warm_s + number * (5.0 + 0.4)
        moments = np.arange(begun_s, begun_s + 5.0, 0.5)
        celsius = np.floor(40.3 + rise_k * (1 - np.exp(-moments / time_constant_s)))
        middle_s = begun_s + 2.5
        rounds.append(stopping.WarmupRound(1.0, 100.0, float(celsius.mean()), 0.02, middle_s, 5.0))
    return stopping.steady(rounds, target)


@pytest.mark.parametrize(("time_constant_s", "cold_s", "warm_s"), [(30.0, 60.0, 120.0), (60.0, 90.0, 180.0)])
def test_a_heat_sink_that_still_warms_is_seen_in_rounds_of_five_seconds(
    time_constant_s: float, cold_s: float, warm_s: float
) -> None:
    assert not warming(30.0, time_constant_s, 20.0, 0.02)
    assert not warming(30.0, time_constant_s, cold_s, 0.02)
    assert warming(30.0, time_constant_s, warm_s, 0.02)
    assert warming(30.0, time_constant_s, cold_s, 0.05), "a wider target waits less"


def test_three_rounds_of_five_seconds_are_too_short_to_see_a_heat_sink_move() -> None:
    even = [stopping.WarmupRound(1.0, 100.0, 50.0, 0.02, 2.5 + 5.4 * number, 5.0) for number in range(4)]
    assert not stopping.steady(even[:3])
    assert stopping.steady(even)
    longer = [each._replace(middle_s=2 * each.middle_s, seconds=10.0) for each in even[:3]]
    assert stopping.steady(longer)
