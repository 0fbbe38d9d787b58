"""A machine that was suspended: its block is set aside, its look at idle is left out, the rest counts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.meters import sampling, sleep_clock
from bench.meters.suspension import suspended_s
from scripts.faults.machine import Machine, assert_honest
from scripts.faults.scene import INTO_BLOCK_S
from tests.standin import StandIn
from tests.support.metering import Recorded, S, self_row


class SleepClock:
    """A machine's time asleep, as a test sets it."""

    def __init__(self) -> None:
        self.seconds: float | None = 1000.0

    def sleep(self, seconds: float) -> None:
        assert self.seconds is not None
        self.seconds += seconds


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch) -> SleepClock:
    clock = SleepClock()
    monkeypatch.setattr(sleep_clock, "asleep_so_far_s", lambda: clock.seconds)
    return clock


def test_the_time_asleep_since_a_window_began_is_counted(tmp_path: Path, asleep: SleepClock) -> None:
    recorded = Recorded(tmp_path / "samples.bin")
    recorded.write(self_row(8 * S), sampling.row(10 * S, sampling.SELF, 0, 0.1, 1.0, 0.0, 0.05, 1000.0))
    assert suspended_s(recorded, 11 * S) == 0.0
    asleep.sleep(61.5)
    assert suspended_s(recorded, 11 * S) == 61.5
    assert suspended_s(recorded, 9 * S) is None, (
        "the row before has no such value, as those of older versions"
    )
    assert suspended_s(recorded, 99 * S) is None, "the recorder has stalled"
    asleep.seconds = None
    assert suspended_s(recorded, 11 * S) is None


def test_a_machine_that_is_awake_has_a_steady_clock() -> None:
    before_s = sleep_clock.asleep_so_far_s()
    time.sleep(0.05)
    after_s = sleep_clock.asleep_so_far_s()
    assert before_s is not None
    assert after_s == pytest.approx(before_s, abs=0.02)


@pytest.mark.parametrize("counted", [True, False], ids=["the card went on", "the card slept, too"])
def test_a_block_in_which_the_machine_slept_is_set_aside(
    standin: StandIn, tmp_path: Path, asleep: SleepClock, counted: bool
) -> None:
    def suspend() -> None:
        asleep.sleep(60.0)
        if counted:
            standin.change(0, counter_offset_mj=standin.gpu(0).counter_offset_mj + 5e5)

    with Machine(standin, tmp_path) as machine:
        machine.on_stage("measuring block 2", lambda: machine.in_s(INTO_BLOCK_S, suspend))
        ending = machine.run()
    aside = [block for block in ending.measured if not block.valid]
    assert len(aside) == 1
    assert any(
        reason.startswith("suspended: the machine was suspended for 60.0 s") for reason in aside[0].reasons
    )
    assert ending.status == 0
    assert_honest(ending, standin)


def test_a_look_at_idle_in_which_it_slept_is_left_out(
    standin: StandIn, tmp_path: Path, asleep: SleepClock
) -> None:
    with Machine(standin, tmp_path) as machine:
        machine.on_stage("idle after", lambda: machine.in_s(3.0, lambda: asleep.sleep(60.0)))
        ending = machine.run()
    assert ending.record is not None
    (idle,) = (each for domain, each in ending.record.idle.items() if domain.startswith("gpu:"))
    assert idle.after is None
    assert idle.absent["after"] == "the machine was suspended meanwhile"
    assert idle.power_w == idle.before
