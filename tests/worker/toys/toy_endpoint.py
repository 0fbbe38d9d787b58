"""A producer that stands in the folder of producers for a test: a server that is asked over HTTP.

It holds as many requests open as the case says, and meters a stretch in the middle.
"""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any
from urllib.request import Request, urlopen

from bench.catalog.cases import Case
from bench.core.workload import WorkloadKind
from bench.engines.base import LoadedModel, OutputCheck
from bench.worker.messages import Batch, CheckedOutput
from bench.worker.producer import Produced, Producer, ProducerSetup, WorkRequest

WORKLOADS: frozenset[WorkloadKind] = frozenset({"concurrency"})
LOADS_HERE = False
ASKS_SERVER = True
STARTS_SERVER = False
RAMP_S = 0.3


def packages(case: Case) -> tuple[str, ...]:
    """It needs none."""
    return ()


def create(setup: ProducerSetup) -> Producer:
    """The server is up already."""
    return Endpoint(os.environ["TOY_ENDPOINT"], setup)


class Endpoint(Producer):
    """Requests to a server, so many at once."""

    def __init__(self, url: str, setup: ProducerSetup) -> None:
        self._url, self._setup = url, setup
        self._lanes, self._tokens = 1, 1
        self._found: tuple[OutputCheck, ...] = ()

    def load(self, case: Case) -> LoadedModel:
        about = self._asked("/model")
        self._lanes, self._tokens = int(case.workload.load or 1), dict(case.options)["new_tokens"]
        return LoadedModel(
            parameters={"model": about["parameters"]},
            dtypes={"model": case.dtype},
            used={"endpoint": self._url},
            revision=None,
            device_uuids=(about["card"],),
            memory_bytes=None,
            load_s=0.0,
        )

    def produce(self, request: WorkRequest) -> Produced:
        ended = Event()
        with ThreadPoolExecutor(self._lanes) as pool:
            lanes = [pool.submit(self._lane, ended) for _ in range(self._lanes)]
            time.sleep(RAMP_S + request.margin_s)
            start_ns = time.monotonic_ns()
            time.sleep(request.seconds)
            end_ns = time.monotonic_ns()
            time.sleep(request.margin_s)
            ended.set()
            done = [item for lane in lanes for item in lane.result()]
        done = [
            (batch, tokens) for batch, tokens in done if batch.end_ns > start_ns and batch.start_ns < end_ns
        ]
        self._found = tuple(OutputCheck(tokens=(tokens,)) for _, tokens in done)
        return Produced(start_ns, end_ns, tuple(batch for batch, _ in done), steady=True)

    def _lane(self, ended: Event) -> list[tuple[Batch, int]]:
        done = []
        while not ended.is_set():
            made = self._asked("/generate", {"tokens": self._tokens})
            done.append((Batch(made["begun_ns"], made["ended_ns"], 1, ()), made["tokens"]))
        return done

    def check(self, save_to: Path | None, stem: str) -> CheckedOutput:
        return CheckedOutput(self._found, ())

    def unload(self, *, gently: bool) -> None:
        """The server stays."""

    def _asked(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self._url + path, data), timeout=30) as answer:
            return json.load(answer)
