"""Producer of a case's output: a worker process of this machine, or a server elsewhere.

    with producers.of(case.workload).create(setup) as producer:
        ready = producer.load(case)
        produced = producer.produce(WorkRequest(seconds=10.0))     # Produced(start_ns, end_ns, batches, ...)
        checked = producer.check(None, "page")

A producer never touches a meter. It answers with the edges of what is to be metered, and the meters read
what was drawn between them afterwards. Either its work begins and ends at these edges, as a worker's batches
do, or the edges are inside a load that goes on before and after them (`steady`).
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import Self

from bench.catalog.cases import Case
from bench.core.served import ServedWindow
from bench.engines.base import LoadedModel
from bench.machine.placement import Placement
from bench.worker.dealiasing import Dealiasing
from bench.worker.messages import Batch, CheckedOutput
from bench.worker.process import WorkerCode


@dataclass(frozen=True)
class WorkRequest:
    """Whole batches, at least `batches`, for at least `seconds`; or the case's offered load for `seconds`.

    Batches begin at the prompt `first_prompt`, with rests before some of them by `shift`. A load is held from
    `margin_s` before the first edge to as long after the last one.
    """

    seconds: float
    batches: int | None = None
    first_prompt: int = 0
    shift: Dealiasing | None = None
    margin_s: float = 0.0


@dataclass(frozen=True)
class Produced:
    """Result of a request: edges (CLOCK_MONOTONIC), batches with their own edges, rests between them.

    A batch of a server is one request. One that reaches beyond an edge counts by the share of its time that
    is between them.
    """

    start_ns: int
    end_ns: int
    batches: tuple[Batch, ...]
    rests_ns: tuple[tuple[int, int], ...] = ()
    steady: bool = False
    """Whether the load went on before the first edge and after the last one: power is steady there."""
    shares: tuple[float, ...] = ()
    """Of each batch's output, what came between the edges, where the producer saw it come."""
    served: ServedWindow | None = None
    """Of a server's load: what its client saw."""
    per_replica: tuple[int, ...] = ()
    """How many of the batches each replica made, whose batches follow those of the one before; else none."""
    rests_of: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)
    """Rests of replicas by the domain of each of their cards: they rest at different times."""
    work_ends_of: Mapping[str, int] = field(default_factory=dict)
    """Ends of replicas' own work by the same domains; the window's end is that of the last one."""

    @property
    def done(self) -> tuple[Batch, ...]:
        """The batches that ended between the edges, in the order of their ends."""
        return self._done(self.batches)

    def _done(self, batches: Iterable[Batch]) -> tuple[Batch, ...]:
        inside = [batch for batch in batches if self.start_ns < batch.end_ns <= self.end_ns]
        return tuple(sorted(inside, key=lambda batch: batch.end_ns))

    @property
    def sequences(self) -> tuple[tuple[Batch, ...], ...]:
        """Batches that were made one after the other, as `done` has them: those of each replica."""
        counts = self.per_replica or (len(self.batches),)
        ends = list(itertools.accumulate(counts))
        return tuple(
            self._done(self.batches[end - count : end]) for count, end in zip(counts, ends, strict=True)
        )

    @property
    def batch_s(self) -> float:
        """Seconds that a batch takes; where there are replicas, the slowest one."""
        return max((made[-1].end_ns - made[0].start_ns) / 1e9 / len(made) for made in self.sequences if made)

    def share(self, batch: Batch) -> float:
        """Share of a batch's time between the edges: 1 for one that is between them."""
        length_ns = batch.end_ns - batch.start_ns
        inside_ns = min(batch.end_ns, self.end_ns) - max(batch.start_ns, self.start_ns)
        return max(0.0, inside_ns / length_ns) if length_ns else 1.0

    @property
    def shares_inside(self) -> tuple[float, ...]:
        """Share of each batch between the edges: of its output where seen, else of its time."""
        return self.shares or tuple(self.share(batch) for batch in self.batches)

    @property
    def rest_s(self) -> float:
        """Seconds over all rests; where each card has its own, their mean."""
        each = list(self.rests_of.values()) or [self.rests_ns]
        return fmean(sum(end_ns - start_ns for start_ns, end_ns in spans) for spans in each) / 1e9


@dataclass(frozen=True)
class ProducerSetup:
    """Arguments of a run for a producer.

    `placement` is where the work runs, if it runs here; a process that is started for it runs `code`, by
    default this program's own. `meanwhile` is to be called about once a second while it waits; `note`
    receives sentences for the user. `endpoint` is the URL of a server that is up already, and `logs` the
    folder for what a process prints that is started for the case. `replicas` is how many copies of the model
    are at work at once, each on its share of the placement.
    """

    placement: Placement
    remote_code: frozenset[str] = frozenset()
    code: WorkerCode | None = None
    meanwhile: Callable[[], object] = lambda: None
    note: Callable[[str], object] = lambda _: None
    endpoint: str | None = None
    logs: Path | None = None
    replicas: int = 1


class Producer(ABC):
    """The calls of a case's life in their order, for the life of a `with` block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unload(gently=error is None)

    @abstractmethod
    def load(self, case: Case) -> LoadedModel:
        """Make ready; return what is used, cards by UUID among it. Raises EngineError(stage="load")."""

    @abstractmethod
    def produce(self, request: WorkRequest) -> Produced:
        """Do the work, and return when it is done. Raises EngineError(stage="generate")."""

    @abstractmethod
    def check(self, save_to: Path | None, stem: str) -> CheckedOutput:
        """Count and check what the last `produce` made, batch by batch, save it where asked, let go of it.

        Raises EngineError(stage="finish").
        """

    @abstractmethod
    def unload(self, *, gently: bool) -> None:
        """Free what was taken; at once, where not `gently`."""

    @property
    def pids(self) -> tuple[int, ...]:
        """Its processes on the cards. None: what was there before the case is taken for them."""
        return ()

    @property
    def elsewhere(self) -> str | None:
        """Why no meter of this machine reads its work; `None` where it runs here."""
        return None

    @property
    def trace(self) -> str | None:
        """Traceback of what went wrong in another process."""
        return None

    def last_words(self) -> str:
        """The end of what its process printed."""
        return ""
