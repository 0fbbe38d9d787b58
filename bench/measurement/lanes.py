"""Cases side by side, each on cards of its own: which case gets which cards, and when.

    pool = pool_of(drivers, gpus, device)                # all cards that the cases may use
    [turn.starts_s for turn in schedule(cases, pool)]    # simulated with the longest times
    startable(waiting, free, pool)                       # the first case for which enough cards are free

A case takes as few cards as hold it, whatever is free: how many it runs on does not depend on its neighbours.
One that finds too few free waits, and smaller ones behind it go first.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Literal, NamedTuple

from bench.catalog.cases import Case, Planned
from bench.catalog.sweep import longest_s
from bench.machine.placement import Placement, on_cards, place, visible_cards
from bench.measurement.fitting import why_not
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers


class Turn(NamedTuple):
    """A case, its cards, and the seconds after which it begins at the latest."""

    at: int
    cards: tuple[Gpu, ...]
    starts_s: float


def pool_names(drivers: GpuDrivers, gpus: str | None, device: Literal["auto", "cuda", "cpu"]) -> str | None:
    """The cards that cases share out: those of `--gpus`, else all that the work may see; `None`: no card."""
    if gpus is not None or device == "cpu":
        return gpus
    return ",".join(gpu.uuid for gpu in visible_cards(drivers) if gpu.facts.takes_work) or None


def pool_of(drivers: GpuDrivers, gpus: str | None, device: Literal["auto", "cuda", "cpu"]) -> Placement:
    """The place of all cases together. Raises UsageError or PrerequisiteError."""
    return place(drivers, pool_names(drivers, gpus, device), device)


def count_needed(case: Case, pool: Sequence[Gpu]) -> int:
    """Number of cards that a case runs on: the fewest that hold it, of replicas a multiple of them."""
    largest = sorted(pool, key=_memory_bytes, reverse=True)
    for count in range(case.replicas, len(pool) + 1, case.replicas):
        if why_not(case, on_cards(largest[:count])) is None:
            return count
    return len(pool)


def cards_for(case: Case, free: Sequence[Gpu], pool: Sequence[Gpu]) -> tuple[Gpu, ...] | None:
    """Cards of those that are free for a case; `None` where it has to wait."""
    count = count_needed(case, pool)
    if count > len(free):
        return None
    if count == len(pool):
        return tuple(pool)
    groups = [(gpu,) for gpu in free] if count == 1 else []
    groups += [tuple(free[:count]), tuple(sorted(free, key=_memory_bytes, reverse=True)[:count])]
    return next((group for group in groups if why_not(case, on_cards(group)) is None), None)


def startable(
    waiting: Sequence[int], cases: Sequence[Planned], free: Sequence[Gpu], pool: Sequence[Gpu]
) -> tuple[int, tuple[Gpu, ...]] | None:
    """The first waiting case for which enough cards are free, with its cards."""
    for at in waiting:
        cards = cards_for(cases[at].case, free, pool) if free else None
        if cards is not None:
            return at, cards
    return None


def schedule(cases: Sequence[Planned], pool: Placement) -> list[Turn]:
    """Turns of all cases if each takes its longest time, by their starts."""
    turns: list[Turn] = []
    waiting, free, now_s = list(range(len(cases))), list(pool.cards), 0.0
    busy: list[tuple[float, int, tuple[Gpu, ...]]] = []
    while waiting:
        found = startable(waiting, cases, free, pool.cards)
        if found is None:
            now_s, _, cards = heapq.heappop(busy)
            free = in_order([*free, *cards], pool.cards)
            continue
        at, cards = found
        waiting.remove(at)
        free = [gpu for gpu in free if gpu not in cards]
        heapq.heappush(busy, (now_s + longest_s(cases[at].measure), at, cards))
        turns.append(Turn(at, cards, now_s))
    return turns


def makespan_s(cases: Sequence[Planned], pool: Placement) -> float:
    """Seconds until the last case is over, if each takes its longest time."""
    return max(turn.starts_s + longest_s(cases[turn.at].measure) for turn in schedule(cases, pool))


def why_in_turn(cases: Sequence[Planned], pool: Placement) -> str | None:
    """Reason why nothing can run side by side; `None` where something can."""
    if pool.device == "cpu":
        return "--parallel has no effect on the CPU, so the cases run one after the other."
    if len(pool.cards) == 1:
        return "--parallel has no effect with one card, so the cases run one after the other."
    if len(cases) > 1 and len({turn.starts_s for turn in schedule(cases, pool)}) == len(cases):
        return "--parallel has no effect: each case needs cards of the others, so they run one after the other."
    return None


def in_order(cards: Sequence[Gpu], pool: Sequence[Gpu]) -> list[Gpu]:
    """The cards in the order of the pool."""
    return [gpu for gpu in pool if gpu in cards]


def _memory_bytes(gpu: Gpu) -> int:
    return int(gpu.identity().memory_bytes or 0)
