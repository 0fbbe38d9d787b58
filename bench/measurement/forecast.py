"""Forecast of a run before it begins: its cases, what they download, the longest time that they take.

    forecast(cases).sentence            # "6 cases, about 41 GB to download, up to about 35 min beside ..."

The time is the sum of all limits; most cases reach their target before, and one whose five blocks take longer
than its limit is over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush

from bench.catalog.cases import Case, Planned
from bench.catalog.sweep import longest_s, roughly
from bench.doctor.hub import in_cache
from bench.machine.host_memory import HostMemory, host_memory_bytes
from bench.measurement.fitting import host_bytes
from bench.worker import producers


@dataclass(frozen=True)
class Forecast:
    """Number of cases, bytes of weights that are not in the cache, and all limits added up."""

    cases: int
    download_bytes: float
    longest_s: float

    @property
    def sentence(self) -> str:
        """The forecast in words, without a full stop."""
        parts = [f"{self.cases:,} cases" if self.cases != 1 else "1 case"]
        if self.download_bytes:
            parts.append(f"about {self.download_bytes / 1e9:.2g} GB to download")
        parts.append(f"up to about {roughly(self.longest_s)} beside loading")
        return ", ".join(parts)


def forecast(planned: Sequence[Planned]) -> Forecast:
    """The forecast of these cases. Files of the same model are downloaded once."""
    to_download = {
        (case.weights.hub_id, case.weights.variant): _hub_bytes(case)
        for item in planned
        for case in (item.case, *(part.case for part in item.case.parts.values() if not part.endpoint))
        if _is_downloaded(case)
    }
    seconds = sum(longest_s(item.measure) for item in planned)
    return Forecast(len(planned), sum(to_download.values()), seconds)


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
    return replace(forecast(planned), longest_s=at_s)
