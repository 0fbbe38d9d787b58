"""Batch after batch in a worker process of this machine, which has the model (`bench/engines`)."""

from __future__ import annotations

import time
from pathlib import Path

from bench.catalog.cases import Case
from bench.catalog.prompts import prompts
from bench.core.workload import WorkloadKind
from bench.engines.base import LoadedModel
from bench.worker.engine_spec import engine_spec
from bench.worker.messages import CheckedOutput, CheckOutput, Generate, Generated, LoadModel
from bench.worker.process import WorkerProcess
from bench.worker.producer import Produced, Producer, ProducerSetup, WorkRequest
from bench.worker.replicas import ReplicaProducer

WORKLOADS: frozenset[WorkloadKind] = frozenset({"closed"})
LOADS_HERE = True
ASKS_SERVER = False
STARTS_SERVER = False


def packages(case: Case) -> tuple[str, ...]:
    """Those of the case's engine."""
    return case.modality.packages


def create(setup: ProducerSetup) -> Producer:
    """Start a worker, or one a replica. Raises EngineError."""
    return LocalProducer(setup) if setup.replicas == 1 else ReplicaProducer(setup)


class LocalProducer(Producer):
    """The worker is asleep before and after a request; edges are those of the request itself."""

    def __init__(self, setup: ProducerSetup) -> None:
        self._setup = setup
        self._process = WorkerProcess(setup.placement.environment, setup.code, setup.meanwhile, setup.note)

    def load(self, case: Case) -> LoadedModel:
        """Load the model."""
        spec = engine_spec(case, self._setup.placement, self._setup.remote_code)
        texts = prompts(case.model.engine, case.options).texts
        return self._process.ask(LoadModel(spec, texts, notes=True), LoadedModel)

    def produce(self, request: WorkRequest) -> Produced:
        """Make whole batches, edge to edge."""
        wanted = Generate(request.first_prompt, request.batches, request.seconds, request.shift)
        start_ns = time.monotonic_ns()
        generated = self._process.ask(wanted, Generated)
        return Produced(start_ns, time.monotonic_ns(), generated.batches, generated.rests_ns)

    def check(self, save_to: Path | None, stem: str) -> CheckedOutput:
        """Let the worker look at its output."""
        return self._process.ask(CheckOutput(None if save_to is None else str(save_to), stem), CheckedOutput)

    def unload(self, *, gently: bool) -> None:
        """End the worker."""
        self._process.close(gently=gently)

    @property
    def pids(self) -> tuple[int, ...]:
        """The worker's."""
        return (self._process.pid,)

    @property
    def trace(self) -> str | None:
        """Traceback of the request that failed."""
        return self._process.trace

    def last_words(self) -> str:
        """The end of the worker's log."""
        return self._process.last_words()
