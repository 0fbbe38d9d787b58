"""Replicas: copies of one model, each in a worker on its own cards, asked at the same time.

    with ReplicaProducer(replace(setup, replicas=4)) as producer:
        producer.load(case)                                      # the first alone, the others at once
        producer.produce(WorkRequest(seconds=10.0)).per_replica  # (5, 5, 5, 5): batches of each

A window is from the start of the first to the end of the last of them. They share the prompts as one worker's
batches would follow one another, and nothing else. Each rests by itself to shift its work against its cards'
sensors. On a CPU, where it is not known whose cards are metered, none does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench.catalog.cases import Case
from bench.catalog.prompts import prompts
from bench.core.domain import Domain
from bench.core.observed import PeakMemory
from bench.engines.base import LoadedModel
from bench.worker.at_once import WorkersAtOnce
from bench.worker.engine_spec import engine_spec
from bench.worker.messages import CheckedOutput, CheckOutput, Generate, Generated, LoadModel, Request
from bench.worker.process import WorkerProcess
from bench.worker.producer import Produced, Producer, ProducerSetup, WorkRequest


class ReplicaProducer(Producer):
    """As many workers as there are replicas; all of them are asleep before and after a request."""

    def __init__(self, setup: ProducerSetup) -> None:
        self._setup = setup
        self._places = setup.placement.shares(setup.replicas)
        self._workers: list[WorkerProcess] = []
        self._batch = 1
        self._domains: list[tuple[str, ...]] = []
        """Of each replica's cards."""
        self._asked = False
        # By this thread, which lives as long as the run: workers end with the thread that started them.
        with ExitStack() as started:
            for place in self._places:
                worker = WorkerProcess(place.environment, setup.code, setup.meanwhile, setup.note)
                started.callback(worker.close, gently=False)
                self._workers.append(worker)
            started.pop_all()
        self._at_once = WorkersAtOnce(self._workers, setup.meanwhile)

    def load(self, case: Case) -> LoadedModel:
        """Load the first copy alone, which downloads what is missing, then the others at once."""
        texts = prompts(case.model.engine, case.options).texts
        specs = [engine_spec(case, place, self._setup.remote_code) for place in self._places]
        asked: dict[int, Request] = {at: LoadModel(spec, texts, notes=True) for at, spec in enumerate(specs)}
        begun_s, first = time.monotonic(), {0: asked.pop(0)}
        ready = [*self._at_once.ask(first, LoadedModel), *self._at_once.ask(asked, LoadedModel)]
        self._domains = [tuple(Domain.gpu(uuid).text for uuid in each.device_uuids) for each in ready]
        self._batch = case.batch
        return _together(ready, time.monotonic() - begun_s)

    def produce(self, request: WorkRequest) -> Produced:
        """Make whole batches in all workers, from the first one's start to the last one's end."""
        # The first request of a case begins with the longest prompt, and does so for each copy.
        step = (request.batches or 1) * self._batch if self._asked else 0
        self._asked = True
        shift = request.shift if all(self._domains) else None
        wanted: dict[int, Request] = {
            at: Generate(request.first_prompt + at * step, request.batches, request.seconds, shift)
            for at in range(len(self._workers))
        }
        start_ns = time.monotonic_ns()
        made = self._at_once.ask(wanted, Generated)
        end_ns = time.monotonic_ns()
        batches = tuple(batch for generated in made for batch in generated.batches)
        return Produced(
            start_ns,
            end_ns,
            batches,
            per_replica=tuple(len(generated.batches) for generated in made),
            rests_of={
                domain: generated.rests_ns
                for domains, generated in zip(self._domains, made, strict=True)
                for domain in domains
            },
            work_ends_of={
                domain: generated.batches[-1].end_ns
                for domains, generated in zip(self._domains, made, strict=True)
                for domain in domains
                if generated.batches
            },
        )

    def check(self, save_to: Path | None, stem: str) -> CheckedOutput:
        """Let each worker look at its output; files have the number of their replica in the name."""
        folder = None if save_to is None else str(save_to)
        asked: dict[int, Request] = {
            at: CheckOutput(folder, f"{stem}-replica{at + 1}") for at in range(len(self._workers))
        }
        found = self._at_once.ask(asked, CheckedOutput)
        return CheckedOutput(
            tuple(check for each in found for check in each.found),
            tuple(file for each in found for file in each.files),
            _peak([each.peak for each in found]),
        )

    def unload(self, *, gently: bool) -> None:
        """End all workers, also where ending one of them is interrupted."""
        with ExitStack() as left:
            for worker in self._workers:
                left.callback(worker.close, gently=gently)

    @property
    def pids(self) -> tuple[int, ...]:
        """Those of all workers."""
        return tuple(worker.pid for worker in self._workers)

    @property
    def trace(self) -> str | None:
        """Traceback of the request that failed."""
        return self._at_once.failed.trace if self._at_once.failed else None

    def last_words(self) -> str:
        """The end of the log of the worker that failed; of the first one where none did."""
        return (self._at_once.failed or self._workers[0]).last_words()


def _together(ready: Sequence[LoadedModel], load_s: float) -> LoadedModel:
    """What was read back from the first copy, with the cards and the memory of all."""
    sizes = [each.memory_bytes for each in ready]
    return replace(
        ready[0],
        device_uuids=tuple(uuid for each in ready for uuid in each.device_uuids),
        memory_bytes=_total(sizes),
        load_s=load_s,
    )


def _total(sizes: Iterable[int | float | None]) -> int | None:
    known = list(sizes)
    return None if None in known else int(sum(size or 0 for size in known))


def _peak(peaks: Sequence[PeakMemory | None]) -> PeakMemory | None:
    """The most memory of all replicas together; `None` where one does not say."""
    known = [peak for peak in peaks if peak is not None]
    if len(known) < len(peaks):
        return None
    return PeakMemory(
        used_bytes=_total(peak.used_bytes for peak in known),
        of=known[0].of,
        reserved_bytes=_total(peak.reserved_bytes for peak in known),
        reason=next((peak.reason for peak in known if peak.reason), None),
    )
