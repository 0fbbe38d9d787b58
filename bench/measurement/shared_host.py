"""What cases side by side share is taken out of their records: a part of it is not known, the whole is wrong.

    under_way = CasesUnderWay()
    number = under_way.begin(case, cards)        # until under_way.end(number)
    block = own_alone(block, reason(under_way.beside(number)))
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from bench.catalog.cases import Case
from bench.core.block import Block, CodeCarbonTask, Idle
from bench.core.domain import Domain
from bench.core.energy import DomainEnergy
from bench.core.loading import Loading
from bench.core.side_by_side import CaseBeside
from bench.meters.gpu import Gpu


@dataclass
class _UnderWay:
    label: str
    hash: str
    gpus: list[str]
    start_ns: int
    end_ns: int | None = None

    def shared_s(self, other: _UnderWay, now_ns: int) -> float:
        """Seconds that both have in common until now."""
        end_ns = min(self.end_ns or now_ns, other.end_ns or now_ns)
        return max(0, end_ns - max(self.start_ns, other.start_ns)) / 1e9


class CasesUnderWay:
    """Which case was measured when, on which cards. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._cases: list[_UnderWay] = []

    def begin(self, case: Case, cards: Sequence[Gpu]) -> int:
        """A case begins; return its number."""
        with self._lock:
            uuids = [gpu.uuid for gpu in cards]
            begun = _UnderWay(case.label, case.as_mapping()["hash"], uuids, time.monotonic_ns())
            self._cases.append(begun)
            return len(self._cases) - 1

    def end(self, number: int) -> None:
        """It has ended."""
        with self._lock:
            self._cases[number].end_ns = time.monotonic_ns()

    def beside(self, number: int) -> list[CaseBeside]:
        """The cases that ran at the same time as this one so far, in the order of their starts."""
        now_ns = time.monotonic_ns()
        with self._lock:
            mine = self._cases[number]
            shared = [(other, mine.shared_s(other, now_ns)) for other in self._cases if other is not mine]
        return [
            CaseBeside(label=other.label, hash=other.hash, gpus=other.gpus, shared_s=shared_s)
            for other, shared_s in shared
            if shared_s > 0
        ]


def own_alone(block: Block, reason: str) -> Block:
    """The block with its cards' joules alone: those of other domains are absent."""
    changed = {"energy": _cards_alone(block.energy, reason), "codecarbon": _task(block.codecarbon, reason)}
    return block.model_copy(update=changed)


def loading_alone(loading: Loading | None, reason: str) -> Loading | None:
    """The same of loading."""
    if loading is None:
        return None
    return loading.model_copy(update={"energy": _cards_alone(loading.energy, reason)})


def idle_alone(idle: Mapping[str, Idle], reason: str) -> dict[str, Idle]:
    """The same of idle power: a machine at whose other cards there is work is not idle."""
    unknown = ("power_w", "sd_w", "before", "after")
    return {
        domain: seen
        if Domain.parse(domain).is_gpu
        else Idle(
            power_w=None, sd_w=None, before=None, after=None, kind=seen.kind, absent=dict.fromkeys(unknown, reason)
        )
        for domain, seen in idle.items()
    }


def _cards_alone(energy: Mapping[str, DomainEnergy], reason: str) -> dict[str, DomainEnergy]:
    return {
        domain: each
        if Domain.parse(domain).is_gpu
        else DomainEnergy(gross_j=None, source=each.source, kind=each.kind, reason=reason)
        for domain, each in energy.items()
    }


def _task(task: CodeCarbonTask | None, reason: str) -> CodeCarbonTask | None:
    if task is None:
        return None
    absent = task.absent | dict.fromkeys(("cpu_j", "ram_j", "carbon_g"), reason)
    return task.model_copy(update={"cpu_j": None, "ram_j": None, "carbon_g": None, "absent": absent})
