"""A whole run in virtual time: the real session, procedure, meters, sampler and NVML, and no waiting.

The stand-in's clock is the `time` of every module that measures: a sleep moves it on, and the sampler takes
its ticks on the way, as its own process would. In place of a model there is a worker that draws `BUSY_W` for
a quarter of a second a batch. So a run of half a minute takes a tenth of a second, and a fault may be set at
any moment of it: `Machine.at` calls something at a virtual time, `Machine.on_stage` when a stage begins.

    with Machine(standin, tmp_path) as machine:
        machine.on_stage("measuring block 2", lambda: standin.fail(Family.ENERGY, 999))
        ending = machine.run()
"""

from __future__ import annotations

import os
import random
import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any

import pytest

import bench.machine.cooling
import bench.measurement.case_loading
import bench.measurement.idle
import bench.measurement.instruments
import bench.measurement.loaded_case
import bench.measurement.procedure
import bench.measurement.recorder_check
import bench.meters.gpus.nvml
import bench.meters.meter_set
import bench.meters.recorder
import bench.meters.sampling
import bench.meters.sources.rapl
import bench.meters.window_meters
import bench.worker.producers.worker
from bench.catalog.cases import Overrides, Planned, plan
from bench.catalog.loading import load
from bench.catalog.models import Measure, Work
from bench.core.block import Block, CodeCarbonTask
from bench.core.record import Record
from bench.engines.base import LoadedModel, OutputCheck
from bench.errors import BenchError
from bench.measurement.case_plan import CasePlan
from bench.measurement.context import BlockDone, RunContext
from bench.measurement.run import run
from bench.meters import sampling
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.meters.recorder import Recorder
from bench.meters.sources import Sources
from bench.meters.sources.rapl import FACTS, Rapl
from bench.worker.engine_spec import with_architecture
from bench.worker.messages import Batch, CheckedOutput, CheckOutput, Generate, Generated, LoadModel, Request
from tests.standin import StandIn
from tests.support.main_job.running import CATALOGUE
from tests.support.metering import QuietCodeCarbon, Recorded

BUSY_W, IDLE_W = 300.0, 60.0
BATCH_S, BLOCK_S = 0.25, 2.0
LATE_S = 0.1 + 1 / sampling.FAST_HZ
"""By how much power may be late: a tick of the stand-in's sensor, and the time until it is sampled again."""
TICK_NS = round(1e9 / sampling.FAST_HZ)
EPOCH_NS = 1_000_000_000_000
TIMED = (
    bench.meters.gpus.nvml,
    bench.meters.sources.rapl,
    bench.meters.recorder,
    bench.meters.meter_set,
    bench.meters.window_meters,
    bench.machine.cooling,
    bench.measurement.case_loading,
    bench.measurement.idle,
    bench.measurement.loaded_case,
    bench.measurement.procedure,
    bench.measurement.recorder_check,
    bench.worker.producers.worker,
)
"""Modules whose `time` is the virtual one."""
NOT_ASKED = CodeCarbonTask(
    duration_s=1.0,
    gpu_j=None,
    cpu_j=None,
    ram_j=None,
    carbon_g=None,
    absent=dict.fromkeys(("gpu_j", "cpu_j", "ram_j", "carbon_g"), "not asked here"),
)


class VirtualTime:
    """Stands in for the `time` module. Sleeping lets everything happen that is due meanwhile."""

    def __init__(self, standin: StandIn) -> None:
        self._standin = standin
        standin.use_virtual_clock(EPOCH_NS)
        self.tick: Callable[[], None] = lambda: None
        self.due: list[tuple[int, Callable[[], object]]] = []

    def monotonic_ns(self) -> int:
        return self._standin.now_ns()

    def monotonic(self) -> float:
        return self.monotonic_ns() / 1e9

    def sleep(self, seconds: float) -> None:
        end_ns = self.monotonic_ns() + round(seconds * 1e9)
        while (now_ns := self.monotonic_ns()) < end_ns:
            tick_ns = (now_ns // TICK_NS + 1) * TICK_NS
            next_ns = min([tick_ns, end_ns, *(at_ns for at_ns, _ in self.due if at_ns > now_ns)])
            self._standin.advance_ns(next_ns - now_ns)
            for entry in [entry for entry in self.due if entry[0] <= next_ns]:
                self.due.remove(entry)
                entry[1]()
            if next_ns == tick_ns:
                self.tick()


class SamplerTime(VirtualTime):
    """The sampler's `time`: it is called when its tick is due, and has nothing to wait for."""

    def __init__(self, clock: VirtualTime) -> None:
        self._standin = clock._standin

    def process_time(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        """The next tick is taken when it is due."""


def opened(owner: object, path: Path) -> int:
    """A file to write to for the life of `owner`: opening it anew at every tick costs more than the tick."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    weakref.finalize(owner, os.close, file)
    return file


class SteppedRecorder(Recorded):
    """The real sampler, a tick at a time; `stopped` as by SIGSTOP, `killed` as by SIGKILL."""

    def __init__(self, path: Path, drivers: GpuDrivers, rapl: Rapl) -> None:
        super().__init__(path, rapl.domains, rapl.absent)
        self._file = opened(self, path)
        self._ticks = sampling._Sampler(drivers, Sources([(FACTS, rapl)])).ticks()
        self.stopped = self.killed = False
        self.loses: Callable[[], bool] = lambda: False

    @property
    def alive(self) -> bool:
        return not self.killed

    def tick(self) -> None:
        if not (self.stopped or self.killed or self.loses()):
            os.write(self._file, next(self._ticks))


class PretendPackage:
    """A CPU package under powercap that draws `watts`; its counter file is written anew at every tick."""

    WATTS, WRAPS_AT_UJ, DIGITS = 100.0, 262_143_328_850, 12

    def __init__(self, root: Path) -> None:
        zone = root / "intel-rapl:0"
        zone.mkdir(parents=True)
        (zone / "name").write_text("package-0\n")
        (zone / "max_energy_range_uj").write_text(f"{self.WRAPS_AT_UJ}\n")
        self._path = zone / "energy_uj"
        self._file: int | None = opened(self, self._path)
        self._joules = 50_000.0
        self.watts = self.WATTS
        self.tick()

    def tick(self) -> None:
        self._joules += self.watts * TICK_NS / 1e9
        if self._file is not None:
            text = f"{round(self._joules * 1e6) % self.WRAPS_AT_UJ:{self.DIGITS}}\n"
            os.pwrite(self._file, text.encode(), 0)

    def show(self, text: str | None) -> None:
        """Content of the file from now on; `None` removes it."""
        self._file = None
        if text is None:
            self._path.unlink(missing_ok=True)
        else:
            self._path.write_text(text)

    def behave(self) -> None:
        """Restore the counter in the file."""
        self._file = opened(self, self._path)
        os.truncate(self._file, 0)
        self.tick()

    def reset(self) -> None:
        """The counter begins again at 0."""
        self._joules = 0.0


class PretendWorker:
    """In place of the worker process: draws `BUSY_W` on GPU 0 while it is asked to produce."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.pid = os.getpid()
        self.trace: str | None = None
        self._batches = 0

    def close(self, *, gently: bool) -> None:
        """Do nothing: the stand-in starts no process."""

    def last_words(self) -> str:
        return ""

    def ask(self, request: Request, answer: type[Any]) -> Any:
        match request:
            case LoadModel():
                self._machine.clock.sleep(self._machine.load_s)
                return LoadedModel({"model": 1_000_000}, {"model": "float32"}, {}, None, (), None, 0.1)
            case Generate():
                return self._produce(request)
            case CheckOutput():
                return CheckedOutput(tuple(OutputCheck(tokens=(48,)) for _ in range(self._batches)), ())
        raise AssertionError(request)

    def _produce(self, request: Generate) -> Generated:
        clock, standin = self._machine.clock, self._machine.standin
        batches: list[Batch] = []
        rests: list[tuple[int, int]] = []
        begun = clock.monotonic()
        watts = self._machine.watts()
        while len(batches) < (request.batches or 1) or clock.monotonic() - begun < (request.seconds or 0):
            start_ns = clock.monotonic_ns()
            shift = request.shift
            if shift and (not rests or start_ns - rests[-1][1] >= shift.every_s * 1e9):
                clock.sleep(shift.rest_s(len(rests), start_ns / 1e9))
                rests.append((start_ns, start_ns := clock.monotonic_ns()))
            standin.load(0, start_ns, watts)
            clock.sleep(BATCH_S)
            standin.load(0, clock.monotonic_ns(), IDLE_W)
            batches.append(Batch(start_ns, clock.monotonic_ns(), 1, ()))
        self._batches = len(batches)
        return Generated(tuple(batches), tuple(rests))


class Stages:
    """A watcher that calls what is to happen when a stage begins."""

    def __init__(self) -> None:
        self.actions: dict[str, Callable[[], object]] = {}
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def follow(self, recorder: Recorder, gpus: Sequence[Gpu]) -> None:
        """Nothing waits for it."""

    def case_begins(self, label: str, number: int, total: int) -> None:
        """Nothing waits for it."""

    def turn_to(self, label: str, number: int, total: int) -> None:
        """Nothing waits for it."""

    def stage(self, text: str) -> None:
        self.actions.pop(text, lambda: None)()

    def meanwhile(self) -> None:
        """Nothing waits for it."""

    def block_done(self, done: BlockDone) -> None:
        """Nothing waits for it."""

    def case_done(self, record: Record, path: Path) -> None:
        """Nothing waits for it."""


@dataclass
class Ending:
    """How a run ended: an exit status with a record, or with the sentence of a refusal."""

    status: int
    record: Record | None = None
    refusal: BenchError | None = None
    virtual_s: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def measured(self) -> list[Block]:
        return [block for block in self.record.blocks if not block.warmup] if self.record else []

    @property
    def outcome(self) -> str:
        """`refused`, `failed`, `invalid`, `ok`, or `ok, 2 of 6 blocks set aside`."""
        if self.record is None:
            return "refused"
        aside = sum(not block.valid for block in self.measured)
        return self.record.status + (f", {aside} of {len(self.measured)} blocks set aside" if aside else "")

    @property
    def said(self) -> str:
        """Everything that a user can read about it."""
        return str(self.refusal or "") + (self.record.model_dump_json() if self.record else "")

    @property
    def sentence(self) -> str:
        """What went wrong, in the first words that say more than a count; empty where nothing did."""
        if self.refusal is not None:
            return self.refusal.message
        return first_words(self.record) if self.record else ""


def first_words(record: Record) -> str:
    """A record's first reason, past the count of valid blocks that an invalid one begins with."""
    return next(iter(record.reasons[record.status == "invalid" :]), "")


class Machine:
    """A machine of two cards, of which a run meters the first, for the life of a `with` block."""

    def __init__(
        self,
        standin: StandIn,
        folder: Path,
        item: Planned | None = None,
        watts: Callable[[], float] = lambda: BUSY_W,
        load_s: float = 0.0,
    ) -> None:
        """`item` is what a run measures; each round of work draws `watts()`, and loading takes `load_s`."""
        self.standin = standin
        self.watts, self.load_s = watts, load_s
        self._folder = folder
        self._item = item
        self._powercap = folder / "powercap"
        self._package: PretendPackage | None = None
        self.clock = VirtualTime(standin)
        self.stages = Stages()
        self.stop = Event()
        self.recorder: SteppedRecorder | None = None
        self._loses: Callable[[], bool] = lambda: False
        self._patches = ExitStack()
        for gpu in (0, 1):
            standin.load(gpu, 0, IDLE_W)

    def __enter__(self) -> Machine:
        patch = self._patches.enter_context(pytest.MonkeyPatch.context())
        for module in TIMED:
            patch.setattr(module, "time", self.clock)
        patch.setattr(sampling, "time", SamplerTime(self.clock))
        patch.setattr(bench.worker.producers.worker, "WorkerProcess", lambda *_: PretendWorker(self))
        patch.setattr(bench.measurement.instruments, "CodeCarbon", lambda *_: QuietCodeCarbon(NOT_ASKED))
        patch.setattr(bench.measurement.instruments, "Recorder", self._recorder_of_its_own)
        patch.setattr(os, "fsync", lambda _descriptor: None)  # a disk's pace is not what is tested here
        self.standin.attach()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.standin.detach()
        self._patches.close()

    def on_stage(self, stage: str, action: Callable[[], object]) -> None:
        """Do something when the run enters a stage, such as `idle before` or `measuring block 2`."""
        self.stages.actions[stage] = action

    def in_s(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something after a delay in virtual seconds."""
        self.clock.due.append((self.clock.monotonic_ns() + round(seconds * 1e9), action))

    def add_package(self) -> PretendPackage:
        """Give the machine RAPL."""
        self._package = PretendPackage(self._powercap)
        return self._package

    def stop_recorder(self, stopped: bool) -> None:
        """As SIGSTOP and SIGCONT do."""
        assert self.recorder is not None
        self.recorder.stopped = stopped

    def lose_ticks(self, share: float, chance: random.Random) -> None:
        """Let the recorder miss this share of its ticks, from when it starts."""
        self._loses = lambda: chance.random() < share

    def kill_recorder(self) -> None:
        """As SIGKILL does."""
        assert self.recorder is not None
        self.recorder.killed = True

    def _tick(self) -> None:
        assert self.recorder is not None
        if self._package is not None:
            self._package.tick()
        self.recorder.tick()

    def run(self, cases: int = 1, gpus: str | None = "0") -> Ending:
        """`bench run` of a text model, from the connection to the driver to the written record."""
        begun = self.clock.monotonic()
        plan = CasePlan((self._item or planned(),) * cases, gpus=gpus, device="cpu")
        try:
            outcome = run(plan, RunContext(self._folder / "results", self.stages, self.stop))
            ending = Ending(outcome.exit_status, outcome.records[-1][0])
        except BenchError as error:
            ending = Ending(error.exit_status, refusal=error)
        ending.virtual_s = self.clock.monotonic() - begun
        ending.notes = self.stages.notes
        return ending

    def _recorder_of_its_own(self) -> SteppedRecorder:
        """A recorder with a connection of its own to the driver, as the sampler's process has it."""
        samplers = self._patches.enter_context(GpuDrivers())
        self.recorder = SteppedRecorder(self._folder / "samples.bin", samplers, Rapl(self._powercap))
        self.recorder.loses = self._loses
        self.clock.tick = self._tick
        return self.recorder


@cache
def planned() -> Planned:
    """A text case with blocks long enough for ten ticks of the stand-in's counter."""
    overrides = Overrides(
        Work(), Measure(block_seconds=BLOCK_S, idle_seconds=3, max_seconds=30), "random", None
    )
    (item,) = plan(load(CATALOGUE), ["tiny-bloom"], overrides)
    return Planned(with_architecture(item.case), item.measure)


def assert_honest(ending: Ending, standin: StandIn) -> None:
    """What every ending owes: a sentence where something is wrong, no zero joules, and true valid blocks."""
    if ending.record is None:
        assert ending.refusal is not None
        assert ending.refusal.message.endswith(".")
        assert ending.status in {2, 3}
        return
    record = ending.record
    assert record.status == "ok" or record.reasons, "a spoilt record has a reason"
    for block in record.blocks:
        for domain, energy in block.energy.items():
            assert energy.gross_j is None or energy.gross_j > 0, f"{domain}: {energy}"
            assert (energy.gross_j is None) == (energy.reason is not None), f"{domain}: {energy}"
    for domain, idle in record.idle.items():
        assert idle.power_w is None or idle.power_w > 0, f"{domain}: {idle}"
        true_w = {"gpu": IDLE_W, "cpu": PretendPackage.WATTS}.get(domain.partition(":")[0])
        if true_w is not None and idle.power_w is not None:
            assert idle.power_w == pytest.approx(true_w, rel=0.15), f"{domain}: {idle}"
    for block in ending.measured:
        assert block.valid or block.reasons
        for domain, energy in block.energy.items():
            truth_j = standin.true_energy_j(0, block.start_ns, block.end_ns)
            if domain.startswith("cpu:"):
                truth_j = PretendPackage.WATTS * block.duration_s
            if block.valid and domain.startswith(("cpu:", "gpu:")) and energy.gross_j is not None:
                late_j = LATE_S * (BUSY_W - IDLE_W) if energy.source.startswith("power-integration") else 0.0
                allowed_j = max(0.05 * truth_j, late_j)
                assert energy.with_rests_j == pytest.approx(truth_j, abs=allowed_j), f"{domain}: {energy}"
