"""`bench doctor` as a person and as a machine read it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.doctor import examine as doctor
from bench.doctor.examine import DoctorReport, GpuLimits
from bench.doctor.findings import Finding
from bench.doctor.probes import ProbeAnswer
from bench.machine.locks import exclusive_use
from bench.meters.gpus import GpuDrivers
from bench.view.doctor import TONES
from tests.cli.conftest import Typed
from tests.standin import StandIn
from tests.support.processes import ROOT

SHIPPED = ROOT / "models.yaml"
WHOLE = {
    **{"cuda": "12.8", "available": True, "devices": 2},
    **{"unknown_country": None, "version": "3.3.2", "cpu_mode": "cpu_load", "ram": True, "gpu": True},
}


class Said:
    """A probe that has the answer at once, PyTorch's and CodeCarbon's in one."""

    def __init__(self, *_: object) -> None:
        self.value = WHOLE

    def answer(self) -> ProbeAnswer:
        return ProbeAnswer(self.value, 4.0)

    def end(self) -> None:
        """There is no process."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A short look, probes that answer at once, an empty home and no network."""
    monkeypatch.setattr(doctor, "LIMITS", GpuLimits(0.2, 0.2, 1.0, 0.2))
    monkeypatch.setattr(doctor, "Probe", Said)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


@pytest.fixture
def attached(standin: StandIn) -> StandIn:
    standin.attach()
    return standin


def test_every_line_has_state_name_and_meaning_and_commands_stand_alone(
    attached: StandIn, typed: Typed
) -> None:
    attached.gpu(1).persistence_mode = 0
    done = typed("doctor", "--models", SHIPPED)
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert "gpu 0" in lines
    assert "gpu 1" in lines
    assert any(line.startswith("ok       energy counter") for line in lines)
    at = next(number for number, line in enumerate(lines) if line.startswith("warn     persistence mode"))
    assert lines[at + 1].strip() == "$ sudo nvidia-smi -i 1 -pm 1"
    assert "Figures of scope gpu are measured" in " ".join(done.out.split())


def test_json_has_the_same_lines(attached: StandIn, typed: Typed) -> None:
    text = typed("doctor", "--models", SHIPPED).out
    done = typed("doctor", "--models", SHIPPED, "--json")
    told = json.loads(done.out)
    assert told["schema"] == "joulebench/doctor/1"
    assert (told["exit_status"], done.status) == (0, 0)
    assert told["scopes"]["gpu"] == "measured"
    findings = told["findings"]
    assert all(set(line) == {"subject", "name", "state", "meaning", "command", "needed"} for line in findings)
    shown = [line.split(maxsplit=1) for line in text.splitlines() if line[:1] not in ("", " ")]
    names = [(state, rest) for state, rest in (each for each in shown if len(each) == 2) if state in TONES]
    assert len(names) == len(findings)
    for (state, rest), line in zip(names, findings, strict=True):
        assert state == line["state"]
        assert rest.startswith(line["name"])


def test_only_the_cards_named_are_looked_at(attached: StandIn, typed: Typed) -> None:
    told = json.loads(typed("doctor", "--gpus", "1", "--json", "--models", SHIPPED).out)
    subjects = {line["subject"] for line in told["findings"]}
    assert "gpu 1" in subjects
    assert "gpu 0" not in subjects


def test_a_card_that_is_not_there_is_wrong_use(attached: StandIn, typed: Typed) -> None:
    done = typed("doctor", "--gpus", "7")
    assert (done.status, done.out) == (2, "")
    assert '--gpus: "7" is not a GPU of this machine.' in done.err


def break_models(tmp_path: Path) -> list[str]:
    (tmp_path / "models.yaml").write_text("schema: 1\nmodels: {}\n")
    return []


def block_results(tmp_path: Path) -> list[str]:
    (tmp_path / "file").write_text("no folder\n")
    return ["--models", str(SHIPPED), "--results", str(tmp_path / "file" / "results")]


@pytest.mark.parametrize(("break_it", "name"), [(break_models, "models"), (block_results, "results")])
def test_what_a_run_needs_and_lacks_is_status_2(
    attached: StandIn, typed: Typed, tmp_path: Path, break_it: Callable[[Path], list[str]], name: str
) -> None:
    done = typed("doctor", *break_it(tmp_path))
    assert (done.status, done.err) == (2, "")
    assert any(line.startswith(f"missing  {name} ") for line in done.out.splitlines())
    assert f"until this is mended: {name}." in " ".join(done.out.split())


LONG = Finding(
    "gpu 0", "power limit", "warn", "It is lower than the default, " * 6 + "so.", "sudo nvidia-smi -i 0 -pl 7"
)


@pytest.mark.parametrize("columns", [30, 40, 69, 70, 80, 200])
def test_narrow_terminals_stay_readable(
    on_terminal: Typed, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    told = DoctorReport((LONG, Finding("verdict", "scope", "ok", "Figures of scope gpu are measured.")), {})
    monkeypatch.setattr(doctor, "examine", lambda *_: told)
    out = on_terminal("doctor", columns=columns).out
    plain = _without_colours(out)
    assert all(len(line) <= columns for line in plain.splitlines() if "$" not in line)
    assert any(line.strip() == "$ sudo nvidia-smi -i 0 -pl 7" for line in plain.splitlines())
    assert " ".join(plain.split()).count("It is lower than the default,") == 6
    assert "\x1b[" in out


def test_nothing_a_machine_says_steers_the_terminal(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    nasty = Finding("gpu 0", "card", "info", "[red]name\x1b[2J", "rm \x1b[2J")
    monkeypatch.setattr(doctor, "examine", lambda *_: DoctorReport((nasty,), {}))
    done = typed("doctor")
    assert "\x1b" not in done.out
    assert "[red]name" in done.out


def test_no_secret_is_printed(attached: StandIn, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_not_for_eyes")
    monkeypatch.setenv("CODECARBON_API_KEY", "cc_not_for_eyes")
    done = typed("doctor", "--json", "--models", SHIPPED)
    assert "not_for_eyes" not in done.out + done.err


def test_the_real_thing_in_a_fresh_process(standin: StandIn, tmp_path: Path) -> None:
    """Real probes, real time: within its limits, without torch in this process, nothing left behind."""
    folder = tmp_path / "here"
    folder.mkdir()
    code = (
        "import sys; from bench.cli import invoke; status = invoke(sys.argv[1:]); "
        "print(*sorted(sys.modules), file=sys.stderr); sys.exit(status)"
    )
    environment = os.environ | standin.environment() | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, "doctor", "--json"],
        cwd=folder,
        env=environment | {"HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    took_s = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert not {"torch", "transformers", "codecarbon"} & set(done.stderr.split())
    told: dict[str, Any] = json.loads(done.stdout)
    states = {(line["subject"], line["name"]): line["state"] for line in told["findings"]}
    assert states["gpu 1", "counter tick"] == "ok"
    assert not [folder / left for left in os.listdir(folder) if left not in (".cache", ".nv")]
    assert took_s < 16, "eight seconds where nothing else runs; twice that beside other tests"


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_measurement_that_goes_on_is_told_with_its_holder(attached: StandIn, typed: Typed) -> None:
    with GpuDrivers() as drivers:
        uuid = drivers.gpus[1].uuid
    with exclusive_use([uuid], Path("results"), pytest.fail):
        done = typed("doctor", "--models", SHIPPED)
    told = " ".join(done.out.split())
    assert f"warn measurements Process {os.getpid()} (`" in told
    assert f"is measuring on {uuid}, and a run there is refused until it ends." in told
    assert done.status == 0
