"""CodeCarbon as a second opinion: what it says is right, and what it cannot say is absent with a reason.

It looks for GPUs when it is imported, so that each scene is played in a fresh interpreter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from bench.core.quantities import J_PER_KWH
from bench.meters import codecarbon
from bench.meters.codecarbon import SETTINGS, CodeCarbon
from tests.standin import Family, StandIn
from tests.support.metering import MS
from tests.support.processes import run_python

GPU_0_W, GPU_1_W = 400.0, 650.0

PLAY = """
import json, logging, socket, sys, time

attempts = []
def refuse(*arguments, **_):
    attempts.append(str(arguments[-1]))
    raise OSError("no network in this test")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = socket.gethostbyname = refuse

from bench.meters.codecarbon import CodeCarbon

scene = json.loads(sys.argv[1])
windows = []
for indices, seconds in scene["windows"]:
    codecarbon = CodeCarbon(scene["country"], indices, ("nvidia-smi",))
    before = time.monotonic_ns()
    codecarbon.start()
    begin = time.monotonic_ns()
    time.sleep(seconds)
    end = time.monotonic_ns()
    task = codecarbon.stop()
    windows.append([before, begin, end, time.monotonic_ns(), vars(task)])
    codecarbon.close()
print(json.dumps({"windows": windows, "attempts": attempts}))
"""


@dataclass
class Seen:
    """One window as CodeCarbon saw it; the true joules of a card lie between `least_j` and `most_j`."""

    before_ns: int
    begin_ns: int
    end_ns: int
    after_ns: int
    task: dict[str, Any]

    def assert_true(self, name: str, watts: float, tolerance: float) -> None:
        """Between the calls and around them: on a busy machine the bounds move apart, the claim holds."""
        least_s, most_s = (self.end_ns - self.begin_ns) / 1e9, (self.after_ns - self.before_ns) / 1e9
        assert (1 - tolerance) * watts * least_s <= self.task[name] <= (1 + tolerance) * watts * most_s


def play(
    standin: StandIn,
    tmp_path: Path,
    *windows: tuple[list[int], float],
    country: str = "USA",
    env: dict[str, str] | None = None,
) -> list[Seen]:
    """Meter windows of (NVML indices, seconds) with one CodeCarbon each; what is true of all is asserted."""
    for gpu, watts in enumerate((GPU_0_W, GPU_1_W)):
        standin.gpu(gpu).tick_ns = 10 * MS
        standin.load(gpu, 0, watts)
    scene = json.dumps({"windows": windows, "country": country})
    code = f"import sys; sys.argv = ['play', {scene!r}]\n{PLAY}"
    out, err = run_python(standin, code, env, cwd=tmp_path)
    assert err == "", "CodeCarbon's log is no business of the user"
    found = json.loads(out)
    assert found["attempts"] == [], "nothing may call a host"
    seen = [Seen(*window) for window in found["windows"]]
    for each in seen:
        for name in ("gpu_j", "cpu_j", "ram_j", "carbon_g"):
            value, reason = each.task[name], each.task["absent"].get(name)
            assert (value is None) == (reason is not None), "a number or a reason, never both or neither"
            assert value is None or value > 0, "zero is no reading"
    return seen


def carbon_g(task: dict[str, Any], country: str = "USA") -> float:
    from codecarbon.input import DataSource

    total_j = sum(task[name] or 0.0 for name in ("gpu_j", "cpu_j", "ram_j"))
    mix = DataSource().get_global_energy_mix_data()[country]  # its own factor: an edition of 2024
    return float(total_j / J_PER_KWH * mix["carbon_intensity"])


# ---- windows -------------------------------------------------------------------------------------------


def test_gpu_joules_are_the_true_ones_of_the_given_card_alone(standin: StandIn, tmp_path: Path) -> None:
    """And of another card after it, in one process: CodeCarbon keeps what it found for its first tracker."""
    first, second, both = play(standin, tmp_path, ([0], 3.0), ([1], 0.5), ([0, 1], 0.5))
    first.assert_true("gpu_j", GPU_0_W, 0.02)
    second.assert_true("gpu_j", GPU_1_W, 0.05)
    both.assert_true("gpu_j", GPU_0_W + GPU_1_W, 0.05)
    assert 3.0 <= first.task["duration_s"] <= (first.after_ns - first.before_ns) / 1e9
    assert first.task["absent"] == {}
    assert first.task["carbon_g"] == pytest.approx(carbon_g(first.task), rel=1e-6)


def test_country_in_small_letters_is_the_same_country(standin: StandIn, tmp_path: Path) -> None:
    (seen,) = play(standin, tmp_path, ([0], 0.2), country="fra")
    assert seen.task["carbon_g"] == pytest.approx(carbon_g(seen.task, "FRA"), rel=1e-6)


def test_without_nvidia_smi_the_gpu_is_absent_and_so_is_its_carbon(standin: StandIn, tmp_path: Path) -> None:
    (seen,) = play(standin, tmp_path, ([0], 0.3), env={"PATH": str(tmp_path)})
    assert seen.task["gpu_j"] is None
    assert "nvidia-smi" in seen.task["absent"]["gpu_j"]
    assert seen.task["absent"]["carbon_g"] == "it would leave the GPU out"
    assert seen.task["cpu_j"] > 0
    assert seen.task["ram_j"] > 0


def test_without_a_metered_gpu_none_is_counted(standin: StandIn, tmp_path: Path) -> None:
    """Three times, because from its second tracker on CodeCarbon takes no card to mean every card."""
    for seen in play(standin, tmp_path, ([], 0.2), ([0], 0.2), ([], 0.2))[::2]:
        assert seen.task["gpu_j"] is None
        assert seen.task["absent"] == {"gpu_j": "no GPU is metered"}
        assert seen.task["carbon_g"] == pytest.approx(carbon_g(seen.task), rel=1e-6)


def test_counter_that_stands_still_is_absent_not_zero(standin: StandIn, tmp_path: Path) -> None:
    standin.freeze_counter(0)
    (seen,) = play(standin, tmp_path, ([0], 0.2))
    assert seen.task["gpu_j"] is None
    assert seen.task["absent"]["gpu_j"] == "CodeCarbon reports 0 J for the GPU"


@pytest.mark.parametrize("family", [None, *(each for each in Family if each is not Family.INIT)])
def test_a_dead_card_costs_only_the_cross_check(
    standin: StandIn, tmp_path: Path, family: Family | None
) -> None:
    """CodeCarbon asks every card of the machine for its name, and raises where one does not answer."""
    if family is None:
        standin.lose(1)
    else:
        standin.fail(family, pynvml.NVML_ERROR_GPU_IS_LOST, gpu=1)
    (seen, host) = play(standin, tmp_path, ([0], 0.2), ([], 0.2))
    if family is None:
        reason = "CodeCarbon broke: the GPU is lost (fallen off the bus)"
        assert seen.task["absent"] == {"gpu_j": reason, "carbon_g": "it would leave the GPU out"}
    assert host.task["absent"] == {"gpu_j": "no GPU is metered"}
    for task in (seen.task, host.task):
        assert task["cpu_j"] > 0
        assert task["ram_j"] > 0
    assert seen.task["duration_s"] == pytest.approx((seen.end_ns - seen.begin_ns) / 1e9, rel=0.1)


HOSTILE = {
    "pue": "2",
    "wue": "3",
    "gpu_ids": "1",
    "country_iso_code": "FRA",
    "country_2letter_iso_code": "FR",
    "region": "california",
    "cloud_provider": "gcp",
    "cloud_region": "europe-west9",
    "force_carbon_intensity_g_co2e_kwh": "5000",
    "force_cpu_power": "1e6",
    "force_ram_power": "1e6",
    "force_mode_cpu_load": "true",
    "tracking_mode": "process",
    "measure_power_secs": "0.05",
    "api_call_interval": "1",
    "output_dir": "/no/such/folder",
    "output_methods": "csv,api,prometheus",
    "output_handlers": "csv",
    "save_to_file": "true",
    "save_to_api": "true",
    "emissions_endpoint": "http://127.0.0.1:9/",
    "electricitymaps_api_token": "token",
    "co2_signal_api_token": "token",
    "allow_multiple_runs": "false",
    "log_level": "debug",
}


@pytest.mark.parametrize("where", ["environment", "working folder", "home"])
def test_settings_around_us_do_not_change_our_figures(standin: StandIn, tmp_path: Path, where: str) -> None:
    home, env = tmp_path / "home", {}
    home.mkdir()
    text = "\n".join(["[codecarbon]", *(f"{name} = {value}" for name, value in HOSTILE.items())])
    if where == "environment":
        env = {f"CODECARBON_{name.upper()}": value for name, value in HOSTILE.items()}
    else:
        ({"home": home, "working folder": tmp_path}[where] / ".codecarbon.config").write_text(text)
    (seen,) = play(standin, tmp_path, ([0], 1.0), env=env | {"HOME": str(home), "CUDA_VISIBLE_DEVICES": "1"})
    seen.assert_true("gpu_j", GPU_0_W, 0.03)
    assert seen.task["cpu_j"] < 1e4 * seen.task["duration_s"]
    assert seen.task["ram_j"] < 1e4 * seen.task["duration_s"]
    assert seen.task["carbon_g"] == pytest.approx(carbon_g(seen.task), rel=1e-6)
    assert {path.name for path in tmp_path.iterdir()} <= {"home", ".codecarbon.config", "standin.control"}


@pytest.mark.parametrize(("mode", "known"), [("intel_rapl", False), ("cpu_load", True)])
def test_what_codecarbon_reads_of_rapl_is_no_estimate(
    monkeypatch: pytest.MonkeyPatch, mode: str, known: bool
) -> None:
    """It sums the packages that it may read, so the estimate would lack what our own reading lacks."""
    data = SimpleNamespace(
        cpu_energy=1e-6, ram_energy=1e-6, energy_consumed=2e-6, emissions=1e-9, duration=1.0
    )
    tracker = SimpleNamespace(
        _hardware=[SimpleNamespace(_mode=mode), SimpleNamespace()],
        start_task=lambda name: None,
        stop_task=lambda name: data,
    )
    monkeypatch.setattr(codecarbon, "_made", lambda country, gpu_indices: tracker)
    task = CodeCarbon("USA", []).stop()
    assert (task.cpu_j is not None, "cpu_j" in task.absent) == (known, not known)
    assert task.ram_j == pytest.approx(3.6)
    assert (task.carbon_g is not None) == known


def test_more_than_a_card_can_draw_is_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a card without a counter it integrates power, absurd instants of the driver among them."""
    data = SimpleNamespace(
        gpu_energy=1.0,
        gpu_count=1,
        cpu_energy=1e-6,
        ram_energy=1e-6,
        energy_consumed=2e-6,
        emissions=1e-9,
        duration=10.0,
    )
    tracker = SimpleNamespace(_hardware=[], start_task=lambda name: None, stop_task=lambda name: data)
    monkeypatch.setattr(codecarbon, "_made", lambda country, gpu_indices: tracker)
    task = CodeCarbon("USA", [0]).stop()
    assert task.gpu_j is None
    assert task.absent["gpu_j"] == "CodeCarbon reports 3.6e+06 J in 10 s, which no card draws"


def test_rapl_is_never_asked_for_the_estimate() -> None:
    assert SETTINGS["force_mode_cpu_load"] is True


HOMELESS = """
import json, os, pwd
from pathlib import Path
from bench.meters.codecarbon import CodeCarbon
del os.environ["HOME"]
def nobody(_):
    raise KeyError("no such user")
pwd.getpwuid = nobody
try:
    Path.home()
    home = True
except RuntimeError:
    home = False
meter = CodeCarbon("USA", [])
print(json.dumps({"home": home, "broken": meter.broken, "set": "HOME" in os.environ}))
meter.close()
"""


def test_a_user_without_a_home_gets_one_while_codecarbon_looks(standin: StandIn, tmp_path: Path) -> None:
    out, _ = run_python(standin, HOMELESS, cwd=tmp_path)
    found = json.loads(out.splitlines()[-1])
    assert found == {"home": False, "broken": {}, "set": False}
