"""Forecast of a run before it begins: its cases, what they download, the longest time that they take.

    forecast(cases, "cuda").sentence    # "6 cases, about 41 GB to download, up to about 35 min beside ..."

The time is the sum of all limits; most cases reach their target before, and one whose five blocks take longer
than its limit is over it. On a CPU that is the rule for all but toys, and by how much is not known before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Literal

from bench.catalog.cases import Case, Planned
from bench.catalog.sweep import longest_s, roughly
from bench.core.words import counted
from bench.doctor.hub import in_cache
from bench.machine.host_memory import HostMemory, host_memory_bytes
from bench.measurement.fitting import host_bytes
from bench.worker import producers

SMALL_GB = 0.1
"""Weights up to which a batch on a CPU takes seconds."""
MOST_NAMED = 3
"""Models in a sentence; of more their number is said."""


@dataclass(frozen=True)
class Forecast:
    """Number of cases, bytes of weights that are not in the cache, and all limits added up.

    `untold` are models of which one batch alone may take longer than the limit, by an unknown amount.
    """

    cases: int
    download_bytes: float
    longest_s: float
    untold: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The forecast in words, without a full stop."""
        parts = [f"{self.cases:,} cases" if self.cases != 1 else "1 case"]
        if self.download_bytes:
            parts.append(f"about {self.download_bytes / 1e9:.2g} GB to download")
        parts.append(f"up to about {roughly(self.longest_s)} beside loading")
        sentence = ", ".join(parts)
        if not self.untold:
            return sentence
        named = (
            ", ".join(self.untold) if len(self.untold) <= MOST_NAMED else counted(len(self.untold), "model")
        )
        return f"{sentence}; on a CPU one batch may take longer than that: the time of {named} is not known"


def forecast(planned: Sequence[Planned], device: Literal["cuda", "cpu"]) -> Forecast:
    """The forecast of these cases. Files of the same model are downloaded once."""
    to_download = {
        (case.weights.hub_id, case.weights.variant): _hub_bytes(case)
        for item in planned
        for case in (item.case, *(part.case for part in item.case.parts.values() if not part.endpoint))
        if _is_downloaded(case)
    }
    seconds = sum(longest_s(item.measure) for item in planned)
    slow = [item.case for item in planned if device == "cpu" and _is_large(item.case)]
    untold = dict.fromkeys(case.name for case in slow if producers.of(case.workload).LOADS_HERE)
    return Forecast(len(planned), sum(to_download.values()), seconds, tuple(untold))


def _is_large(case: Case) -> bool:
    """Whether a batch on a CPU may take longer than limits that are made for cards."""
    return not case.model.toy and case.model.memory_gb > SMALL_GB


def _is_downloaded(case: Case) -> bool:
    hub_id = case.weights.hub_id
    loads_here = producers.of(case.workload).LOADS_HERE
    return case.weights.kind == "hub" and hub_id is not None and loads_here and not in_cache(hub_id)


def _hub_bytes(case: Case) -> float:
    """Size of the files: as published, else that of 16-bit weights."""
    return (case.model.published_gb or case.model.memory_gb) * 1e9


def forecast_side_by_side(
    planned: Sequence[Planned], needed: Sequence[int], cards: int, host: HostMemory | None = None
) -> Forecast:
    """The forecast of cases that begin, in order, as soon as the cards and host memory they need are free."""
    at_s, free = 0.0, cards
    host = host or HostMemory(host_memory_bytes())
    running: list[tuple[float, int, int]] = []
    waiting = [
        (longest_s(item.measure), count, host_bytes(item.case))
        for item, count in zip(planned, needed, strict=True)
    ]
    while waiting or running:
        for case in list(waiting):
            case_s, count, need_bytes = case
            if count <= free and host.takes(need_bytes):
                waiting.remove(case)
                free -= count
                heappush(running, (at_s + case_s, count, need_bytes))
        at_s, freed, freed_bytes = heappop(running)
        host.give_back(freed_bytes)
        free += freed
    return replace(forecast(planned, "cuda"), longest_s=at_s)
