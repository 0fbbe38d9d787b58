"""The producer of a server's cases: it keeps up a load, places a window in it, and counts what is inside."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from bench.catalog.cases import Case
from bench.catalog.server_spec import ServerSpec
from bench.engines.base import LoadedModel
from bench.engines.language.token_counter import token_counter
from bench.errors import EngineError
from bench.worker.messages import CheckedOutput
from bench.worker.producer import Produced, Producer, ProducerSetup, WorkRequest
from bench.worker.serving.account import Account, account_of
from bench.worker.serving.client import Answer, ServerClient
from bench.worker.serving.first_answer import first_answer, require_open_files, wait_healthy
from bench.worker.serving.load_watch import LoadWatch, Silence
from bench.worker.serving.loads import CLOSED, ClockLag, Load
from bench.worker.serving.media import suffix
from bench.worker.serving.requests import Requests
from bench.worker.serving.saturation import require_long_enough
from bench.worker.serving.secrets import ApiKey, key_from
from bench.worker.serving.served_server import ServedServer
from bench.worker.serving.server_facts import server_facts
from bench.worker.serving.server_metrics import MetricsWatch
from bench.worker.serving.terms import Terms, fault_of, mark_faults
from bench.worker.serving.windows import WindowPlacer

PATIENCE_ANSWERS, LEAST_PATIENCE_S = 3.0, 5.0
"""Wait for open requests after a window, in answers and in seconds; then they are closed."""
Result = TypeVar("Result")


class ServedProducer(Producer):
    """Requests to one server, from an event loop of its own; edges lie inside its load."""

    def __init__(self, setup: ProducerSetup) -> None:
        self._setup = setup
        self._runner = asyncio.Runner()
        self._key = ApiKey()
        self._server: ServedServer | None = None
        self._client: ServerClient | None = None
        self._account: Account | None = None
        self._answer_s = 0.0
        self._number = self._windows = 0

    def load(self, case: Case) -> LoadedModel:
        """Start or find the server, and see a first answer."""
        begun = time.monotonic()
        spec = case.model.serve or ServerSpec()
        self._case, self._spec, self._workload = case, spec, case.workload
        self._key = key_from(spec.key)
        self._server = server = ServedServer(case, spec, self._setup, self._key)
        self._requests = Requests(case, spec, server.name)
        if not self._setup.endpoint:
            server.start()
        counter = token_counter(spec.tokenizer, case.weights)
        new_tokens = int(getattr(case.options, "new_tokens", 0))
        real = case.weights.kind != "random"
        size_px = (getattr(case.options, "width", 0), getattr(case.options, "height", 0))
        api = self._requests.api
        self._terms = Terms(case.workload, api, new_tokens, size_px, real, counter, spec.price)
        used = self._run(self._first_contact(spec, server))
        return LoadedModel(
            parameters={},
            dtypes={},
            used=self._key.hidden(server.described() | self._requests.described() | used),
            revision=None,
            device_uuids=server.card_uuids(),
            memory_bytes=None,
            load_s=time.monotonic() - begun,
        )

    async def _first_contact(self, spec: ServerSpec, server: ServedServer) -> dict[str, Any]:
        require_open_files(self._workload)
        client = self._client = ServerClient(server.address.url, self._key, spec.answer_seconds)
        if server.process is not None:
            url = server.address.root + spec.health
            await wait_healthy(client, url, server.process, spec.start_seconds, self._setup.meanwhile)
        answer = await first_answer(
            client, self._requests, server, self._key, lambda each: fault_of(each, self._terms)
        )
        self._number = answer.number + 1
        self._models = frozenset(answer.models)
        facts = await server_facts(client, server.address.root)
        return {"model": ", ".join(sorted(answer.models)) or None} | facts

    def produce(self, request: WorkRequest) -> Produced:
        """Hold the case's load, and answer with the edges of one window in it."""
        self._windows += 1
        return self._run(self._produce(request))

    async def _produce(self, request: WorkRequest) -> Produced:
        load, lag = Load(self._ask, self._number), ClockLag()
        assert self._client is not None, "set by load"
        assert self._server is not None, "set by load"
        process = self._server.process
        self._queued = self._workload.kind == "saturated" and request.batches is not None
        if self._queued:
            require_long_enough(self._workload, self._answer_s)
        silence = Silence(self._client, self._spec.answer_seconds)
        watch = LoadWatch(load, self._workload, process, self._models, silence, self._setup.meanwhile)
        placer = WindowPlacer(load, request, self._answer_s, watch.turn)
        begun_s, cpu_s = time.monotonic(), time.process_time()
        metrics = MetricsWatch(self._client, self._server.address.root)
        watching = [asyncio.create_task(each) for each in (lag.watch(), metrics.keep_looking())]
        load.start(self._work(load, request))
        try:
            moments = await placer.place(self._workload)
            client_cpu_share = (time.process_time() - cpu_s) / (time.monotonic() - begun_s)
            await load.finish(max(LEAST_PATIENCE_S, PATIENCE_ANSWERS * self._answer_s), watch.turn)
        finally:
            await load.close()
            self._number += len(load.answers)
            await _ended(watching)
        taken_s = [(a.end_ns - a.sent_ns) / 1e9 for a in load.answers if a.whole and a.end_ns]
        self._answer_s = median(taken_s) if taken_s else self._answer_s
        mark_faults(load.answers, self._terms)
        _require_one(load.answers)
        self._account = account = account_of(
            load.answers, moments, self._terms, lag.seen, metrics.between(moments.start_ns, moments.end_ns)
        )
        account.window.client_cpu_share = client_cpu_share
        return Produced(
            moments.start_ns,
            moments.end_ns,
            account.batches,
            steady=True,
            shares=account.shares,
            served=account.window,
        )

    async def _ask(self, answer: Answer) -> Answer:
        assert self._client is not None, "set by load"
        body = self._requests.body(answer.number)
        return await self._client.ask(self._requests.api, body, answer, queued=self._queued)

    def _work(self, load: Load, request: WorkRequest) -> Coroutine[Any, Any, None]:
        """The load of a window; in a warm-up round it is even, so that rounds can agree."""
        workload, warming = self._workload, request.batches is None
        if workload.kind == "single":
            return load.lanes(1, 0.0)
        if workload.kind == "rate":
            chance = None if warming else random.Random(f"{self._case.seed}-{self._windows}")
            return load.arrivals(float(workload.load or 0), chance)
        if workload.kind == "saturated" and not warming:
            return load.burst(workload.requests or 0)
        lanes = int(workload.load or 0)
        return load.lanes(lanes, self._answer_s / lanes)

    def check(self, save_to: Path | None, stem: str) -> CheckedOutput:
        """What was counted of the last window's answers; their texts are saved where asked."""
        account, self._account = self._account, None
        if account is None:
            raise EngineError("Nothing was made that could be checked.", stage="finish")
        files = []
        if save_to is not None:
            save_to.mkdir(parents=True, exist_ok=True)
            for number, output in enumerate(account.outputs):
                files.append(save_to / f"{stem}-{number:03d}-0.{suffix(output)}")
                files[-1].write_bytes(self._shown(output))
        return CheckedOutput(account.checks, tuple(map(str, files)))

    def _shown(self, output: bytes) -> bytes:
        """An output as it is saved: a text without the key, which a server may write into it."""
        return self._key.without(output.decode()).encode() if suffix(output) == "txt" else output

    def unload(self, *, gently: bool) -> None:
        """End a server that was started here; one that was up before stays up."""
        try:
            if self._client is not None:
                self._run(self._client.close())
        finally:
            try:
                self._runner.close()
            finally:
                if self._server is not None:
                    self._server.end(gently=gently)

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(work)

    @property
    def pids(self) -> tuple[int, ...]:
        """The server's processes on this machine."""
        return self._server.pids if self._server else ()

    @property
    def elsewhere(self) -> str | None:
        """Why a server's joules are on no meter here."""
        return self._server.elsewhere if self._server else None

    def last_words(self) -> str:
        """The end of the log of a server that was started here."""
        return self._server.process.last_words() if self._server and self._server.process else ""


def _require_one(answers: Sequence[Answer]) -> None:
    """Raise EngineError(stage="generate") where every answer that came is wrong."""
    failed = [answer for answer in answers if answer.failure not in (None, CLOSED)]
    if failed and not any(answer.whole for answer in answers):
        raise EngineError(
            f"None of {len(failed)} answers was right ({failed[-1].failure}): {failed[-1].message}.",
            "See the server's log.",
            stage="generate",
        )


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks. Raises what went wrong in one of them."""
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
