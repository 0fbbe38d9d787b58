"""The recorder at work: its process, its pace, and what it makes of cards whose true power is known."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import psutil
import pynvml
import pytest

from bench.core.arrays import Floats
from bench.errors import MeterError
from bench.meters import sampler_start, sampling
from bench.meters.gpus import GpuDrivers
from bench.meters.nvml_library import ENERGY, POWER_INSTANT
from bench.meters.recorder import Recorder, SlowValue
from bench.meters.sources import Sources
from bench.meters.sources.rapl import FACTS, Rapl
from tests.standin import Family, StandIn
from tests.support.metering import MS, S
from tests.support.processes import ROOT, has_ended, wait_until

WAVE, CONSTANT, AVERAGE_ONLY, LOST = range(4)
WAVE_HIGH_W, BASE_W, CONSTANT_W = 400.0, 70.0, 300.0
PERIOD_NS = 500 * MS


def rows_after(recorder: Recorder, t_ns: int) -> int:
    return int(np.count_nonzero(recorder.rows()["t_ns"] > t_ns))


@pytest.fixture
def recorder(standin: StandIn) -> Iterator[Recorder]:
    """A recorder of two idle cards."""
    standin.attach()
    with Recorder() as running:
        yield running


# ---- one recording of four cards, looked at from several sides -----------------------------------------


@dataclass
class Recording:
    """Four seconds of four cards; the window is a whole number of the wave's periods, `lost_ns` is in it."""

    standin: StandIn
    recorder: Recorder
    start_ns: int
    end_ns: int
    lost_ns: int

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.start_ns) / 1e9

    def unseen_j(self, swing_w: float) -> float:
        """What a power that swings so far may hide in the ticks that a busy machine delayed."""
        t_ns, _ = self.recorder.fast(CONSTANT, self.start_ns, self.end_ns, "energy_j")
        late_s = np.maximum(np.diff(t_ns) / 1e9 - 1.5 / sampling.FAST_HZ, 0.0)
        return swing_w * float(np.sum(late_s))

    def raw(self, kind: int, index: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Floats]:
        rows = self.recorder.rows()
        chosen = rows[(rows["kind"] == kind) & (rows["index"] == index)]
        return chosen["t_ns"], chosen["value"]


@pytest.fixture(scope="module")
def recording(standin_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    """Recorded once: a wave, a constant load, a card without counter or instant power, one that is lost."""
    standin = StandIn(standin_library, tmp_path_factory.mktemp("recording") / "control", gpu_count=4)
    standin.square_wave(WAVE, WAVE_HIGH_W, PERIOD_NS)
    for gpu in (CONSTANT, AVERAGE_ONLY, LOST):
        standin.load(gpu, 0, CONSTANT_W)
    standin.gpu(AVERAGE_ONLY).counter_supported = False
    standin.gpu(AVERAGE_ONLY).unsupported_fields[0] = POWER_INSTANT
    standin.attach()
    with Recorder() as recorder:
        standin.detach()  # the sampler has found its way: what follows is no business of this process
        recorder.wait_past(time.monotonic_ns() + S, timeout_s=5.0)
        start_ns = time.monotonic_ns()
        lost_ns, end_ns = start_ns + 1500 * MS, start_ns + 8 * PERIOD_NS
        standin.lose(LOST, lost_ns)
        assert recorder.wait_past(end_ns + 1200 * MS, timeout_s=30.0)
    yield Recording(standin, recorder, start_ns, end_ns, lost_ns)  # what has been read stays readable
    standin.close()


def test_sampler_keeps_its_pace(recording: Recording) -> None:
    fast, _ = recording.recorder.fast(CONSTANT, recording.start_ns, recording.end_ns, "energy_j")
    slow, _ = recording.recorder.slow(CONSTANT, recording.start_ns, recording.end_ns, "temperature_c")
    expected = sampling.FAST_HZ * recording.seconds
    assert 0.75 * expected <= len(fast) <= expected + 1
    assert 0.75 * 2 * recording.seconds <= len(slow) <= 2 * recording.seconds + 1


def test_stamps_are_of_this_clock_and_never_go_back(recording: Recording) -> None:
    t_ns = recording.recorder.rows()["t_ns"]
    assert np.all(np.diff(t_ns) >= 0)
    assert recording.start_ns - 10 * S < t_ns[0] < recording.start_ns
    assert t_ns[-1] <= time.monotonic_ns()


def test_slow_rows_tell_the_state_of_the_card(recording: Recording) -> None:
    def seen(value: SlowValue) -> set[float]:
        return set(recording.recorder.slow(CONSTANT, recording.start_ns, recording.end_ns, value)[1].tolist())

    assert seen("temperature_c") == {40.0}
    assert seen("sm_clock_mhz") == {1830.0}
    assert seen("throttle_mask") == {0.0}


def test_call_time_is_recorded(recording: Recording) -> None:
    _, call_s = recording.recorder.fast(CONSTANT, recording.start_ns, recording.end_ns, "call_s")
    assert np.all(call_s > 0)
    assert np.median(call_s) < 0.01


@pytest.mark.parametrize("gpu", [WAVE, CONSTANT, AVERAGE_ONLY])
def test_integrated_power_is_within_one_percent_of_the_truth(recording: Recording, gpu: int) -> None:
    truth_j = recording.standin.true_energy_j(gpu, recording.start_ns, recording.end_ns)
    found_j = recording.recorder.integrate_power(gpu, recording.start_ns, recording.end_ns)
    assert found_j is not None
    swing_w = WAVE_HIGH_W - BASE_W if gpu == WAVE else 0.0
    # Each of the wave's sixteen edges is seen up to a sample late: two standard deviations of their sum.
    edges_late_j = 2 * math.sqrt(16 / 12) * swing_w / sampling.FAST_HZ
    assert abs(found_j - truth_j) <= 0.01 * truth_j + edges_late_j + recording.unseen_j(swing_w)


def test_counter_curve_climbs_as_the_card_draws(recording: Recording) -> None:
    t_ns, energy_j = recording.recorder.counter_curve(CONSTANT, recording.start_ns, recording.end_ns)
    assert np.all(np.diff(energy_j) > 0)
    assert t_ns[0] < recording.start_ns
    assert t_ns[-1] > recording.end_ns
    slope_w = (energy_j[-1] - energy_j[0]) / ((t_ns[-1] - t_ns[0]) / 1e9)
    assert slope_w == pytest.approx(CONSTANT_W, rel=0.03), "each end is seen up to a tick late"


def test_counter_curve_is_near_the_truth_all_along_a_square_wave(recording: Recording) -> None:
    t_ns, energy_j = recording.recorder.counter_curve(WAVE, recording.start_ns, recording.end_ns)
    true_j = [recording.standin.true_energy_j(WAVE, int(t_ns[0]), int(t)) for t in t_ns]
    seen_late_j = WAVE_HIGH_W * 2 / sampling.FAST_HZ
    assert np.max(np.abs(energy_j - energy_j[0] - true_j)) <= seen_late_j + recording.unseen_j(WAVE_HIGH_W)


def test_card_without_a_counter_has_no_curve(recording: Recording) -> None:
    t_ns, energy_j = recording.recorder.counter_curve(AVERAGE_ONLY, recording.start_ns, recording.end_ns)
    assert len(t_ns) == len(energy_j) == 0


def test_card_lost_midway_leaves_gaps_not_zeros(recording: Recording) -> None:
    for kind in (sampling.FAST, sampling.SLOW):
        t_ns, values = recording.raw(kind, LOST)
        readings = values[:, :2]  # energy and instant power; temperature and clock
        assert not np.any(readings == 0)
        after = readings[t_ns >= recording.lost_ns]
        assert len(after) > 0, "the sampler goes on asking"
        assert np.all(np.isnan(after))
        assert not np.any(np.isnan(readings[t_ns < recording.lost_ns]))


def test_card_lost_midway_has_no_integral_and_the_others_have(recording: Recording) -> None:
    recorder, start_ns = recording.recorder, recording.start_ns
    assert recorder.integrate_power(LOST, start_ns, recording.end_ns) is None
    before_j = recorder.integrate_power(LOST, start_ns, recording.lost_ns)
    assert before_j == pytest.approx(CONSTANT_W * 1.5, rel=0.01)
    assert recorder.integrate_power(CONSTANT, start_ns, recording.end_ns) is not None


def test_sampler_takes_little_of_a_core(recording: Recording) -> None:
    cost = recording.recorder.own_cost()
    t_ns, values = recording.raw(sampling.SELF, 0)
    assert 0 < cost["cpu_share"] < 0.1
    assert cost["cpu_share"] == pytest.approx((values[-1, 0] - values[0, 0]) / ((t_ns[-1] - t_ns[0]) / 1e9))
    assert cost["cpu_s"] == values[-1, 0] > 0
    assert cost["ticks"] >= 0.75 * 20 * recording.seconds
    assert 0.04 < cost["longest_gap_s"] < 5.0


class Clock:
    """Stands in for the `time` module: it moves when it is told to, or slept on."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s

    def monotonic_ns(self) -> int:
        return round(self.now_s * 1e9)

    def process_time(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.mark.parametrize(("first_s", "each_s"), [(0.0, 0.0), (0.07, 0.1), (0.0, 0.03), (0.12, 0.26)])
def test_ticks_that_take_long_do_not_cost_the_slow_rows(
    standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first_s: float, each_s: float
) -> None:
    """A driver that needs two periods a tick leaves out every second tick; slow rows come twice a second."""
    standin.fail(Family.INIT, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
    standin.attach()
    clock = Clock()
    monkeypatch.setattr(sampling, "time", clock)
    slow_s = []
    for number, rows in enumerate(
        sampling._Sampler(GpuDrivers(), Sources([(FACTS, Rapl(tmp_path))])).ticks()
    ):
        kinds = [kind for _, kind, *_ in sampling.ROW.iter_unpack(rows)]
        if sampling.SELF in kinds:
            slow_s.append(clock.now_s - 1000.0)
        clock.now_s += each_s if number else first_s
        if clock.now_s > 1010.0:
            break
    assert 20 <= len(slow_s) <= 21
    assert max(np.diff(slow_s)) <= 0.5 + each_s + 0.05


# ---- trouble -------------------------------------------------------------------------------------------


def test_slow_driver_makes_a_gap_that_is_reported_and_no_burst_after_it(
    recorder: Recorder, standin: StandIn
) -> None:
    standin.gpu(0).latency_us = 300_000
    time.sleep(0.4)
    standin.gpu(0).latency_us = 0
    time.sleep(1.0)
    recorder.wait_past(time.monotonic_ns() + 600 * MS)  # the cost is written with the slow rows
    cost = recorder.own_cost()
    assert cost["longest_gap_s"] >= 0.3
    assert cost["late_ticks"] >= 1
    t_ns, _ = recorder.fast(1, 0, time.monotonic_ns(), "energy_j")
    assert np.min(np.diff(t_ns)) > 2 * MS, "lost ticks are not made up for"


def test_machine_without_a_driver_is_recorded_all_the_same(standin: StandIn) -> None:
    standin.fail(Family.INIT, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
    standin.attach()
    with Recorder() as recorder:
        assert recorder.wait_past(time.monotonic_ns())
        assert recorder.integrate_power(0, 0, time.monotonic_ns()) is None
        assert recorder.own_cost()["ticks"] >= 1


def test_card_without_the_counter_field_is_recorded_by_its_own_call(standin: StandIn) -> None:
    standin.gpu(0).unsupported_fields[0] = ENERGY
    standin.attach()
    with Recorder() as recorder:
        recorder.wait_past(time.monotonic_ns() + 100 * MS)
        _, energy_j = recorder.fast(0, 0, time.monotonic_ns(), "energy_j")
        assert len(energy_j) > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_ends_a_job_does_not_stop_its_sampler(recorder: Recorder, number: signal.Signals) -> None:
    os.kill(recorder.pid, number)
    assert recorder.wait_past(time.monotonic_ns() + 300 * MS, timeout_s=5.0)
    assert recorder.alive


def test_killed_sampler_is_noticed_and_its_rows_remain(recorder: Recorder) -> None:
    recorder.wait_past(time.monotonic_ns())
    assert recorder.alive
    os.kill(recorder.pid, signal.SIGKILL)
    assert wait_until(lambda: not recorder.alive, timeout_s=5.0)
    assert not recorder.wait_past(time.monotonic_ns(), timeout_s=30.0)
    assert len(recorder.rows()) > 0
    recorder.close()
    assert not recorder.path.exists()


def test_closing_ends_the_process_and_removes_the_file(standin: StandIn) -> None:
    standin.attach()
    recorder = Recorder()
    process, folder = psutil.Process(recorder.pid), recorder.path.parent
    assert recorder.wait_past(time.monotonic_ns())
    assert recorder.path.stat().st_size > 0
    recorder.close()
    assert not process.is_running()
    assert not folder.exists()
    assert not recorder.alive
    recorder.close()


@pytest.mark.parametrize("swept", [False, True], ids=["folder is there", "folder was swept"])
def test_sampler_that_starts_after_its_parent_was_interrupted_ends_without_a_word(
    tmp_path: Path, swept: bool
) -> None:
    ours, theirs = Pipe()
    file = tmp_path / "samples" / "samples.bin"
    if not swept:
        file.parent.mkdir()
    code = f"""
from multiprocessing.connection import Connection
from pathlib import Path
from bench.meters import sampling
sampling.main(Path({str(file)!r}), Connection({theirs.fileno()}), 1)
"""
    ours.close()
    command = [sys.executable, "-c", code]
    with theirs:
        kept = [theirs.fileno()]
        done = subprocess.run(command, cwd=ROOT, pass_fds=kept, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not file.parent.exists()


def test_sampler_that_stands_still_is_ended_all_the_same(standin: StandIn) -> None:
    standin.attach()
    recorder = Recorder()
    process = psutil.Process(recorder.pid)
    process.suspend()
    recorder.close()
    assert not process.is_running()


def test_sampler_that_dies_at_its_start_is_an_error_that_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sampler_start, "START", "raise SystemExit(3)")
    with pytest.raises(MeterError, match="ended while starting"):
        Recorder()
    assert list(tmp_path.iterdir()) == []


def test_interpreter_that_is_not_there_is_an_error_that_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(MeterError, match="could not be started"):
        Recorder()
    assert list(tmp_path.iterdir()) == []


# ---- whatever the program is that it is started from ---------------------------------------------------

PROGRAM = """
import time
from bench.meters.recorder import Recorder
print("begins")
recorder = Recorder()
print(recorder.wait_past(time.monotonic_ns(), timeout_s=10.0))
"""


@pytest.mark.parametrize("how", ["script without a guard", "stdin", "-c"])
def test_program_is_not_run_a_second_time(standin: StandIn, tmp_path: Path, how: str) -> None:
    """From a folder with a `bench` of its own; and nobody closes the recorder."""
    (tmp_path / "elsewhere" / "bench").mkdir(parents=True)
    (tmp_path / "elsewhere" / "bench" / "__init__.py").write_text("raise ImportError('the wrong one')")
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)
    arguments = {"script without a guard": [str(script)], "stdin": ["-"], "-c": ["-c", PROGRAM]}[how]
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        env=os.environ | standin.environment() | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        cwd=tmp_path / "elsewhere",
        input=PROGRAM if how == "stdin" else None,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "begins\nTrue\n", "")
    assert not list(tmp_path.glob("joulebench-*")), "its file goes when the interpreter ends"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_fork_that_ends_leaves_the_recorder_running(recorder: Recorder) -> None:
    context = multiprocessing.get_context("fork")
    child = context.Process(target=recorder.close)
    child.start()
    child.join(timeout=10.0)
    assert child.exitcode == 0
    assert recorder.wait_past(time.monotonic_ns() + 100 * MS, timeout_s=5.0)
    assert recorder.path.exists()


def test_sampler_ends_when_its_parent_is_killed(standin: StandIn, tmp_path: Path) -> None:
    code = """
import time
from bench.meters.recorder import Recorder
recorder = Recorder()
print(recorder.pid, flush=True)
time.sleep(60)
"""
    environment = os.environ | standin.environment() | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        sampler = psutil.Process(int(parent.stdout.readline()))
        assert sampler.is_running()
        parent.kill()
        parent.wait()
    assert wait_until(lambda: has_ended(sampler), timeout_s=2.0)
    assert not list(tmp_path.glob("joulebench-*")), (
        "its file goes with it, since nobody else is left to remove it"
    )
