"""`python -m tests.support.main_job.metered run ...`: the real command line, with work whose watts are known.

Its workers run `tests.support.main_job.worker`: the real engines, which tell the stand-in that its GPU
draws `BUSY_W` while they generate. Nothing else is changed; a fault is named in JOULEBENCH_TEST_FAULT:

    oom-above:N    torch's out-of-memory error for batches larger than N
    kill-at:N      the worker kills itself at its Nth generation
    nan-at:N       the output of the Nth generation is spoilt
    slow:S         each generation takes S seconds more

and of cases whose batch is N alone, so that the others show that they are untouched:

    address-space:N  the worker's address space is limited, and a generation asks for more
    crash:N          a generation reads memory that is not there, in native code
    endless:N        a generation never ends, and takes processor time
    deadlock:N       loading waits for a lock that it has

Limits of `bench.worker.deadline` are JOULEBENCH_TEST_IDLE_S where that is set.

JOULEBENCH_TEST_CARDS (`0:300,1:250`) has the busy watts of several cards by index: each worker draws on those
that it sees, or on all of them where it runs on the CPU. With such cards, work that only pretends takes place
"on CUDA".

With JOULEBENCH_TEST_PRETEND the work is a sleep of `PRETEND_S` in place of a model, so that a test of what
befalls processes need not load torch; JOULEBENCH_TEST_PACE (`1:0.6`) has other seconds by a card's index.
JOULEBENCH_TEST_PAD_S shortens the rests around a window, for a stand-in whose counter ticks often.
JOULEBENCH_TEST_WORK (`330:0.04:0.5:7`) sets what such a generation takes: the mean of its watts, their spread
as a share of that, its seconds, and the seed by which the watts are drawn. Its power then ends when the work
should, however late a busy machine wakes the worker.
"""

from __future__ import annotations

import ctypes
import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

import bench.engines
from bench.cli import main
from bench.engines.base import Engine, EngineSpec, GeneratedBatch, LoadedModel, OutputCheck, PhaseEdges
from bench.measurement import preflight
from bench.meters import edges
from bench.worker import deadline, process
from tests.standin import CONTROL_VARIABLE, append_event, draw, uuid_of

BUSY_W, IDLE_W = 300.0, 60.0
PRETEND_S = 0.1
TOKEN_S = 0.02
"""Time of a token of a part, where several models make an item."""
CARDS_VARIABLE = "JOULEBENCH_TEST_CARDS"
PACE_VARIABLE = "JOULEBENCH_TEST_PACE"
GPU_VARIABLE, FAULT_VARIABLE = "JOULEBENCH_TEST_GPU", "JOULEBENCH_TEST_FAULT"
PRETEND_VARIABLE, PAD_VARIABLE = "JOULEBENCH_TEST_PRETEND", "JOULEBENCH_TEST_PAD_S"
WORK_VARIABLE, IDLE_VARIABLE = "JOULEBENCH_TEST_WORK", "JOULEBENCH_TEST_IDLE_S"

real_create = bench.engines.create


def seen_uuids() -> tuple[str, ...]:
    """The cards that this process may use."""
    return tuple(filter(None, os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")))


def busy_w() -> dict[int, float]:
    """Watts at work of each card that this worker draws on, by index."""
    stated = os.environ.get(CARDS_VARIABLE)
    if stated is None:
        return {int(os.environ.get(GPU_VARIABLE, "0")): BUSY_W}
    by_index = {int(gpu): float(watts) for gpu, watts in (pair.split(":") for pair in stated.split(","))}
    seen = seen_uuids()
    return {gpu: watts for gpu, watts in by_index.items() if not seen or uuid_of(gpu) in seen}


def pretend_s() -> float:
    """Seconds of a pretended generation on the cards that this worker sees."""
    stated = dict(pair.split(":") for pair in os.environ.get(PACE_VARIABLE, "").split(",") if pair)
    seen = seen_uuids()
    return max(
        (float(seconds) for gpu, seconds in stated.items() if uuid_of(int(gpu)) in seen), default=PRETEND_S
    )


class Pretend:
    """A model that sleeps, and says that it has made pages of 48 tokens."""

    def __init__(self, seconds: float = PRETEND_S, uuids: tuple[str, ...] = ()) -> None:
        self._seconds = seconds
        self._uuids = uuids

    def load(self) -> LoadedModel:
        return LoadedModel({"model": 1_000_000}, {"model": "float32"}, {}, None, self._uuids, None, 0.0)

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        return 0

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        begun_ns = time.monotonic_ns()
        time.sleep(self._seconds)
        return GeneratedBatch(begun_ns, time.monotonic_ns(), len(prompts), (), None)

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        return OutputCheck(tokens=(48,) * made.items)

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        return []

    def unload(self) -> None:
        """There is nothing to free."""


class SleepingWriter(Pretend):
    """A part that takes `TOKEN_S` a token, and writes as many words."""

    def __init__(self) -> None:
        super().__init__()
        self._new_tokens = 1

    def set_length(self, new_tokens: int) -> None:
        self._new_tokens, self._seconds = new_tokens, new_tokens * TOKEN_S

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        made = super().generate(prompts, seed)
        edges = (PhaseEdges("decode", made.start_ns, made.end_ns),)
        return replace(made, phases=edges, payload=tuple(len(prompt.split()) for prompt in prompts))

    def texts(self, made: GeneratedBatch) -> list[str]:
        return ["word " * self._new_tokens] * made.items

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        return OutputCheck(tokens=(self._new_tokens,) * made.items, prompt_tokens=made.payload)


def _run_out_of_address_space() -> None:
    """Ask for a gigabyte more than half a gigabyte that is left."""
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, resource.RLIM_INFINITY))
    bytearray(2**30)


def _never_end() -> None:
    while True:
        pass


SPOILING: dict[str, Callable[[], object]] = {
    "address-space": _run_out_of_address_space,
    "crash": lambda: ctypes.string_at(0),
    "endless": _never_end,
}


class Metered:
    """An engine that draws `BUSY_W` on a stand-in GPU while it works, and fails where it is told to."""

    def __init__(self, spec: EngineSpec) -> None:
        if spec.parts:
            self._let_parts_sleep()
        uuids = seen_uuids() if spec.devices[0].startswith("cuda") else ()
        pretends = PRETEND_VARIABLE in os.environ
        self._engine: Engine = Pretend(pretend_s(), uuids) if pretends else real_create(spec)
        self._batch = spec.batch
        self._calls = 0
        self._busy_w = busy_w()
        self._fault, _, value = os.environ.get(FAULT_VARIABLE, "").partition(":")
        self._value = float(value or 0)

    def load(self) -> LoadedModel:
        if self._fault == "deadlock" and self._batch == self._value:
            lock = threading.Lock()
            lock.acquire()
            lock.acquire()
        return self._engine.load()

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        return self._engine.longest_prompt(prompts)

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        self._calls += 1
        self._draw(busy=True)
        try:
            self._fail()
            made = self._engine.generate(prompts, seed)
        finally:
            self._draw(busy=False)
        return made

    def _draw(self, *, busy: bool) -> None:
        if CONTROL_VARIABLE in os.environ:
            for gpu, watts in self._busy_w.items():
                draw(gpu, watts if busy else IDLE_W)

    def _let_parts_sleep(self) -> None:
        """Let parts take their time by the clock, so that a busy machine does not stretch it."""
        from bench.engines import agent, council

        agent.pause = self.pause
        vars(agent)["writer_of"] = vars(council)["writer_of"] = lambda _: SleepingWriter()

    def pause(self, seconds: float) -> None:
        """An agent's wait for its tools, at the idle watts."""
        self._draw(busy=False)
        time.sleep(seconds)
        self._draw(busy=True)

    def _fail(self) -> None:
        if self._fault == "oom-above" and self._batch > self._value:
            import torch

            from bench.core.weights import Weights
            from bench.engines.device.failures import engine_error

            raise engine_error(
                torch.OutOfMemoryError("CUDA out of memory."), "generate", "m", Weights(kind="random")
            )
        if self._batch == self._value and self._fault in SPOILING:
            SPOILING[self._fault]()
        if self._fault == "kill-at" and self._calls == self._value:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._fault == "slow":
            time.sleep(self._value)

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        found = self._engine.inspect(made)
        if self._fault == "nan-at" and self._calls >= self._value:
            return OutputCheck(found.tokens, found.words, found.prompt_tokens, ("item 0 holds NaN pixels",))
        return found

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        return self._engine.save(made, folder, stem)

    def unload(self) -> None:
        self._engine.unload()


class Planned(Pretend):
    """Work of planned joules: its watts begin and end on time, whenever the worker wakes."""

    def __init__(self, watts: str, spread: str, seconds: str, seed: str) -> None:
        super().__init__(float(seconds))
        self._watts, self._spread = float(watts), float(spread)
        self._rng = random.Random(seed)
        self._gpu = int(os.environ[GPU_VARIABLE])

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        begun_ns = draw(self._gpu, self._watts * self._rng.gauss(1.0, self._spread))
        append_event(None, self._gpu, begun_ns + round(self._seconds * 1e9), IDLE_W)
        return super().generate(prompts, seed)


def create(spec: EngineSpec) -> Any:
    planned = os.environ.get(WORK_VARIABLE)
    return Planned(*planned.split(":")) if planned else Metered(spec)


if __name__ in ("__main__", "__mp_main__"):  # the latter in processes of a run that are side by side
    process.WORKER = "tests.support.main_job.worker"
    deadline.IDLE_S = float(os.environ.get(IDLE_VARIABLE, deadline.IDLE_S))
    edges.ROOM_S = float(os.environ.get(PAD_VARIABLE, edges.ROOM_S))
    if CARDS_VARIABLE in os.environ:
        preflight.require_cuda = lambda *_: None
if __name__ == "__main__":
    main()
