"""Replicas asked at once: which prompts each has, what becomes of their answers, and of a fault of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from multiprocessing import Pipe
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bench.core.observed import PeakMemory
from bench.engines.base import LoadedModel, OutputCheck
from bench.errors import EngineError
from bench.machine.placement import Placement
from bench.worker import replicas
from bench.worker.dealiasing import Dealiasing
from bench.worker.messages import Batch, CheckedOutput, CheckOutput, Generate, Generated, LoadModel, Request
from bench.worker.producer import Produced, ProducerSetup, WorkRequest
from bench.worker.replicas import ReplicaProducer
from tests.support.served.producing import case

CPU = Placement("cpu")
CARDS = ("GPU-a", "GPU-b")
REST_NS = (5, 65_000_005)


class PretendWorker:
    """Answers at once, over a pipe as a worker does."""

    started: ClassVar[list[PretendWorker]] = []
    of_card: bool = True
    fails_at: int | None = None

    def __init__(self, environment: Mapping[str, str], *_: object) -> None:
        self.number = len(self.started)
        self.pid = 4000 + self.number
        self.asked: list[Any] = []
        self.closed: bool | None = None
        self.trace: str | None = None
        self.connection, self._theirs = Pipe()
        self.started.append(self)

    def begin(self, request: Request) -> None:
        self.asked.append(request)
        self._theirs.send(self._answer(request))

    @property
    def answered(self) -> bool:
        return self.connection.poll()

    def finish(self, request: Request, answer: type[Any]) -> object:
        found: object = self.connection.recv()
        if isinstance(request, Generate) and self.number == self.fails_at:
            self.trace = "Traceback of the second"
            raise EngineError("The worker process ended by signal 9 (SIGKILL).", stage="killed")
        assert isinstance(found, answer)
        return found

    def _answer(self, request: Request) -> object:
        match request:
            case LoadModel():
                uuids = (CARDS[self.number],) if self.of_card else ()
                return LoadedModel({"model": 7}, {}, {}, "r", uuids, 100, 1.0, {}, longest_prompt=3)
            case Generate():
                begun_ns = 1000 * self.number
                batches = [
                    Batch(begun_ns + 100 * at, begun_ns + 100 * at + 90, 2, ())
                    for at in range(3 + self.number)
                ]
                return Generated(tuple(batches), (REST_NS,) if request.shift else ())
            case CheckOutput():
                checks = tuple(OutputCheck(tokens=(self.number,)) for _ in range(3 + self.number))
                return CheckedOutput(
                    checks, (f"{request.stem}.txt",), PeakMemory(used_bytes=10.0 + self.number)
                )
        raise AssertionError(request)

    def last_words(self) -> str:
        return f"words of {self.number}"

    def close(self, *, gently: bool) -> None:
        self.closed = gently


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ReplicaProducer]:
    def load(*, of_card: bool = True, fails_at: int | None = None) -> ReplicaProducer:
        monkeypatch.setattr(PretendWorker, "started", [])
        monkeypatch.setattr(PretendWorker, "of_card", of_card)
        monkeypatch.setattr(PretendWorker, "fails_at", fails_at)
        monkeypatch.setattr(replicas, "WorkerProcess", PretendWorker)
        producer = ReplicaProducer(ProducerSetup(CPU, replicas=2))
        ready = producer.load(case())
        assert ready.device_uuids == (CARDS if of_card else ())
        assert (ready.memory_bytes, ready.parameters, ready.longest_prompt) == (200, {"model": 7}, 3)
        return producer

    return load


def prompts_asked_for() -> list[list[int]]:
    return [
        [request.first_prompt for request in worker.asked if isinstance(request, Generate)]
        for worker in PretendWorker.started
    ]


def test_each_begins_with_the_longest_prompt_and_then_they_share_the_prompts(
    loaded: Callable[..., ReplicaProducer],
) -> None:
    producer = loaded()
    items = case().batch
    producer.produce(WorkRequest(2.5, first_prompt=3))
    producer.produce(WorkRequest(5.0, first_prompt=20))
    producer.produce(WorkRequest(5.0, batches=6, first_prompt=40))
    assert prompts_asked_for() == [[3, 20, 40], [3, 20 + items, 40 + 6 * items]]


def test_what_they_made_is_one_window_with_the_rests_of_each_card(
    loaded: Callable[..., ReplicaProducer],
) -> None:
    producer = loaded()
    produced = producer.produce(WorkRequest(1.0, shift=Dealiasing(0.1)))
    assert produced.per_replica == (3, 4)
    assert produced.rests_ns == ()
    assert produced.rests_of == {"gpu:GPU-a": (REST_NS,), "gpu:GPU-b": (REST_NS,)}
    assert produced.rest_s == pytest.approx(0.065)
    checked = producer.check(Path("kept"), "page")
    assert [check.tokens for check in checked.found] == [(0,)] * 3 + [(1,)] * 4, "in the batches' order"
    assert checked.files == ("page-replica1.txt", "page-replica2.txt")
    assert checked.peak is not None
    assert checked.peak.used_bytes == 21


def test_none_rests_where_it_is_not_known_whose_cards_are_metered(
    loaded: Callable[..., ReplicaProducer],
) -> None:
    produced = loaded(of_card=False).produce(WorkRequest(1.0, shift=Dealiasing(0.1)))
    assert (produced.rests_of, produced.rest_s) == ({}, 0.0)


def test_a_fault_of_one_names_it_and_ends_all(loaded: Callable[..., ReplicaProducer]) -> None:
    with pytest.raises(EngineError) as caught, loaded(fails_at=1) as producer:
        producer.produce(WorkRequest(1.0))
    assert caught.value.message == "Replica 2 of 2: The worker process ended by signal 9 (SIGKILL)."
    assert caught.value.stage == "killed"
    assert producer.trace == "Traceback of the second"
    assert producer.last_words() == "words of 1"
    assert producer.pids == (4000, 4001)
    assert [worker.closed for worker in PretendWorker.started] == [False, False], "at once"


def test_those_that_have_started_end_where_one_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[PretendWorker] = []

    def start(*arguments: Any) -> PretendWorker:
        if started:
            raise EngineError("The worker could not be started: no memory.", missing=True)
        started.append(PretendWorker(*arguments))
        return started[0]

    monkeypatch.setattr(PretendWorker, "started", [])
    monkeypatch.setattr(replicas, "WorkerProcess", start)
    with pytest.raises(EngineError, match="could not be started"):
        ReplicaProducer(ProducerSetup(CPU, replicas=2))
    assert started[0].closed is False


def test_batches_of_replicas_are_counted_each_in_its_own_time() -> None:
    """The quicker one's batches take 1 s, those of the other 3 s, and blocks are planned by the slower."""
    second = 1_000_000_000
    quick = [Batch(at * second, (at + 1) * second, 1, ()) for at in range(6)]
    slow = [Batch(3 * at * second, (3 * at + 3) * second, 1, ()) for at in range(2)]
    produced = Produced(0, 6 * second, (*quick, *slow), per_replica=(6, 2))
    assert [len(made) for made in produced.sequences] == [6, 2]
    assert produced.batch_s == 3.0
    assert len(produced.done) == 8
    alone = Produced(0, 6 * second, tuple(quick))
    assert alone.sequences == (tuple(quick),)
    assert alone.batch_s == 1.0
