"""Cards that cases take while they run side by side: the fewest that hold a case, next to each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.machine.card_pool import CardPool, Fits
from bench.machine.placement import Placement
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from tests.standin import StandIn

GB = 10**9


@pytest.fixture
def cards(standin_library: Path, tmp_path: Path) -> Iterator[tuple[Gpu, ...]]:
    """Two cards of 24 GB between two of 80 GB."""
    standin = StandIn(standin_library, tmp_path / "four.control", gpu_count=4)
    for gpu, size in enumerate((80, 24, 24, 80)):
        standin.gpu(gpu).memory_total_bytes = size * GB
    standin.attach()
    with GpuDrivers() as drivers:
        yield drivers.gpus
    standin.close()


def of_memory(gb: float) -> Fits:
    return lambda place: sum(int(gpu.identity().memory_bytes or 0) for gpu in place.visible) >= gb * GB


def indices(cards: tuple[Gpu, ...] | None) -> list[int] | None:
    return None if cards is None else [gpu.index for gpu in cards]


@pytest.mark.parametrize(("gb", "count"), [(10, 1), (60, 1), (100, 2), (110, 3), (200, 4), (9000, 4)])
def test_a_case_asks_for_the_fewest_cards_that_hold_it(cards: tuple[Gpu, ...], gb: float, count: int) -> None:
    assert CardPool(Placement("cuda", cards, cards)).fewest(of_memory(gb)) == count


def test_replicas_ask_for_a_multiple_of_their_number(cards: tuple[Gpu, ...]) -> None:
    pool = CardPool(Placement("cuda", cards, cards))
    assert pool.fewest(of_memory(10), replicas=2) == 2
    assert pool.fewest(of_memory(110), replicas=2) == 4
    assert pool.fewest(of_memory(9000), replicas=3) == 3


def test_a_card_is_of_one_case_until_it_is_given_back(cards: tuple[Gpu, ...]) -> None:
    pool = CardPool(Placement("cuda", cards, cards))
    first = pool.take(1, of_memory(60))
    assert indices(first) == [0]
    assert indices(pool.take(1, of_memory(60))) == [3], "cards of 24 GB do not hold it"
    assert pool.take(1, of_memory(60)) is None
    assert indices(pool.take(2, of_memory(10))) == [1, 2]
    assert pool.take(1, of_memory(1)) is None
    assert first is not None
    pool.give_back(first)
    assert indices(pool.take(1, of_memory(1))) == [0]


def test_cards_of_a_case_are_next_to_each_other_when_all_are_free(cards: tuple[Gpu, ...]) -> None:
    pool = CardPool(Placement("cuda", cards, cards))
    assert indices(pool.take(4, of_memory(9000))) == [0, 1, 2, 3], "its own refusal says that it does not fit"


def test_two_cards_with_another_case_between_them_are_no_row(cards: tuple[Gpu, ...]) -> None:
    pool = CardPool(Placement("cuda", cards, cards))
    taken = [pool.take(1, of_memory(1)) for _ in range(4)]
    for each in (taken[0], taken[2]):
        assert each is not None
        pool.give_back(each)
    assert pool.take(2, of_memory(1)) is None
