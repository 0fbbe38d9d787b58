"""What can befall the processes of a run, on the real clock: stopped, killed, interrupted, its calendar set.

Each scene is the real command line with a worker that sleeps in place of a model. It acts when stderr shows
that a stage begins, and checks what the ending owes. Scenes mostly wait, so several can be played at once.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path

import psutil
import pytest

from bench.core.record import Record
from bench.store import results as store
from scripts.faults.machine import first_words
from tests.standin import Family, StandIn
from tests.support.main_job.metered import IDLE_W
from tests.support.main_job.running import environment, start

METERED = ("--gpus", "0", "--block-seconds", "2", "--max-seconds", "60")
"""A metered card, and time to make good for a block that is set aside."""
ESTIMATED = ("--max-seconds", "6")
LONGEST_S, PATIENT_S = 120.0, 900.0
"""After so long a run is given up; the second is for a machine that others use, too."""
HANG_S = 10.0


@dataclass(frozen=True)
class Running:
    """A run that is under way."""

    process: subprocess.Popen[str]
    standin: StandIn
    clock: Clock

    def child(self, file: str) -> psutil.Process:
        """The child that has a file of this name open."""
        for child in psutil.Process(self.process.pid).children():
            if any(file in opened.path for opened in child.open_files()):
                return child
        raise AssertionError(f"no child has {file} open")

    @property
    def worker(self) -> psutil.Process:
        return self.child("joulebench-worker-")

    @property
    def recorder(self) -> psutil.Process:
        return self.child("samples.bin")

    def signal_all(self, number: signal.Signals) -> None:
        """As a terminal does: everybody gets it."""
        os.killpg(self.process.pid, number)


class Clock:
    """The steps of a run's calendar, in seconds; its `environment` preloads `wallclock.c`."""

    def __init__(self, folder: Path) -> None:
        self._file, library = folder / "clock", folder / "wallclock.so"
        self._file.write_bytes(bytes(8))
        source = Path(__file__).with_name("wallclock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", str(source), "-o", str(library), "-ldl"], check=True)
        self.environment = {"LD_PRELOAD": str(library), "JOULEBENCH_TEST_CLOCK": str(self._file)}

    def step(self, seconds: int) -> None:
        with self._file.open("r+b") as file:
            ctypes.c_int64.from_buffer(mmap(file.fileno(), 8)).value = seconds

    def assert_steps(self) -> None:
        """A program that is started with it sees the step, and the monotonic clock as it is."""
        self.step(3600)
        code = "import time; print(time.time(), time.monotonic())"
        seen = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        wall_s, monotonic_s = map(float, seen.stdout.split())
        assert 3590 < wall_s - time.time() < 3601
        assert abs(monotonic_s - time.monotonic()) < 10
        self.step(0)


@dataclass(frozen=True)
class ProcessScene:
    """Something done at a stage of a run, and how the run has to end.

    `spoilt` is how many blocks are set aside at least; `ends`: the run ends by it, and soon.
    """

    name: str
    stage: str
    act: Callable[[Running], None]
    statuses: frozenset[int]
    expected: str
    arguments: tuple[str, ...] = METERED
    spoilt: int = 0
    ends: bool = False

    def __str__(self) -> str:
        return f"{self.name} at {self.stage!r}"


@dataclass(frozen=True)
class Seen:
    """How a scene ended."""

    status: int
    seconds: float
    """From the act to the end of the process."""
    out: str
    records: list[Record]

    @property
    def outcome(self) -> str:
        if not self.records:
            return "refused"
        measured = [block for block in self.records[-1].blocks if not block.warmup]
        aside = sum(not block.valid for block in measured)
        return self.records[-1].status + (f", {aside} of {len(measured)} blocks set aside" if aside else "")

    @property
    def sentence(self) -> str:
        return first_words(self.records[-1]) if self.records else ""


def for_seconds(seconds: float, process: Callable[[Running], psutil.Process]) -> Callable[[Running], None]:
    """Stop one process for a while."""

    def act(running: Running) -> None:
        found = process(running)
        found.suspend()
        time.sleep(seconds)
        found.resume()

    return act


def _pause_all(running: Running) -> None:
    """As if the machine itself stalled: the recorder, too, which is out of a terminal's reach."""
    sampler = running.recorder
    running.signal_all(signal.SIGSTOP)
    sampler.suspend()
    time.sleep(3.0)
    sampler.resume()
    running.signal_all(signal.SIGCONT)


def _stop_and_interrupt(process: Callable[[Running], psutil.Process]) -> Callable[[Running], None]:
    def act(running: Running) -> None:
        process(running).suspend()
        time.sleep(0.5)
        running.signal_all(signal.SIGINT)

    return act


def _step_the_calendar(seconds: float) -> Callable[[Running], None]:
    """An hour ahead, and after a while two hours back."""

    def act(running: Running) -> None:
        running.clock.step(3600)
        time.sleep(seconds)
        running.clock.step(-3600)

    return act


def worker(running: Running) -> psutil.Process:
    return running.worker


def recorder(running: Running) -> psutil.Process:
    return running.recorder


OK, FAILED, INTERRUPTED = frozenset({0}), frozenset({1}), frozenset({130})
JUDGED = frozenset({0, 3})
"""Whether enough good blocks are left is up to the load of the machine that plays the scene."""

WARMING, BLOCK, IDLE = "warming up, round 2", "measuring block 2", "idle before"

SHORT = (
    ProcessScene(
        "worker is stopped for good",
        BLOCK,
        lambda running: worker(running).suspend(),
        FAILED,
        "was stopped from outside while it handled",
        ESTIMATED,
        ends=True,
    ),
    ProcessScene(
        "worker is stopped, then Ctrl-C",
        BLOCK,
        _stop_and_interrupt(worker),
        INTERRUPTED,
        "The run was interrupted.",
        ESTIMATED,
        ends=True,
    ),
    ProcessScene(
        "recorder is stopped, then Ctrl-C",
        BLOCK,
        _stop_and_interrupt(recorder),
        INTERRUPTED,
        "The run was interrupted.",
        ESTIMATED,
        ends=True,
    ),
    ProcessScene(
        "recorder is killed",
        WARMING,
        lambda running: recorder(running).kill(),
        FAILED,
        "The recorder process has ended.",
        ESTIMATED,
        ends=True,
    ),
    ProcessScene("machine is paused for 3 s", BLOCK, _pause_all, JUDGED, "stalled", ESTIMATED, spoilt=1),
    ProcessScene(
        "calendar steps by an hour and back by two", BLOCK, _step_the_calendar(0.5), JUDGED, "", ESTIMATED
    ),
)
"""Quick, and without torch or a card: for the everyday suite."""

LONG = (
    ProcessScene(
        "recorder is killed",
        IDLE,
        lambda running: recorder(running).kill(),
        FAILED,
        "recorder process has ended",
    ),
    ProcessScene(
        "recorder is killed",
        BLOCK,
        lambda running: recorder(running).kill(),
        FAILED,
        "recorder process has ended",
    ),
    ProcessScene(
        "recorder is stopped for good",
        BLOCK,
        lambda running: recorder(running).suspend(),
        FAILED,
        "The recorder process has stalled",
        spoilt=1,
        ends=True,
    ),
    ProcessScene(
        "recorder is stopped for 3 s", BLOCK, for_seconds(3.0, recorder), JUDGED, "stalled", spoilt=1
    ),
    ProcessScene("worker is stopped for 3 s", BLOCK, for_seconds(3.0, worker), JUDGED, "paused", spoilt=1),
    ProcessScene("worker is stopped for 3 s", WARMING, for_seconds(3.0, worker), JUDGED, ""),
    ProcessScene("machine is paused for 3 s", BLOCK, _pause_all, JUDGED, "stalled", spoilt=1),
    ProcessScene("machine is paused for 3 s", IDLE, _pause_all, JUDGED, ""),
    ProcessScene("calendar steps by an hour and back by two", BLOCK, _step_the_calendar(7.0), OK, ""),
    ProcessScene(
        "card is lost",
        IDLE,
        lambda running: running.standin.lose(0),
        frozenset({3}),
        "the GPU is lost",
        (*METERED, "--max-seconds", "20"),
        spoilt=5,
    ),
    ProcessScene(
        "every energy call fails",
        BLOCK,
        lambda running: running.standin.fail(Family.ENERGY, 999),
        frozenset({3}),
        "the driver reported an unknown error",
        (*METERED, "--max-seconds", "20"),
        spoilt=4,
    ),
    ProcessScene(
        "counter stalls",
        BLOCK,
        lambda running: running.standin.freeze_counter(0),
        frozenset({3}),
        "the counter stalled",
        (*METERED, "--max-seconds", "20"),
        spoilt=4,
    ),
)
"""With a metered card, half a minute each."""


def play_together(
    scenes: tuple[ProcessScene, ...], library: Path, at_once: int = 6, longest_s: float = LONGEST_S
) -> list[Seen | Exception]:
    """Play scenes side by side; an ending that is not what it owes is an exception in its place."""

    def each(scene: ProcessScene) -> Seen | Exception:
        with tempfile.TemporaryDirectory() as folder:
            try:
                return play(scene, library, Path(folder), longest_s)
            except (AssertionError, OSError, psutil.Error) as error:
                return error

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(each, scenes))


def play(scene: ProcessScene, library: Path, folder: Path, longest_s: float = LONGEST_S) -> Seen:
    """Play one scene. Raises AssertionError where its ending is not what it owes."""
    standin, clock = StandIn(library, folder / "standin.control"), Clock(folder)
    standin.load(0, standin.now_ns(), IDLE_W)
    results = folder / "results"
    variables = environment(standin.environment(), pretend=True, temporary=folder / "tmp") | clock.environment
    process = start(["tiny-bloom", "--device", "cpu", *scene.arguments], results, variables)
    patience = threading.Timer(longest_s, os.killpg, (process.pid, signal.SIGKILL))
    patience.start()
    try:
        seen = _watch(scene, Running(process, standin, clock), results)
        _check(scene, seen, standin)
    finally:
        patience.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        standin.close()
    return seen


def _watch(scene: ProcessScene, running: Running, results: Path) -> Seen:
    process = running.process
    assert process.stderr is not None
    said, acted = [], None
    for line in process.stderr:
        said.append(line)
        if acted is None and line.strip() == scene.stage:
            time.sleep(1.7 if scene.arguments[0] == "--gpus" else 0.1)  # past the rest before a block
            acted = time.monotonic()
            scene.act(running)
    out, _ = process.communicate()
    assert acted is not None, "".join(said)
    records = [store.read(path) for path in sorted(results.glob("*/*.json"))]
    return Seen(process.returncode, time.monotonic() - acted, "".join(said) + out, records)


def _check(scene: ProcessScene, seen: Seen, standin: StandIn) -> None:
    words = seen.out + "".join(record.model_dump_json() for record in seen.records)
    assert seen.status in scene.statuses, f"{scene}: status {seen.status}\n{seen.out}"
    assert scene.expected in words, f"{scene}: {seen.out}"
    assert "Traceback" not in seen.out
    assert not scene.ends or seen.seconds < 2 * HANG_S, f"{scene}: it took {seen.seconds:.0f} s"
    blocks = [block for record in seen.records for block in record.blocks]
    assert sum(not block.valid for block in blocks) >= scene.spoilt, f"{scene}: {seen.out}"
    for block in blocks:
        assert block.valid or block.reasons
        assert block.codecarbon is not None
        assert block.codecarbon.duration_s == pytest.approx(block.duration_s, abs=2.0)
        for domain, energy in block.energy.items():
            assert energy.gross_j is None or energy.gross_j > 0, f"{scene}: {domain}: {energy}"
            if domain.startswith("gpu:") and block.valid and not block.warmup:
                truth_j = standin.true_energy_j(0, block.start_ns, block.end_ns)
                found_j = energy.with_rests_j or 0.0
                assert found_j == pytest.approx(truth_j, rel=0.1), f"{scene}: {energy}"
