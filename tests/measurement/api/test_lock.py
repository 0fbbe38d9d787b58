"""A window holds the machine's locks; beside another measurement it is invalid, and the work goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import bench
from bench.machine.locks import CPU, holder, shared_folder
from bench.measurement.api import metering
from tests.standin import StandIn
from tests.support.processes import ROOT

CARD = "GPU-00000000-0000-4000-8000-000000000000"
OTHER_CARD = "GPU-00000000-0000-4000-8000-000000000001"
HOLD = """
import sys
from pathlib import Path
from bench.machine.locks import exclusive_use
with exclusive_use(sys.argv[1:], Path("results"), print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(with_gpus: StandIn) -> Iterator[subprocess.Popen[str]]:
    """Another process that measures on the first card, until its stdin is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, CARD], cwd=ROOT, stdin=-1, stdout=-1, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_a_window_holds_its_cards_and_nothing_is_held_between_windows(with_gpus: StandIn) -> None:
    with bench.Meter(gpus=(0, 1), idle_seconds=0) as meter:
        for _ in range(2):
            with meter.window():
                assert str(holder(CARD)).startswith("Process ")
                assert holder(OTHER_CARD) is not None
                assert holder(CPU) is None
            assert holder(CARD) is None
        assert all(block.observed.other_measurement is None for block in meter.result().blocks)


def test_without_a_card_the_cpu_is_held(without_gpu: None) -> None:
    with bench.measure(idle_seconds=0) as window:
        assert holder(CPU) is not None
    assert holder(CPU) is None
    assert window.valid


def test_windows_of_two_meters_of_one_program_share_the_lock(with_gpus: StandIn) -> None:
    with bench.measure(gpus=0, idle_seconds=0) as outer:
        with bench.measure(gpus=0, idle_seconds=0) as inner:
            pass
        assert holder(CARD) is not None, "the outer window is open"
    assert holder(CARD) is None
    assert [window.block.observed.other_measurement for window in (outer, inner)] == [None, None]


def test_work_that_fails_gives_the_lock_back(with_gpus: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError), bench.measure(gpus=0, idle_seconds=0):
        raise ZeroDivisionError
    assert holder(CARD) is None
    monkeypatch.setattr(metering, "synchronise_torch", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError), bench.measure(gpus=0, idle_seconds=0):
        raise AssertionError("the window does not open")
    assert holder(CARD) is None


def test_a_window_beside_another_measurement_is_invalid_and_its_work_is_done(
    other: subprocess.Popen[str],
) -> None:
    done = []
    with bench.Meter(gpus=0, idle_seconds=1) as meter:
        with meter.window() as window:
            time.sleep(0.5)
            done.append(1)
        assert done
        sentence = (
            f"other measurement: Process {other.pid} (`python -c {CARD}`, into {ROOT}/results) is measuring "
            f"on {CARD}; two measurements spoil each other's figures. Wait for it to end."
        )
        assert sentence in window.reasons
        assert window.net_j is None
        assert f"it was not looked at: Process {other.pid}" in window.absent["net_j"]
        assert meter.result().absent["idle"].startswith("it was not looked at: Process")
        other.kill()
        other.wait()
        with meter.window() as later:
            pass
    assert not any("other measurement" in reason for reason in later.reasons)


def test_a_folder_that_cannot_be_used_refuses_no_window_and_is_told(
    with_gpus: StandIn, tmp_path: Path
) -> None:
    shared_folder().symlink_to(tmp_path)
    with bench.measure(gpus=0, idle_seconds=0) as window:
        pass
    assert window.block.observed.other_measurement is None
    assert "would not be noticed" in window.block.observed.absent["other_measurement"]


def test_a_measurement_inside_a_window_is_not_refused(with_gpus: StandIn) -> None:
    """As in `watch -- python -m bench run`; also where a shell lies between."""
    with bench.measure(gpus=0, idle_seconds=0):
        asked = [sys.executable, "-c", HOLD, CARD]
        for command in (asked, ["sh", "-c", '"$@"; exit $?', "sh", *asked]):
            done = subprocess.run(command, cwd=ROOT, input="", capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (0, "held\n"), done.stderr


def test_a_process_forked_inside_a_window_does_not_keep_its_lock(with_gpus: StandIn) -> None:
    """As the workers of a data loader do; the child outlives the window."""
    read, write = os.pipe()
    with bench.measure(idle_seconds=0):
        child = os.fork()
        if not child:
            os.close(write)
            os.read(read, 1)  # until the parent has looked
            os._exit(0)
    try:
        assert holder(CARD) is None
        with bench.measure(idle_seconds=0) as window:
            assert holder(CARD) is not None
        assert window.block.observed.other_measurement is None
    finally:
        os.close(write)
        os.waitpid(child, 0)
        os.close(read)
