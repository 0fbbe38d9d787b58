"""`bench calibrate` as a user types it, beside a stand-in card that works when it is told to."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pynvml
import pytest

from bench.calibrate import calibrations, procedure
from bench.core.calibration import LEVELS, Plateau, SensorLine
from bench.doctor import cards
from bench.doctor.findings import Finding
from bench.errors import EngineError, MeterError
from bench.machine import provenance
from bench.machine.locks import exclusive_use
from bench.measurement.outcome import RunOutcome
from bench.measurement.session import Session
from bench.meters.gpus import GpuDrivers
from bench.store import calibration
from bench.store.results import slug, to_json
from bench.worker import process as process_module
from bench.worker.messages import LoadPrepared, LoadStep
from bench.worker.process import WorkerProcess
from tests.standin import Family, StandIn
from tests.store.calibrations import known, line
from tests.support.calibrate.metered import FADES_S, FADING_W, WATTS
from tests.support.metering import MS
from tests.support.processes import ROOT, wait_until

UUID = "GPU-00000000-0000-4000-8000-000000000000"
GAIN = 1.05


class Done(NamedTuple):
    status: int
    out: str
    err: str


Typed = Callable[..., Done]


def start(standin: StandIn, results: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command with the test's load, in a process group of its own."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.support.calibrate.metered",
            "calibrate",
            *arguments,
            "--results",
            str(results),
        ],
        cwd=ROOT,
        env=os.environ | standin.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def typed(standin: StandIn, tmp_path: Path) -> Typed:
    def run(*arguments: str) -> Done:
        process = start(standin, tmp_path / "results", *arguments)
        out, err = process.communicate(timeout=120)
        return Done(process.returncode, out, err)

    return run


def with_a_damaged_file(standin: StandIn, results: Path) -> Path:
    """Half a calibration of card 0, as a full disk may leave it elsewhere."""
    standin.attach()
    with GpuDrivers() as drivers:
        path = calibration.path_of(results / slug(str(provenance.machine(drivers).name)), UUID)
    standin.detach()
    path.parent.mkdir(parents=True)
    path.write_text(to_json(known(uuid=UUID))[:200], encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_card_is_calibrated_and_its_reading_corrected_by_an_outside_meter(
    standin: StandIn, typed: Typed, tmp_path: Path
) -> None:
    gpu = standin.gpu(0)
    standin.load(0, standin.now_ns(), WATTS["idle"])
    gpu.gain, gpu.seen_share, gpu.counter_part_time, gpu.tick_ns = GAIN, 0.25, True, 100 * MS
    damaged = with_a_damaged_file(standin, tmp_path / "results")
    done = typed("--gpus", "0", "--load-seconds", "5", "--reference-seconds", "1")
    assert done.status == 0, done.err
    assert "energy counter" in done.out
    then = f"--gpus 0 --results {tmp_path / 'results'} --reference-joules IDLE,MIDDLE,HIGH"
    assert f"Then: python -m bench calibrate {then}" in " ".join(done.out.split())
    assert "gpu 0: " + str(damaged) in done.err
    assert "It is replaced." in done.err
    assert done.err.count("BEGINS NOW") == done.err.count("ENDS NOW") == 3
    (path,) = (tmp_path / "results").glob("*/calibration/*.json")
    assert not list((tmp_path / "results").glob("*/*.json")), "no glob for records may find it"
    assert done.out.splitlines()[-1] == str(path)
    machine_folder = path.parents[1]
    found = calibration.load(machine_folder, UUID)
    assert found is not None
    assert found.share_seen == pytest.approx(0.25, abs=0.06)
    assert found.sensor_period_s == pytest.approx(0.1, rel=0.05)
    assert found.block_seconds_at_least() == pytest.approx(30, rel=0.05)
    assert found.counter is not None
    assert found.counter.delay_s == pytest.approx(0.0375, abs=0.015)
    assert found.decay is not None
    assert found.decay.time_constant_s == pytest.approx(FADES_S, rel=0.4)
    assert found.decay.above_idle_w == pytest.approx(GAIN * FADING_W, rel=0.4)
    assert 0 < found.call_s < found.look_s

    true_j = [WATTS[stretch.level] * stretch.seconds for stretch in found.stretches]
    numbers = ",".join(f"{joules:.3f}" for joules in true_j)
    done = typed("--reference-joules", numbers, "--reference-error", "1%", "--json")
    assert (done.status, done.err) == (0, "")
    told = json.loads(done.out)
    assert told["schema"] == "joulebench/calibration/1"
    assert told["line"]["gain"] == pytest.approx(GAIN, rel=0.02)
    assert abs(told["line"]["offset_w"]) < 5
    standin.attach()
    with GpuDrivers() as drivers:
        assert set(calibrations(machine_folder, drivers.gpus, pytest.fail)) == {UUID}


def test_joules_without_stretches_are_refused_with_the_command_for_them(typed: Typed, tmp_path: Path) -> None:
    done = typed("--gpus", "1", "--reference-joules", "1,2,3")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("Error: No stretches are known of NVIDIA H200 stand-in")
    assert f"python -m bench calibrate --gpus 1 --results {tmp_path / 'results'}" in done.err
    assert done.err.rstrip().endswith("--reference-seconds 60")


def test_a_card_that_somebody_measures_on_is_refused(standin: StandIn, typed: Typed, tmp_path: Path) -> None:
    with exclusive_use([UUID], tmp_path / "elsewhere", pytest.fail):
        done = typed("--gpus", "0")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"Error: Process {os.getpid()} (")
    assert f"into {tmp_path}/elsewhere) is measuring on {UUID}." in done.err


def test_a_card_in_use_is_refused(standin: StandIn, typed: Typed, tmp_path: Path) -> None:
    standin.set_processes(0, compute={4711: 10**9})
    done = typed()
    assert (done.status, done.out) == (2, "")
    assert "is in use by process 4711" in done.err
    assert not list((tmp_path / "results").glob("*/calibration/*"))


class Ready(WorkerProcess):
    """A worker that is there at once, and never was a process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.uuid = environment["CUDA_VISIBLE_DEVICES"]

    @property
    def pid(self) -> int:
        return 1234

    def ask(self, request: object, answer: object) -> Any:
        return LoadPrepared(self.uuid)

    def close(self, *, gently: bool) -> None:
        """There is nothing to end."""


def test_a_process_that_comes_to_the_card_meanwhile_spoils_it(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(procedure, "WorkerProcess", Ready)
    standin.attach()
    with (
        GpuDrivers() as drivers,
        pytest.raises(MeterError, match="Process 4711 came to the card"),
        procedure.loaded(drivers, drivers.gpus[0], print),
    ):
        standin.set_processes(0, compute={1234: 1, 4711: 1})


class WithoutCuda(Ready):
    """A worker whose torch sees no card."""

    def ask(self, request: object, answer: object) -> Any:
        raise EngineError("Device cuda:0 does not exist.", "Check nvidia-smi.", missing=True)


def test_a_torch_without_cuda_is_something_missing(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench.cli import invoke

    monkeypatch.setattr(procedure, "WorkerProcess", WithoutCuda)
    standin.attach()
    assert invoke(["calibrate", "--gpus", "0", "--results", str(tmp_path)]) == 2
    assert capsys.readouterr().err.endswith("Error: Device cuda:0 does not exist. Check nvidia-smi.\n")


@pytest.mark.parametrize("earlier", [None, line()])
def test_a_reference_worse_than_none_changes_nothing_and_says_so(
    standin: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str], earlier: SensorLine | None
) -> None:
    from bench.cli import invoke

    standin.attach()
    with GpuDrivers() as drivers:
        folder = tmp_path / slug(str(provenance.machine(drivers).name))
    stretches = [Plateau(level=level, seconds=60, read_j=1.05 * 60 * WATTS[level]) for level in LEVELS]
    before = known(uuid=UUID, stretches=stretches, line=earlier)
    calibration.save(folder, before)
    joules = ",".join(f"{60 * WATTS[level]:g}" for level in LEVELS)
    asked = ["calibrate", "--gpus", "0", "--results", str(tmp_path), "--reference-joules", joules]
    assert invoke([*asked, "--reference-error", "50%"]) == 0
    kept = "the line drawn before is kept" if earlier else "no line is drawn"
    told = capsys.readouterr().err
    assert "where it is 5.07% without any" in told
    assert kept in told
    assert calibration.load(folder, UUID) == before
    assert invoke(asked) == 0
    assert capsys.readouterr().err == ""
    found = calibration.load(folder, UUID)
    assert found is not None
    assert found.line is not None
    assert found.line.reference_error == 0.02
    assert found.line.gain == pytest.approx(1.05)


def test_where_processes_cannot_be_seen_it_is_said(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procedure, "WorkerProcess", Ready)
    standin.attach()
    standin.fail(Family.PROCESSES, pynvml.NVML_ERROR_NO_PERMISSION)
    notes: list[str] = []
    with GpuDrivers() as drivers, procedure.loaded(drivers, drivers.gpus[0], notes.append):
        assert notes == ["getting the load ready"]
    assert notes[1] == "It cannot be seen who else computes on the card: this user may not read it."


def test_a_stopped_load_is_given_up_and_looked_at_no_longer(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(procedure, "LATE_S", 0.2)
    monkeypatch.setattr(process_module, "STOPPED_LOOK_S", 0.3)
    standin.attach()
    with pytest.raises(EngineError, match="was stopped from outside while it handled RunLoad") as caught:
        _drive_stopped()
    assert caught.value.stage == "stopped"


def _drive_stopped() -> None:
    with GpuDrivers() as drivers, WorkerProcess({}) as child:
        os.kill(child.pid, signal.SIGSTOP)
        procedure.LoadedGpu(drivers.gpus[0], child).drive((LoadStep("idle", 0.1),))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--reference-joules", "1,a"), "'a' is not a number of joules above 0"),
        (("--reference-joules", "3,-1"), "'-1' is not a number of joules above 0"),
        (("--reference-joules", "0,0,0"), "'0' is not a number of joules above 0"),
        (("--reference-joules", "nan,1,2"), "'nan' is not a number of joules above 0"),
        (("--reference-joules", "1,"), "'' is not a number of joules above 0"),
        (("--reference-seconds", "60", "--reference-joules", "1"), "belongs to a load that has been run"),
        (
            ("--load-seconds", "60", "--reference-joules", "1"),
            "--load-seconds runs a load; ",
        ),
        (("--reference-error", "1%"), "Give it with --reference-joules."),
        (("--supply-efficiency", "0.9"), "--supply-efficiency needs the joules that your meter counted"),
        (("--reference-error", "1"), "1 is not between 0 and 100 %. Write 1% or 0.01."),
        (("--reference-error", "150%"), "150% is not between 0 and 100 %.\n"),
        (("--load-seconds", "5"), "5.0 is not in the range 20<=x<=3600"),
        (("--gpus", ""), '--gpus: "" names no card. Give indices or UUIDs'),
        (("--gpus", "0,"), '--gpus: "0," names no card.'),
        (("--gpus", "0,1", "--reference-seconds", "60"), "one card at a time"),
        (("--gpus", "7"), '"7" is not a GPU of this machine'),
    ],
)
def test_wrong_use_is_one_sentence(
    arguments: tuple[str, ...],
    said: str,
    standin: StandIn,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from bench.cli import invoke

    standin.attach()
    assert invoke(["calibrate", *arguments, "--results", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""


def test_without_a_card_it_is_one_sentence(
    standin: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench.cli import invoke

    standin.control.gpu_count = 0
    standin.attach()
    assert invoke(["calibrate", "--results", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("Error: No NVIDIA GPU to calibrate was found: ")


def test_an_interrupt_ends_the_load_and_keeps_what_was_known(standin: StandIn, tmp_path: Path) -> None:
    process = start(standin, tmp_path, "--load-seconds", "600")
    assert process.stderr is not None
    for said in process.stderr:
        if "varied half-waves" in said:
            break
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "Interrupted."
    assert not list(tmp_path.glob("*/calibration/*"))
    assert wait_until(lambda: not living(process.pid), 10), "the load's process outlives the command"


def living(group: int) -> list[int]:
    """Processes of a group that still run."""
    found = []
    for each in psutil.process_iter(["status"]):
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(each.pid) == group and each.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(each.pid)
    return found


def test_a_run_takes_what_is_known_of_its_cards_into_its_records(
    standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench.cli import invoke

    taken: list[Any] = []

    def run(self: Session, planned: object) -> RunOutcome:
        taken.append(self._setup.instruments.machine)
        return RunOutcome()

    monkeypatch.setattr(Session, "run", run)
    standin.attach()
    with GpuDrivers() as drivers:
        folder = tmp_path / slug(str(provenance.machine(drivers).name))
    command = [
        "run",
        "bloom-560m",
        "--weights",
        "random",
        "--gpus",
        "0",
        "--device",
        "cpu",
        "--models",
        str(ROOT / "models.yaml"),
    ]
    command += ["--results", str(tmp_path)]
    assert invoke(command) == 0
    assert taken.pop().calibration == {}
    calibration.save(folder, known(uuid=UUID))
    assert invoke(command) == 0
    (kept,) = taken
    assert kept.calibration == {UUID: known(uuid=UUID)}
    calibration.path_of(folder, UUID).write_text("{}")
    capsys.readouterr()
    assert invoke(command) == 2
    assert "is not a calibration" in capsys.readouterr().err
    other = ["1" if each == "0" else each for each in command]
    assert invoke(other) == 0, "a damaged file of a card that is not used harms nobody"
    assert taken.pop().calibration == {}
    calibration.save(folder, known(uuid=UUID, driver="1.2.3"))
    assert invoke(command) == 0
    assert taken.pop().calibration == {}, "how a sensor is read is the driver's affair"
    assert "gpu 0 is left out: it is of driver 1.2.3, and now it is 580.95.05" in capsys.readouterr().err


def test_the_doctor_says_what_is_known_of_a_card(standin: StandIn, tmp_path: Path) -> None:
    standin.attach()
    with GpuDrivers() as drivers:
        gpu = drivers.gpus[0]

        def said() -> Finding:
            (found,) = cards.calibration(drivers, gpu, tmp_path)
            return found

        assert (said().state, said().command) == ("info", "python -m bench calibrate --gpus 0")
        folder = tmp_path / slug(str(provenance.machine(drivers).name))
        calibration.save(folder, known(uuid=UUID, line=line()))
        assert (said().state, said().command) == ("ok", None)
        assert "sees 100% of the time, it reads 1.050 times the truth" in said().meaning
        calibration.save(folder, known(uuid=UUID, driver="1.2.3"))
        assert (said().state, said().command) == ("warn", "python -m bench calibrate --gpus 0")
        assert "but with driver 1.2.3, and now it is 580.95.05" in said().meaning
