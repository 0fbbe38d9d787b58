"""The line below a run's progress: the cards as the recorder saw them, on a terminal only."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import termios
import threading
import time
from pathlib import Path

import pytest

from bench.cli.progress import Progress
from bench.cli.run_clock import RunClock
from bench.measurement.context import BlockDone
from bench.meters.gpu import Gpu
from bench.meters.sampling import SLOW, row
from bench.stats.figures import estimate
from tests.support.metering import Recorded, S, fast_row

GPU = Gpu(0, "GPU-a", "a card")


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def shown_by(stream: io.StringIO, recorder: Recorded) -> str:
    """What a case of ten seconds at 300 W, nearly over, puts on a stream while a block is measured."""
    now_ns = time.monotonic_ns()
    with Progress(stream) as progress:
        progress.follow(recorder, [GPU])
        progress.case_begins("tiny[bloom]", 1, 1)
        progress.stage("measuring block 2")
        for t_ns in range(now_ns, now_ns + 10 * S, S // 23):
            recorder.write(fast_row(t_ns, 0, (t_ns - now_ns) // (S // 10) * 30.0))
        recorder.write(row(now_ns + 9 * S, SLOW, 0, 64.0, 1500.0, 0x4, None, 97.0))
        with pytest.MonkeyPatch.context() as later:
            later.setattr(time, "monotonic_ns", lambda: now_ns + 10 * S)
            progress.meanwhile()
    return stream.getvalue()


@pytest.mark.parametrize("columns", ["80", "120"])
def test_a_terminal_shows_watts_now_and_the_cases_joules(
    columns: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    shown = shown_by(Terminal(), Recorded(tmp_path / "samples"))
    assert "measuring block 2" in shown
    assert "GPU 0 300 W now, 64 °C, power-cap, 29" in shown
    assert "J in this case" in shown


def test_a_pipe_gets_no_line_a_second(tmp_path: Path) -> None:
    assert (
        shown_by(io.StringIO(), Recorded(tmp_path / "samples")) == "[1/1] tiny[bloom]\n  measuring block 2\n"
    )


def test_a_terminal_that_is_held_up_holds_no_window_up(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with open(theirs, "w") as stream, Progress(stream) as progress:
        progress.follow(Recorded(tmp_path / "samples"), [GPU])
        progress.case_begins("tiny[bloom]", 1, 1)
        progress.stage("measuring block 2")
        os.read(ours, 65536)
        termios.tcflow(theirs, termios.TCOOFF)  # as Ctrl-S does
        begun = time.monotonic()
        letting_go = threading.Timer(2.0, termios.tcflow, (theirs, termios.TCOON))
        letting_go.start()
        progress.meanwhile()
        waited_s = time.monotonic() - begun
        letting_go.join()
        progress.meanwhile()
        drawn = b""  # a terminal hands over what it has, often less than one redraw
        while b"GPU 0" not in drawn and select.select([ours], [], [], 2.0)[0]:
            drawn += os.read(ours, 65536)
    os.close(ours)
    assert b"GPU 0" in drawn
    assert waited_s < 1.0


def done(number: int, blocks: int = 5) -> BlockDone:
    """Progress after a block of 300 J and ten seconds, in a case of `blocks`."""
    found = estimate([300.0 + each for each in range(number)])
    return BlockDone(number, blocks, True, (), found, "page", 30.0, 10.0 * (blocks - number))


def test_an_interval_is_shown_from_the_third_block_on() -> None:
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress.case_begins("tiny", 1, 1)
        for number in (1, 2, 3):
            progress.block_done(done(number))
    lines = stream.getvalue().splitlines()[1:]
    assert [("±" in line) for line in lines] == [False, False, True]
    assert ["mean" in line for line in lines] == [False, True, True], (
        "of the blocks so far, not the last one's"
    )


def test_time_left_of_the_run_follows_from_its_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    clock = RunClock()
    clock.case_begins(1, 4)
    now_s[0] += 100.0
    assert (clock.left_s(), clock.left()) == (None, "")
    clock.case_done()
    clock.case_done()  # the other side of a pair
    clock.case_begins(2, 4)
    assert clock.left_s() == 300.0
    now_s[0] += 70.0
    clock.block_done(done(1))
    # What the blocks foresee of this case, and the mean of the cases so far for the two to come.
    assert clock.left_s() == 40.0 + 2 * 100.0
    assert clock.cases_done == pytest.approx(1 + 1 / 6)
    assert clock.left() == "run ~4 min left"


def test_a_narrow_terminal_cuts_the_name_and_not_what_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    with Progress(stream) as progress:
        progress.case_begins("a-model-with-a-name " * 5, 2, 6)
        progress.stage("measuring block 4")
        progress.block_done(done(3))
    lines = [
        line for line in re.split(r"[\r\n]|\x1b\[[0-9;?]*[A-Za-z]", stream.getvalue()) if "block 3" in line
    ]
    assert lines
    assert all("2/6 block 3, 30.0 W, mean 301 J/page" in line and "~20 s left" in line for line in lines)
