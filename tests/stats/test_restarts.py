"""Spread over several starts of a server, against the numbers that blocks were made with."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from bench.core.block import Block
from bench.core.observed import Observed
from bench.core.served import Percentiles, ServedWindow
from bench.stats import token_figures
from bench.stats.figures import derive
from bench.stats.restarts import restart_figures
from bench.stats.served import served_figures
from tests.support import factory


def started(joules: Sequence[float], start: int | None, end_to_end_s: float | None = None) -> list[Block]:
    """Blocks of a page each, of one start."""
    served = window(start, end_to_end_s)
    return [factory.block(each, observed=Observed(served=served)) for each in joules]


def window(start: int | None, end_to_end_s: float | None = None) -> ServedWindow:
    seconds = None
    if end_to_end_s is not None:
        seconds = Percentiles(median=end_to_end_s, p90=end_to_end_s, p99=end_to_end_s, n=9)
    return factory.served_window(start, output_tokens=900.0, end_to_end_s=seconds)


def test_scatter_between_starts_is_apart_from_that_of_blocks() -> None:
    chance = random.Random(0)
    starts = [300.0 * (1 + chance.gauss(0, 0.05)) for _ in range(60)]
    blocks = [
        each
        for number, mean in enumerate(starts, start=1)
        for each in started([mean + 300 * chance.gauss(0, 0.01) for _ in range(5)], number)
    ]
    found = restart_figures(blocks)
    assert found is not None
    assert found.starts == 60
    assert found.between_share == pytest.approx(0.05, rel=0.2)
    assert found.within_share == pytest.approx(0.01, rel=0.15)
    whole = derive(blocks, None).energy_per_unit_j["gpu"].gross
    assert whole is not None
    assert found.energy_per_unit_j.value == pytest.approx(whole.value)


def test_the_headlines_interval_holds_the_truth_where_starts_differ() -> None:
    chance = random.Random(5)
    held = 0
    for _ in range(400):
        starts = [300.0 * (1 + chance.gauss(0, 0.03)) for _ in range(4)]
        blocks = [
            each
            for number, mean in enumerate(starts, start=1)
            for each in started([mean + 300 * chance.gauss(0, 0.005) for _ in range(5)], number)
        ]
        whole = derive(blocks, None).energy_per_unit_j["gpu"].gross
        assert whole is not None
        assert whole.low is not None
        assert whole.high is not None
        held += whole.low <= 300.0 <= whole.high
    assert 0.92 < held / 400 < 0.98


def test_starts_that_differ_by_no_more_than_blocks_have_none_between_them() -> None:
    found = restart_figures([*started([290.0, 310.0], 1), *started([291.0, 309.0], 2)])
    assert found is not None
    assert found.between_share == 0.0
    assert found.within_share == pytest.approx(0.045, rel=0.05)
    single = restart_figures([*started([290.0], 1), *started([310.0], 2)])
    assert single is not None
    assert single.within_share is None


def test_one_start_has_no_spread() -> None:
    assert restart_figures(started([300.0, 301.0], None)) is None
    assert restart_figures(started([300.0, 301.0], 1)) is None
    assert restart_figures([]) is None


def test_every_figure_of_several_starts_rests_on_the_number_of_starts() -> None:
    blocks = [
        each
        for number, (joules, seconds) in enumerate(((300.0, 0.5), (330.0, 0.7)), start=1)
        for each in started([joules - 1, joules, joules + 1], number, end_to_end_s=seconds)
    ]
    served, tokens = served_figures(blocks), token_figures.derive(blocks)
    assert served is not None
    assert served.end_to_end_s is not None
    assert tokens is not None
    assert served.end_to_end_s.median.value == pytest.approx(0.6)
    assert served.end_to_end_s.median.n == 2
    per_joule = tokens.output_tokens_per_j["gpu"].gross
    for found in (served.requests_per_s, served.idle_share["gpu"], served.running, per_joule):
        assert found is not None
        assert found.n == 2
