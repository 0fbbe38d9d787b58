"""What the doctor says of made-up machines: cards, RAPL, packages, hub, disks, each in its states."""

from __future__ import annotations

import errno
import http.server
import importlib.metadata
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from bench.catalog.loading import load
from bench.dependencies import install_command
from bench.doctor import cards, host, hub, software, verdict
from bench.doctor import drivers as driver_checks
from bench.doctor import examine as doctor
from bench.doctor.examine import GpuLimits
from bench.doctor.findings import Finding, findings_of
from bench.doctor.gpu_samples import WatchedCard, watch
from bench.doctor.probes import CODECARBON, HUB_QUESTION, TORCH, Probe, ProbeAnswer
from bench.errors import UsageError
from bench.measurement.validity import RULES
from bench.meters.gpus import GpuDrivers
from bench.meters.gpus.nvml import FACTS
from tests.meters.powercap import add_zone, deny
from tests.standin import Family, StandIn
from tests.support.metering import MS
from tests.support.processes import ROOT

SHIPPED = ROOT / "models.yaml"
CODES = sorted(
    {value for name, value in vars(pynvml).items() if name.startswith("NVML_ERROR_") and value != 0}
)


@pytest.fixture(autouse=True)
def plain_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home and folder; no variable that steers cards, CodeCarbon or the hub."""
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in list(os.environ):
        if name.startswith("XDG_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def attached(standin: StandIn) -> StandIn:
    standin.attach()
    return standin


def look(seconds: float = 0.25, longest_s: float | None = None) -> dict[tuple[str, str], Finding]:
    """What is said of the driver and all cards, by subject and name."""
    with GpuDrivers() as drivers:
        watched = watch(drivers.gpus, seconds, seconds if longest_s is None else longest_s)
        return named(said_of(drivers, watched))


def said_of(drivers: GpuDrivers, watched: dict[str, WatchedCard]) -> Iterator[Finding]:
    yield from driver_checks.findings(drivers, container=False)
    yield from cards.findings(drivers, drivers.gpus, watched, Path("results"))


def named(found: Iterator[Finding]) -> dict[tuple[str, str], Finding]:
    lines = list(found)
    by_name = {(line.subject, line.name): line for line in lines}
    for line in lines:
        assert line.state in ("ok", "warn", "missing", "info")
        assert line.meaning.endswith((".", ")")), line
        assert "could not be checked" not in line.meaning, line
        assert line.command != ""
    return by_name


def only(found: Iterator[Finding]) -> Finding:
    (line,) = named(found).values()
    return line


# -- cards --


def test_a_card_in_good_order_has_nothing_to_improve(attached: StandIn) -> None:
    found = look(1.0)
    own = {name: line for (subject, name), line in found.items() if subject == "gpu 0"}
    assert {name: line.state for name, line in own.items()} == {
        "card": "info",
        "energy counter": "ok",
        "counter tick": "ok",
        "reading call": "ok",
        "counter scope": "ok",
        "power now": "info",
        "temperature": "ok",
        "throttling": "ok",
        "power limit": "ok",
        "persistence mode": "ok",
        "MIG": "ok",
        "other programs": "ok",
        "memory": "ok",
        "calibration": "info",
    }
    assert {name for name, line in own.items() if line.command} == {"calibration"}
    assert found["NVIDIA", "driver"].meaning == "Driver 580.95.05 (CUDA 13.0) answers through NVML; 2 cards."


def test_ticks_idle_power_and_call_cost_are_found(standin_library: Path, tmp_path: Path) -> None:
    """Four kinds of counter watched together, as on one machine; the last counts all the time."""
    standin = StandIn(standin_library, tmp_path / "four.control", gpu_count=4)
    ticks_ms, watts = (20, 100, 500, 0), (60.0, 70.0, 80.0, 90.0)
    for index, (tick_ms, power_w) in enumerate(zip(ticks_ms, watts, strict=True)):
        standin.gpu(index).tick_ns = tick_ms * MS
        standin.load(index, 0, power_w)
    standin.gpu(3).latency_us = 2000
    standin.attach()
    try:
        with GpuDrivers() as drivers:
            watched = watch(drivers.gpus, 2.0, 4.0)
            found = named(said_of(drivers, watched))
            seen = [watched[gpu.uuid] for gpu in drivers.gpus]
    finally:
        standin.close()
    for card, tick_ms in zip(seen[:3], ticks_ms, strict=False):
        assert card.tick_s == pytest.approx(tick_ms / 1e3, rel=0.2)
        assert card.steps >= 4
    for card, power_w in zip(seen, watts, strict=True):
        assert card.power_w == pytest.approx(power_w, rel=0.1)
        assert card.power_source == "counter"
    assert seen[3].every_look
    assert seen[3].call_s >= 0.002
    assert "at least every" in found["gpu 3", "counter tick"].meaning
    assert " ms, found by reading it every " in found["gpu 1", "counter tick"].meaning
    slow = found["gpu 2", "counter tick"]
    assert slow.state == "warn"
    assert slow.command == "python -m bench run --block-seconds 150"
    assert "idle" in found["gpu 0", "power now"].meaning


def test_a_card_without_counter_is_metered_by_its_power(attached: StandIn) -> None:
    attached.gpu(0).counter_supported = False
    found = look()
    line = found["gpu 0", "energy counter"]
    assert line.state == "warn"
    assert "this GPU or driver does not support it" in line.meaning
    assert "power readings are integrated" in line.meaning
    assert ("gpu 0", "counter tick") not in found
    assert "70.0 W" in found["gpu 0", "power now"].meaning
    assert found["gpu 1", "energy counter"].state == "ok"


def test_a_card_without_counter_and_power_cannot_be_metered(attached: StandIn) -> None:
    attached.fail(Family.ENERGY, pynvml.NVML_ERROR_NOT_SUPPORTED)
    attached.fail(Family.POWER, pynvml.NVML_ERROR_NOT_SUPPORTED)
    found = look()
    assert found["gpu 0", "energy counter"].state == "missing"
    assert found["gpu 0", "power now"].state == "missing"


def test_a_counter_that_stands_still_is_said(attached: StandIn) -> None:
    attached.freeze_counter(0)
    found = look()
    line = found["gpu 0", "energy counter"]
    assert line.state == "missing"
    assert "did not move in 0." in line.meaning
    assert found["gpu 0", "counter tick"].state == "warn"


def test_a_lost_card_is_a_line_and_the_others_go_on(attached: StandIn) -> None:
    attached.lose(0)
    found = look()
    line = found["gpu 0", "card"]
    assert line.state == "missing"
    assert "fallen off the bus" in line.meaning
    assert found["gpu 1", "energy counter"].state == "ok"


def test_a_card_lost_while_it_is_watched_is_said(attached: StandIn) -> None:
    with GpuDrivers() as drivers:
        attached.lose(1)
        watched = watch(drivers.gpus, 0.1, 0.1)
        found = named(said_of(drivers, watched))
    assert found["gpu 1", "energy counter"].state == "missing"
    assert "fallen off the bus" in found["gpu 1", "energy counter"].meaning


Set = Callable[[StandIn], None]

CARD_LINES = frozenset(
    {
        *("card", "energy counter", "reading call", "counter scope", "power now", "temperature"),
        *("throttling", "power limit", "persistence mode", "MIG", "other programs", "memory"),
    }
)
"""What is said of every card that answers at all."""


def settings(**values: Any) -> Set:
    def put(standin: StandIn) -> None:
        for name, value in values.items():
            setattr(standin.gpu(1), name, value)

    return put


@pytest.mark.parametrize(
    ("name", "put", "says", "command"),
    [
        ("throttling", settings(reasons=0x68), "hw-slowdown, sw-thermal, hw-thermal", "PERFORMANCE"),
        (
            "power limit",
            settings(power_limit_mw=450_000),
            "450 W where 700 W",
            "sudo nvidia-smi -i 1 -pl 700",
        ),
        ("persistence mode", settings(persistence_mode=0), "Off", "sudo nvidia-smi -i 1 -pm 1"),
        ("temperature", settings(temperature_c=75), "75 °C", "nvidia-smi -i 1"),
        ("memory", settings(memory_used_bytes=70 * 2**30), "GB free of 151 GB", "--query-compute-apps"),
        ("power now", settings(utilisation_percent=40), "40 % busy", "--query-compute-apps"),
        ("reading call", settings(latency_us=15_000), "edges are that blurred", None),
        (
            "other programs",
            lambda standin: standin.set_processes(1, {4242: 10**9, 4243: 1}),
            "2 on this card (process 4242, 4243)",
            "--query-compute-apps",
        ),
    ],
    ids=lambda value: value if value in CARD_LINES else "",
)
def test_what_could_be_better_is_a_warning_with_its_command(
    attached: StandIn, name: str, put: Set, says: str, command: str | None
) -> None:
    put(attached)
    found = look(0.05)
    line = found["gpu 1", name]
    assert line.state == "warn"
    assert says in line.meaning
    assert (line.command is None) == (command is None)
    assert (command or "") in (line.command or "")
    assert found["gpu 0", name].state != "warn", "the other card is as it was"


def test_a_module_whose_blocks_the_rule_sets_aside_is_not_offered(attached: StandIn) -> None:
    attached.gpu(1).name = b"NVIDIA GH200 480GB"
    line = look(0.05)["gpu 1", "counter scope"]
    assert line.state == "missing"
    assert "blocks would be invalid (module counter)" in line.meaning
    assert "module counter" in {rule.name for rule in RULES}


def test_a_card_split_into_slices_is_of_no_use_to_a_run(attached: StandIn) -> None:
    attached.gpu(1).mig_mode = 1
    line = look(0.0)["gpu 1", "MIG"]
    assert (line.state, line.command) == ("missing", "sudo nvidia-smi -i 1 -mig 0")
    assert "a run refuses" in line.meaning


def test_cards_that_together_take_longer_than_a_tick_of_the_recorder(attached: StandIn) -> None:
    for index in (0, 1):
        attached.gpu(index).latency_us = 30_000
    line = look(0.05)["gpu 1", "reading call"]
    assert line.state == "warn"
    assert line.command == "python -m bench run --gpus 1"


@pytest.mark.parametrize("family", Family, ids=lambda family: family.name)
def test_every_error_of_the_driver_becomes_lines(attached: StandIn, family: Family) -> None:
    """At the start, and in the middle: whatever answers, each check says something, and nothing is raised."""
    for code in CODES:
        for after in (0, 3):
            attached.fail(family, code, after=after)
            found = look(0.0)
            assert ("NVIDIA", "driver") in found
            for index in ("gpu 0", "gpu 1"):
                names = {name for subject, name in found if subject == index}
                assert not names or names == {"card"} or names >= CARD_LINES
    attached.heal()
    assert look(0.0)["NVIDIA", "driver"].state == "ok"


def test_without_a_driver_the_reason_is_given(standin: StandIn) -> None:
    standin.attach()
    standin.fail(Family.INIT, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
    line = look(0.0)["NVIDIA", "driver"]
    assert line.state == "missing"
    assert "the NVIDIA driver is not loaded" in line.meaning
    assert not line.needed


@pytest.mark.parametrize(
    ("container", "command"), [(False, "nvidia-smi"), (True, "docker run --gpus all ...")]
)
def test_a_card_that_is_plugged_in_but_has_no_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attached: StandIn, container: bool, command: str
) -> None:
    device = tmp_path / "pci" / "0000:01:00.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text("0x10de\n")
    monkeypatch.setattr(driver_checks, "PCI_DEVICES", tmp_path / "pci")
    attached.fail(Family.INIT, pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)
    with GpuDrivers() as drivers:
        line = only(driver_checks.answering(drivers.opened[0], container))
    assert "a card is plugged in" in line.meaning
    assert line.command == command


@pytest.mark.parametrize(
    ("setting", "state", "says"),
    [
        ("", "warn", "the CPU, because CUDA_VISIBLE_DEVICES= hides all 2 cards (GPU 0, 1: NVIDIA H200"),
        ("1", "info", "gpu 1 comes first"),
        ("1", "info", "CUDA_VISIBLE_DEVICES=1 hides 1 of 2 cards (GPU 0: NVIDIA H200"),
        ("0,1", "info", "the work sees; gpu 0 comes first."),
        ("MIG-1", "missing", "MIG slice"),
    ],
)
def test_visible_cards(
    attached: StandIn, monkeypatch: pytest.MonkeyPatch, setting: str, state: str, says: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
    line = look(0.0)["NVIDIA", "visible cards"]
    assert (line.state, says in line.meaning) == (state, True)


# -- host --


def rapl(root: Path, **later_uj: int) -> dict[str, Finding]:
    """What is said of a powercap tree whose counters move on to `later_uj` between two looks."""
    seen = host.RaplWatch(root)
    for folder, energy_uj in later_uj.items():
        (root / folder.replace("_", ":").replace("rapl", "intel-rapl") / "energy_uj").write_text(
            f"{energy_uj}\n"
        )
    return {name: line for (_, name), line in named(seen.findings()).items()}


def test_rapl_with_packages_and_memory_is_all_there_is(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 1000)
    add_zone(tmp_path, "intel-rapl:0:1", "dram", 50)
    found = rapl(tmp_path, rapl_0=2000, rapl_0_1=90)
    assert {name: line.state for name, line in found.items()} == {"RAPL": "ok"}
    assert "cpu:package-0, dram:0" in found["RAPL"].meaning


def test_rapl_without_memory(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 1000)
    line = rapl(tmp_path, rapl_0=2000)["RAPL"]
    assert line.state == "info"
    assert "memory is estimated" in line.meaning


def test_rapl_for_root_only_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, add_zone(tmp_path, "intel-rapl:0", "package-0", 1000))
    line = rapl(tmp_path)["RAPL"]
    assert line.state == "missing"
    assert line.command == "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"


def test_one_zone_of_two_for_root_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 1000)
    deny(monkeypatch, add_zone(tmp_path, "intel-rapl:0:1", "dram", 50))
    found = rapl(tmp_path, rapl_0=2000)
    assert found["RAPL"].state == "info"
    assert (found["RAPL dram:0"].state, found["RAPL dram:0"].command) == ("warn", host.ALLOW_RAPL)


def test_psys_alone_is_not_the_cpu(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:1", "psys", 1000)
    line = rapl(tmp_path)["RAPL"]
    assert line.state == "missing"
    assert "only psys" in line.meaning


def test_a_rapl_counter_that_stands_still_is_not_usable(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 1000)
    found = rapl(tmp_path)
    assert found["RAPL cpu:package-0"].state == "missing"
    assert "did not move" in found["RAPL cpu:package-0"].meaning
    assert "they do not count, so host figures have no value" in found["RAPL"].meaning


def test_one_rapl_counter_of_two_that_stands_still_leaves_no_host_figure(tmp_path: Path) -> None:
    for i in range(2):
        add_zone(tmp_path, f"intel-rapl:{i}", f"package-{i}", 1000 + i)
    seen = host.RaplWatch(tmp_path)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("2000\n")
    found = {name: line for (_, name), line in named(seen.findings()).items()}
    assert found["RAPL"].state == found["RAPL cpu:package-1"].state == "missing"
    assert "cpu:package-1 shows a number that does not move" in found["RAPL"].meaning
    assert verdict.scopes((METERED,), seen.moving, estimates=True, stuck=seen.stuck) == {"gpu": "measured"}


def test_rapl_that_can_be_read_in_part_is_not_usable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sum would lack a package, without a word."""
    add_zone(tmp_path, "intel-rapl:0", "package-0", 1000)
    deny(monkeypatch, add_zone(tmp_path, "intel-rapl:1", "package-1", 2000))
    found = rapl(tmp_path, rapl_0=3000)
    assert (found["RAPL"].state, found["RAPL"].command) == ("missing", host.ALLOW_RAPL)
    assert found["RAPL"].meaning.startswith("Only root may read all of it")
    assert "cpu:package-1 cannot be read" in found["RAPL cpu:package-0"].meaning


@pytest.mark.parametrize(
    ("flags", "command"), [("fpu hypervisor", None), ("fpu", "sudo modprobe intel_rapl_msr")]
)
def test_no_rapl_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, command: str | None
) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    monkeypatch.setattr(host, "CPU_INFO", tmp_path / "cpuinfo")
    line = rapl(tmp_path / "none")["RAPL"]
    assert (line.state, line.command) == ("missing", command)


@pytest.mark.parametrize(
    ("garbage", "says"), [("not a number", "RAPL answers with an error"), ("", "RAPL answers with an error")]
)
def test_rapl_that_talks_nonsense_is_a_line(tmp_path: Path, garbage: str, says: str) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", garbage)
    assert any(says in line.meaning for line in rapl(tmp_path).values())


@pytest.mark.parametrize(("average", "state"), [(0.1, "ok"), (3.0, "warn")])
def test_load(monkeypatch: pytest.MonkeyPatch, average: float, state: str) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (average, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    line = only(host.load())
    assert (line.state, f"{average} on 4 cores" in line.meaning) == (state, True)


@pytest.mark.parametrize(
    ("governors", "state", "command"),
    [
        ((), "info", False),
        (("performance", "performance"), "ok", False),
        (("powersave", "performance"), "info", True),
    ],
)
def test_governor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, governors: tuple[str, ...], state: str, command: bool
) -> None:
    for number, governor in enumerate(governors):
        folder = tmp_path / f"cpu{number}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(f"{governor}\n")
    monkeypatch.setattr(host, "CPU_DEVICES", tmp_path)
    line = only(host.governor())
    assert (line.state, line.command is not None) == (state, command)


@pytest.mark.parametrize(("inside", "state"), [(True, "info"), (False, "ok")])
def test_container(inside: bool, state: str) -> None:
    assert only(host.container(inside)).state == state


# -- disk --


def test_results_that_can_be_written_are_left_as_they_were(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    assert "can be made" in only(host.results(folder)).meaning
    assert not folder.exists()
    folder.mkdir()
    line = only(host.results(folder))
    assert (line.state, line.broken) == ("ok", False)
    assert list(folder.iterdir()) == []


def test_results_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = only(host.results(tmp_path / "file" / "results"))
    assert line.broken
    assert line.command == "python -m bench run --results DIR"


def test_results_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    line = only(host.results(tmp_path))
    assert line.broken
    assert "no permission" in line.meaning


@pytest.mark.parametrize("where", ["usage", "write"])
def test_a_full_disk_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def full(**_: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if where == "usage":
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    else:
        monkeypatch.setattr(tempfile, "TemporaryFile", full)
    line = only(host.results(tmp_path))
    assert line.broken
    assert ("1 MB are free" if where == "usage" else "No space left") in line.meaning


@pytest.mark.parametrize(("free", "state"), [(5_000_000_000, "warn"), (90_000_000_000, "ok")])
def test_room_for_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    line = only(host.cache_space(tmp_path / "not" / "yet", load(SHIPPED)))
    assert (line.state, line.command is not None) == (state, state == "warn")
    assert "models" in line.meaning
    assert only(host.cache_space(tmp_path, None)).state == state


# -- software --


def test_the_packages_of_the_extra_are_those_of_the_project() -> None:
    names = {each.name for each in software.requirements()}
    assert {"torch", "transformers", "diffusers", "accelerate"} <= names


def test_without_a_checkout_the_installed_metadata_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(software, "PROJECT_FILE", tmp_path / "pyproject.toml")
    listed = ["click>=8", "torch>=2.9; extra == 'run'", "mypy; extra == 'dev'", "tomli; python_version < '3'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: listed)
    assert [each.name for each in software.requirements()] == ["torch"]


def test_packages_missing_and_out_of_range(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"torch": "2.13.0+cpu", "transformers": "4.57.0", "diffusers": None}
    monkeypatch.setattr(software, "package_version", lambda name: versions.get(name, "99"))
    missing, wrong = software.packages()
    assert missing.broken
    assert "Not installed: diffusers." in missing.meaning
    assert missing.command == install_command("run")
    assert wrong.state == "warn"
    assert "transformers 4.57.0 (wanted: <6,>=5.17)" in wrong.meaning
    monkeypatch.setattr(software, "package_version", lambda name: "5.20" if name == "transformers" else "99")
    assert only(software.packages()).state == "ok"


def said(**value: Any) -> ProbeAnswer:
    return ProbeAnswer(value, 4.0)


@pytest.mark.parametrize(
    ("answer", "gpus", "state", "says"),
    [
        (said(cuda=None, available=False, devices=0), 0, "info", "built without CUDA"),
        (said(cuda=None, available=False, devices=0), 1, "warn", "only be metered"),
        (said(cuda="12.8", available=True, devices=2), 2, "ok", "it can use 2"),
        (said(cuda="12.8", available=False, devices=0), 2, "warn", "driver is too old"),
        (said(cuda="12.8", available=False, devices=0), 0, "info", "no card for it"),
        (ProbeAnswer(None, 4.0, late=True), 1, "info", "within 4 s"),
        (
            ProbeAnswer(None, 4.0, error="ImportError: libcudart.so"),
            1,
            "missing",
            "does not import: ImportError",
        ),
        (None, 1, "missing", "Not installed"),
    ],
)
def test_pytorch(
    monkeypatch: pytest.MonkeyPatch, answer: ProbeAnswer | None, gpus: int, state: str, says: str
) -> None:
    monkeypatch.setattr(software, "package_version", lambda _: "2.13.0")
    line = only(software.torch(answer, gpus))
    assert (line.state, says in line.meaning) == (state, True)
    assert line.broken == (state == "missing")


CARBON: dict[str, Any] = {
    "unknown_country": None,
    "version": "3.3.2",
    "cpu_mode": "cpu_load",
    "ram": True,
    "gpu": False,
    "broken": {},
}


def test_codecarbon_and_its_modes() -> None:
    line = only(software.codecarbon(said(**CARBON)))
    assert line.state == "ok"
    assert "CPU: a curve of CPU load; memory: a constant guess; GPU: none" in line.meaning
    assert only(software.codecarbon(ProbeAnswer(None, 4.0, late=True))).state == "warn"
    cards = only(software.codecarbon(said(**CARBON | {"broken": {"cards": "CodeCarbon broke: it is lost"}})))
    assert (cards.state, "it is lost. The cross-check is left out" in cards.meaning) == ("warn", True)
    host = only(software.codecarbon(said(**CARBON | {"broken": {"host": "CodeCarbon broke: ValueError()"}})))
    assert (host.state, "CPU and memory are not estimated" in host.meaning) == ("missing", True)
    assert only(software.codecarbon(ProbeAnswer(None, 4.0, error="ValueError: no"))).broken
    _, country = software.codecarbon(
        said(**CARBON | {"unknown_country": 'No grid factor is known for "XYZ".'})
    )
    assert (country.name, country.broken) == ("country", True)


def test_nvidia_smi_matters_where_there_are_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(software, "SMI_FOLDERS", ())
    line = only(software.smi(FACTS, "nvidia-smi", "580.95.05"))
    assert (line.state, line.command) == ("warn", "sudo apt-get install nvidia-utils-580")
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    assert only(software.smi(FACTS, "nvidia-smi", "580.95.05")).state == "ok"
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(software, "SMI_FOLDERS", (str(tmp_path),))
    assert only(software.smi(FACTS, "nvidia-smi", None)).command == f'export PATH="$PATH:{tmp_path}"'


def test_a_codecarbon_config_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(software.codecarbon_settings()).state == "ok"
    config = tmp_path / "here" / ".codecarbon.config"
    config.write_text("[codecarbon]\ntracking_mode = process\n")
    line = only(software.codecarbon_settings())
    assert (line.state, "overrides it" in line.meaning) == ("info", True)
    config.write_text("[codecarbon]\nexperiment_id = secret-value\n")
    line = only(software.codecarbon_settings())
    assert line.state == "warn"
    assert "experiment_id" in line.meaning
    assert "secret-value" not in line.meaning
    assert line.command == f"mv {config} {config}.aside"
    config.write_text("no section at all\n")
    assert "cannot be read" in only(software.codecarbon_settings()).meaning
    config.unlink()
    monkeypatch.setenv("CODECARBON_API_KEY", "secret-value")
    line = only(software.codecarbon_settings())
    assert (line.state, line.command) == ("warn", "unset CODECARBON_API_KEY")
    assert "secret-value" not in line.meaning


def test_a_broken_catalogue_says_where(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text("schema: 1\nmodels: [\n")
    found, line = software.catalogue(file)
    assert found is None
    assert line.broken
    assert "models.yaml:" in line.meaning
    assert line.command == f"python -m bench list --models {file}"
    found, line = software.catalogue(SHIPPED)
    assert found is not None
    assert line.state == "ok"
    assert software.catalogue(tmp_path / "none.yaml")[1].broken


# -- probes --


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise ValueError('no such thing.')", "ValueError: no such thing"),
        ("import sys; sys.exit(7)", "it ended with status 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "it ended with status -9"),
        ("print('garbage')", "it ended with status 0"),
    ],
)
def test_a_probe_that_fails_says_why(code: str, error: str) -> None:
    assert Probe(code, (), 30.0).answer() == ProbeAnswer(None, 30.0, error=error)


def test_a_probe_answers_with_its_last_line_and_knows_this_package() -> None:
    code = "import bench, sys; print('noise'); print('{\"at\": \"%s %s\"}' % (bench.__file__, sys.argv[1]))"
    answer = Probe(code, ("USA",), 30.0).answer()
    assert answer.value == {"at": f"{ROOT}/bench/__init__.py USA"}


def test_a_probe_that_hangs_is_ended_with_its_children() -> None:
    code = "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
    began = time.monotonic()
    assert Probe(code, (), 0.5).answer().late
    assert time.monotonic() - began < 5


def test_the_real_probes_answer(attached: StandIn) -> None:
    torch, codecarbon = Probe(TORCH, (), 60.0), Probe(CODECARBON, ("XYZ", "0"), 60.0)
    assert {"cuda", "available", "devices"} == set(torch.answer().value or {})
    value = codecarbon.answer().value
    assert value is not None
    assert value.keys() == CARBON.keys()
    assert value["gpu"]
    assert "XYZ" in value["unknown_country"]


# -- hub --


class _Teapot(http.server.BaseHTTPRequestHandler):
    """The status is the first part of the path, as in `http://127.0.0.1:1/503`."""

    def do_GET(self) -> None:
        body = b'{"id": "a/b", "sha": "%s", "siblings": []}' % (b"a" * 40)
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Teapot) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()
        thread.join()


def asked(cached: int = 0) -> Finding:
    """What the doctor says once the real question has been put to the hub that the environment names."""
    probe = Probe(HUB_QUESTION, ("a/b", "a" * 40, "1.0"), 60.0)
    return only(hub.reachable(probe.answer(), cached))


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(200, "answers"), (429, "too many requests"), (401, "which is not set"), (503, "trouble of its own")],
)
def test_a_hub_that_answers(server: str, monkeypatch: pytest.MonkeyPatch, status: int, meaning: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"{server}/{status}")
    line = asked()
    assert meaning in line.meaning
    assert line.state == ("ok" if status == 200 else "warn")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HF_ENDPOINT", "hub.test"),
        ("ALL_PROXY", "socks9://127.0.0.1:9"),
        ("SSL_CERT_FILE", "/nonexistent.pem"),
    ],
)
def test_the_variable_in_the_way_of_the_hub_is_named(
    server: str, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"{server}/200")
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv(variable, value)
    line = asked(3)
    assert line.state == "warn"
    assert "models that are cached" in line.meaning
    assert variable in line.meaning or "http" in line.meaning


@pytest.mark.parametrize("kind", ["refused", "silent"])
def test_a_hub_out_of_reach(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        if kind == "silent":
            listening.listen()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{listening.getsockname()[1]}")
        line = asked(3)
    assert line.state == "warn"
    assert "cannot be reached" in line.meaning
    assert "models that are cached" in line.meaning
    assert line.command == "python -m bench run paper --weights random"


def test_an_offline_hub_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    line = only(hub.reachable(None, 0))
    assert (line.state, "Not asked" in line.meaning) == ("info", True)


def test_the_hub_is_asked_for_a_model_of_the_catalogue() -> None:
    catalogue = load(SHIPPED)
    question = hub.question(catalogue)
    assert question is not None
    (model,) = [each for each in catalogue.models.values() if each.hub_id == question[0]]
    assert model.revision == question[1]
    assert not model.gated
    assert hub.question(None) is None


def test_what_is_cached_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    catalogue = load(SHIPPED)
    assert hub.cached_models(catalogue) == []
    snapshot = tmp_path / "hub" / "models--bigscience--bloom-560m" / "snapshots" / "ac2ae5"
    snapshot.mkdir(parents=True)
    assert hub.cached_models(catalogue) == [], "an empty folder is no model"
    (snapshot / "config.json").write_text("{}")
    names = hub.cached_models(catalogue)
    assert names == ["bloom-560m"]
    assert "1 of " in only(hub.cached(names, catalogue)).meaning
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    assert hub.cached_models(catalogue) == []


def test_a_user_without_a_home_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError("no such user")))
    line = only(hub.token(None))
    assert (line.state, line.command) == ("warn", "export HF_HOME=/a/folder/huggingface")
    assert "no home folder" in line.meaning
    assert only(software.codecarbon_settings()).state == "ok"


def test_a_token_is_noticed_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    line = only(hub.token(load(SHIPPED)))
    assert (line.state, line.command) == ("info", "hf auth login")
    (tmp_path / "token").write_text("hf_not_for_eyes")
    assert only(hub.token(None)).state == "ok"
    (tmp_path / "token").unlink()
    monkeypatch.setenv("HF_TOKEN", "hf_not_for_eyes")
    line = only(hub.token(None))
    assert line.state == "ok"
    assert "hf_not" not in line.meaning


# -- the whole --


METERED = WatchedCard(50, 2.0, 1e-3, 2e-3, 20, 0.1, 70.0, "counter", has_counter=True, reason=None)
BLIND = WatchedCard(50, 2.0, 1e-3, 2e-3, 0, None, None, None, has_counter=False, reason="no")
FROZEN = WatchedCard(50, 2.0, 1e-3, 2e-3, 0, None, 70.0, "sensor", has_counter=True, reason=None)
ALL = ("cpu:package-0", "dram:0")


@pytest.mark.parametrize(
    ("seen", "source_domains", "estimates", "expected", "state"),
    [
        ((METERED, BLIND), ALL, True, {"gpu": "measured", "host": "measured"}, "ok"),
        ((METERED,), (), True, {"gpu": "measured", "host": "mixed"}, "ok"),
        ((METERED,), (), False, {"gpu": "measured"}, "ok"),
        ((), ALL, False, {"host": "measured"}, "ok"),
        ((BLIND,), ALL[:1], True, {"host": "mixed"}, "info"),
        ((FROZEN,), (), True, {"host": "estimated"}, "warn"),
        ((), (), False, {}, "missing"),
    ],
)
def test_the_closing_line_says_which_scopes_there_are(
    seen: tuple[WatchedCard, ...],
    source_domains: tuple[str, ...],
    estimates: bool,
    expected: dict[str, str],
    state: str,
) -> None:
    scopes = verdict.scopes(seen, source_domains, estimates)
    assert scopes == expected
    assert verdict.closing(scopes, ()).state == state
    broken = Finding("disk", "results", "missing", "No.", needed=True)
    line = verdict.closing(scopes, (broken, broken))
    assert line.state == "missing"
    assert "until this is mended: results." in line.meaning


@pytest.mark.parametrize("estimates", [True, False])
def test_where_the_socket_alone_is_measured_the_closing_line_begins_with_it(estimates: bool) -> None:
    line = verdict.closing(verdict.scopes((), ("wall:rack",), estimates), ())
    assert line.state == "ok"
    assert line.meaning.startswith("What the socket delivers is measured, at scope wall")
    assert ("estimates" in line.meaning) == estimates
    assert not {"Only", "Nothing"} & set(line.meaning.split())
    beside = verdict.closing(verdict.scopes((METERED,), ("wall:rack",), estimates), ())
    assert beside.meaning.endswith("What the socket delivers is measured as well, at scope wall.")


def test_a_check_that_fails_is_a_line() -> None:
    def strange() -> Iterator[Finding]:
        yield Finding("host", "first", "ok", "Fine.")
        raise ZeroDivisionError("by\nzero")

    first, second = findings_of("host", "odd", strange)
    assert first.state == "ok"
    assert (second.name, second.state) == ("odd", "warn")
    assert "ZeroDivisionError: by zero" in second.meaning


def test_the_parts_together_stay_below_eight_seconds() -> None:
    limits = GpuLimits()
    assert max(limits.longest_watch_s, limits.hub_s) + limits.probe_s <= 7.0


QUICK = GpuLimits(watch_s=0.2, longest_watch_s=2.0, probe_s=60.0, hub_s=0.3)


def test_a_whole_look_with_cards(attached: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(doctor, "Probe", lambda *_: _Said())
    report = doctor.examine("1", SHIPPED, tmp_path / "results", QUICK)
    subjects = list(dict.fromkeys(line.subject for line in report.findings))
    assert subjects == ["NVIDIA", "gpu 1", "host", "software", "catalogue", "model hub", "disk", "verdict"]
    assert report.scopes["gpu"] == "measured"
    assert report.exit_status == 0
    attached.gpu(1).mig_mode = 1
    assert "gpu" not in doctor.examine("1", SHIPPED, tmp_path / "results", QUICK).scopes
    with pytest.raises(UsageError, match="is not a GPU of this machine"):
        doctor.examine("7", SHIPPED, tmp_path / "results", QUICK)


def test_a_machine_without_cards_is_no_fault(
    attached: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    attached.fail(Family.INIT, pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)
    monkeypatch.setattr(doctor, "Probe", lambda *_: _Said())
    report = doctor.examine(None, SHIPPED, tmp_path / "results", QUICK)
    assert report.exit_status == 0
    assert "gpu" not in report.scopes
    broken = doctor.examine(None, tmp_path / "none.yaml", tmp_path / "results", QUICK)
    assert broken.exit_status == 2
    assert broken.findings[-1].state == "missing"


class _Said:
    """A probe that has the answer at once, PyTorch's and CodeCarbon's in one."""

    def answer(self) -> ProbeAnswer:
        return said(cuda=None, available=False, devices=0, **CARBON)

    def end(self) -> None:
        """There is no process."""
