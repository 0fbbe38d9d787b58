"""`bench watch` beside cards of known power: what it shows, writes, and how it ends."""

from __future__ import annotations

import csv
import faulthandler
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pynvml
import pytest

from bench.cli import watch_loop
from bench.cli.watch import command
from bench.core.block import CodeCarbonTask
from bench.footprint.grid import stated
from bench.measurement import instruments
from bench.measurement.live.snapshot import DomainSnapshot, GpuSnapshot, GpuUserSnapshot, Snapshot, totals
from bench.meters.gpus.nvml import NvmlGpu
from bench.view import terminal
from bench.view.live import LiveView
from tests.cli.conftest import Typed, words_of
from tests.standin import Family, StandIn
from tests.support.metering import QuietCodeCarbon
from tests.support.processes import ROOT

WATTS = (300.0, 100.0)


@pytest.fixture
def cards(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Two cards that draw `WATTS`, and a CodeCarbon with a fixed answer, in this process."""
    for gpu, watts in enumerate(WATTS):
        standin.load(gpu, 0, watts)
    standin.attach()
    monkeypatch.setattr(instruments, "CodeCarbon", lambda *_: QuietCodeCarbon())
    yield standin
    standin.detach()


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_watts_and_joules_are_the_cards_own(cards: StandIn, typed: Typed) -> None:
    cards.gpu(0).reasons = 0x4
    done = typed("watch", "--for", "2.4s", "--interval", "800ms", "--grid", "DEU")
    assert (done.status, done.err) == (0, "")
    looks = lines(done.out)
    assert [look["event"] for look in looks] == ["tick", "tick", "end"]
    end = looks[-1]
    for gpu, watts in zip(list(end["domains"].values())[:2], WATTS, strict=True):
        assert gpu["power_w"] == pytest.approx(watts, rel=0.02)
        assert gpu["energy_j"] == pytest.approx(watts * gpu["seconds"], rel=0.04)
        assert gpu["seconds"] == pytest.approx(end["elapsed_s"], abs=0.35)
    assert end["domains"]["gpu:GPU-00000000-0000-4000-8000-000000000000"]["card"]["throttle"] == ["power-cap"]
    both = end["totals"]["gpu"]
    assert both["energy_j"] == sum(gpu["energy_j"] for gpu in list(end["domains"].values())[:2])
    assert both["carbon_g"] == pytest.approx(both["energy_j"] / 3.6e6 * end["grid"]["g_per_kwh"])
    assert (both["kind"], end["totals"]["host"]["kind"]) == ("measured", "mixed")
    assert (end["grid"]["region"], "cpu" in end["absent"]) == ("DEU", True)
    assert 0 < end["own_share"] < 0.5


@pytest.mark.parametrize("code", [pynvml.NVML_ERROR_NOT_SUPPORTED, 27])
def test_each_look_says_why_there_are_no_joules(cards: StandIn, typed: Typed, code: int) -> None:
    cards.gpu(0).counter_supported = False
    for group in ("ENERGY", "POWER", "FIELDS"):
        cards.fail(Family[group], code, gpu=0)
    for line in (("--once",), ("--for", "2s", "--interval", "500ms")):
        looks = lines(typed("watch", "--gpus", "0", *line).out)
        assert looks
        for look in looks:
            assert look["domains"], look["event"]
            for domain in look["domains"].values():
                assert domain["energy_j"] is not None or domain["reason"], (look["event"], domain)


def test_hidden_cards_are_named_in_place_of_their_joules(
    cards: StandIn, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    done = typed("watch", "--", "sleep", "0.5")
    assert "CUDA_VISIBLE_DEVICES=7 hides all 2 cards" in done.out + done.err


def test_csv_has_a_row_a_domain_also_for_what_cannot_be_read(cards: StandIn, typed: Typed) -> None:
    cards.fail(Family.TEMPERATURE, pynvml.NVML_ERROR_NOT_SUPPORTED, gpu=1)
    done = typed("watch", "--once", "--csv", "--gpus", "1")
    rows = {row["domain"]: row for row in csv.DictReader(io.StringIO(done.out))}
    assert set(rows) == {
        "gpu:GPU-00000000-0000-4000-8000-000000000001",
        "cpu-estimate",
        "ram-estimate",
        "cpu",
    }
    card = rows["gpu:GPU-00000000-0000-4000-8000-000000000001"]
    assert (card["temperature_c"], float(card["memory_clock_mhz"]), card["kind"]) == ("", 3201, "measured")
    assert float(card["power_w"]) == pytest.approx(100, rel=0.03)
    assert rows["cpu-estimate"]["kind"] == "estimated"
    assert (rows["cpu"]["power_w"], "RAPL" in rows["cpu"]["reason"]) == ("", True)


def test_joules_are_a_process_only_where_it_was_alone(cards: StandIn, on_terminal: Typed) -> None:
    me = os.getpid()
    cards.set_processes(0, {me: 2_000_000_000})
    cards.set_processes(1, {me: 2_000_000_000, 2**22 + 1: 3_000_000_000})
    shown = " ".join(on_terminal("watch", "--once").out.split())
    assert f"process {me} (" in shown
    assert f"all of it: only process {me}" in shown
    assert shown.count("— J (shared by 2 processes: the card has one counter for all)") == 2
    assert f"process {2**22 + 1} (name not visible from here), 3.0 GB" in shown


def test_a_busy_card_without_a_process_is_not_taken_for_free(cards: StandIn, on_terminal: Typed) -> None:
    cards.gpu(0).utilisation_percent = 90
    shown = " ".join(on_terminal("watch", "--once").out.split())
    assert shown.count("something works on this card that cannot be seen from here") == 1


def test_a_card_that_is_lost_says_so_and_its_joules_stay(cards: StandIn, typed: Typed) -> None:
    cards.lose(0, time.monotonic_ns() + 3_000_000_000)
    end = lines(typed("watch", "--for", "9s", "--interval", "4.5s").out)[-1]
    lost, other = list(end["domains"].values())[:2]
    assert lost["power_w"] is None
    assert lost["energy_j"] == pytest.approx(WATTS[0] * lost["seconds"], rel=0.1)
    assert lost["reason"] == "the GPU is lost (fallen off the bus)"
    assert end["totals"]["gpu"]["power_w"] is None
    assert other["power_w"] == pytest.approx(WATTS[1], rel=0.02)


def test_where_nothing_can_be_read_it_is_one_sentence_and_status_2(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = QuietCodeCarbon()
    broken.reading = CodeCarbonTask(
        duration_s=1.0,
        gpu_j=None,
        cpu_j=None,
        ram_j=None,
        carbon_g=None,
        absent={"cpu_j": "broke", "ram_j": "broke"},
    )
    monkeypatch.setattr(instruments, "CodeCarbon", lambda *_: broken)
    done = typed("watch", "--once")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("Error: Nothing can be read here: GPU: ")
    assert "bench doctor" in done.err


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        (("--gpus", "7"), "7"),
        (("--interval", "5x"), "'5x' is not a time"),
        (("--for", "nan"), "'nan' is not a time"),
        (("--json", "--csv"), "two formats"),
        (("--json", "--", "true"), "stdout is the COMMAND's own"),
        (("--once", "--", "true"), "until it ends"),
        (("--runs", "2"), "for a COMMAND"),
        (("--", "no such command"), 'Command "no such command" was not found'),
        (("-o", "missing/lines.jsonl"), "cannot be written"),
        (("-o", "/dev/full", "--once"), "cannot be written"),
    ],
    ids=str,
)
def test_mistakes_are_one_sentence(
    arguments: tuple[str, ...], seen: str, cards: StandIn, typed: Typed
) -> None:
    done = typed("watch", *arguments)
    assert (done.status, done.out) == (2, "")
    assert seen in done.err
    assert "fault in joulebench" not in done.err


def a_look(name: str = "NVIDIA H200") -> Snapshot:
    """A look with everything in it: two cards, one without a reading, and an estimate."""
    users = (GpuUserSnapshot(12, "python", 20_000_000_000, 97.0, 9000.0, None),)
    card = GpuSnapshot(0, name, 64.0, 1830.0, 3201, ("power-cap",), 97.0, users, None)
    gone = GpuSnapshot(1, name, None, None, None, None, None, None, "processes cannot be listed: lost")
    domains = (
        DomainSnapshot("gpu:a", "measured", "counter", 300.0, "counter", 9000.0, 30.0, 0.0, None, card),
        DomainSnapshot("gpu:b", "measured", "counter", None, None, None, 0.0, 0.0, "the GPU is lost", gone),
        DomainSnapshot("cpu-estimate", "estimated", "codecarbon", 8.0, "codecarbon", 240.0, 30.0, 0.0, None),
    )
    return Snapshot(30.0, domains, {"cpu": "only root may read RAPL here"}, totals(domains, whole_host=True))


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_screen_shows_every_domain_and_reason_at_any_width(columns: int) -> None:
    view = LiveView(stated("--grid", 400.0, "g CO2e/kWh", "grid"), contained=False)
    view.remember(a_look())
    room = terminal.Room(columns, columns)
    shown = "\n".join(terminal.lines(view.sections(a_look("NVIDIA \x1b[2J[red]H200"), columns), room))
    assert all(len(line) <= columns for line in shown.splitlines())
    assert "\x1b" not in shown
    rows = [line.split() for line in shown.splitlines()]
    assert ["host", "—", "—"] in [row[:3] for row in rows]
    text = " ".join(shown.split())
    parts = ["64", "9000", "power-cap", "(estimated)", "measured + estimated"]
    for part in parts + (["1830/3201", "97 %", "█"] if columns >= 80 else []):
        assert part in text
    assert "GPU 1: the GPU is lost" in text
    assert "cpu: not read: only root may read RAPL here" in text
    assert "all of it: only process 12 was on this card" in text
    assert ("0.00100" in text or "1.00" in text) == (columns >= 110)


def test_shares_of_the_sms_are_means_by_process(
    nvml_answer: Callable[[object], None],
) -> None:
    class Sample:
        def __init__(self, pid: int, share: int) -> None:
            self.pid, self.smUtil = pid, share

    nvml_answer([Sample(7, 50), Sample(8, 10), Sample(7, 70)])
    assert a_gpu().busy_shares(0.0) == ({7: 60.0, 8: 10.0}, None)
    nvml_answer(pynvml.NVMLError_NotFound())
    assert a_gpu().busy_shares(0.0) == ({}, None)
    nvml_answer(pynvml.NVMLError_NoPermission())
    assert a_gpu().busy_shares(0.0) == (None, "this user may not read it")


def a_gpu() -> NvmlGpu:
    return NvmlGpu(0, "GPU-a", "a card")


@pytest.fixture
def nvml_answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    """A function that lets NVML's process utilisation answer something, or raise it."""

    def answer(what: object) -> None:
        def asked(*_: object) -> object:
            if isinstance(what, Exception):
                raise what
            return what

        monkeypatch.setattr(pynvml, "nvmlDeviceGetProcessUtilization", asked)

    return answer


def test_the_documentation_names_every_option_and_its_commands_are_understood() -> None:
    text = (ROOT / "docs/watch.md").read_text(encoding="utf-8")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name not in ("debug", "output"):
            assert parameter.opts[0] in text, parameter.name
    for line in re.findall(r"python -m bench watch ?([^#`\n>]*)", text):
        ours = line.partition(" -- ")[0].split()
        assert command.make_context("watch", [each for each in ours if each != "--"], resilient_parsing=False)


def beside(standin: StandIn) -> dict[str, str]:
    """The environment of a command that finds the stand-in, whose first card draws 300 W."""
    standin.load(0, 0, WATTS[0])
    return os.environ | standin.environment() | {"PYTHONPATH": str(ROOT), "TERM": "xterm"}


def test_ctrl_c_on_a_terminal_prints_the_sum_and_is_status_0(standin: StandIn, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "watch", "--gpus", "0"],
        env=beside(standin) | {"COLUMNS": "100", "LINES": "30"},
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, asked = b"", False
    while select.select([ours], [], [], 30)[0]:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # the terminal's other end is closed
            break
        if not asked and b"W now" in shown:
            asked = True
            process.send_signal(signal.SIGINT)
    os.close(ours)
    assert process.wait(10) == 0
    live, _, after = shown.decode().partition("\x1b[?1049l")
    assert "Ctrl-C ends it" in live
    assert "Traceback" not in after
    assert "mean W" in after
    assert "Watching took" in after


def test_asking_to_stop_never_waits_for_a_lock_of_the_wait_that_it_interrupts() -> None:
    stop, calls = watch_loop.Stop(), 0
    before = signal.signal(signal.SIGUSR1, lambda *_: stop.set())

    def interrupt(*_: object) -> Any:
        nonlocal calls
        calls += 1
        signal.raise_signal(signal.SIGUSR1)
        return interrupt

    faulthandler.dump_traceback_later(20, exit=True)
    sys.settrace(interrupt)  # at every line, of the standard library's as well
    try:
        asked = stop.wait(10.0)
    finally:
        sys.settrace(None)
        signal.signal(signal.SIGUSR1, before)
        faulthandler.cancel_dump_traceback_later()
    assert asked
    assert calls > 3


def test_a_reader_that_has_enough_ends_it_quietly(standin: StandIn, tmp_path: Path) -> None:
    command = f"{sys.executable} -m bench watch --interval 0.3s | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        env=beside(standin),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(lines(done.stdout)) == 1


def test_a_full_disk_leaves_no_command_behind_and_its_sum_is_told(standin: StandIn, tmp_path: Path) -> None:
    options = ["--interval", "0.2s", "-o", "/dev/full", "--runs", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", "watch", *options, "--", "sh", "-c", "sleep 1; touch whole"],
        env=beside(standin),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (tmp_path / "whole").exists()
    assert done.returncode == 2
    assert "ended with status 0" in done.stderr
    assert done.stderr.endswith("Error: The lines cannot be written any more: No space left on device.\n")


def test_a_command_keeps_its_streams_and_status_and_its_joules_are_true(
    standin: StandIn, tmp_path: Path
) -> None:
    script = "read word; sleep 1.5; echo out $word; echo err >&2; exit 7"
    done = subprocess.run(
        [sys.executable, "-m", "bench", "watch", "--gpus", "0", "-o", "lines", "--", "sh", "-c", script],
        env=beside(standin),
        cwd=tmp_path,
        input="given\n",
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, "out given\n")
    assert "err\n" in done.stderr
    assert "ended with status 7" in words_of(done.stderr)
    tick, end = lines((tmp_path / "lines").read_text())
    assert (tick["event"], end["event"], end["exit_status"]) == ("tick", "end", 7)
    (window,) = end["result"]["blocks"]
    seconds = (window["end_ns"] - window["start_ns"]) / 1e9
    joules = window["energy"]["gpu:GPU-00000000-0000-4000-8000-000000000000"]["gross_j"]
    assert joules == pytest.approx(WATTS[0] * seconds, rel=0.01)
    assert "host" not in end["totals"]
