"""Progress on stderr: one live line on a terminal, plain lines when piped.

It is redrawn only when the measuring procedure calls: no timer, no thread. Inside a measured window that is
once a second, for a second line on a terminal: watts now, temperature and joules of the case, from what the
recorder has written anyway. Such a redraw takes 4 ms of one core and does not use the card.
"""

from __future__ import annotations

import contextlib
import select
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TextIO

from rich.console import Console
from rich.progress import BarColumn

from bench.cli.live_line import BarWithLine, HeadFirst, LiveLine
from bench.cli.run_clock import RunClock
from bench.core.record import Record
from bench.invocation import as_started
from bench.measurement.context import BlockDone
from bench.meters.gpu import Gpu
from bench.meters.recorder import Recorder
from bench.view.numbers import digits, duration, percent
from bench.view.spans import value_text

LEAST_BLOCKS = 3
"""Blocks from which an interval is shown: that of two is 12.7 standard errors to either side."""


class Progress:
    """A `RunListener` for people. Use it as a context around the run."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._live = self._console.is_terminal
        self._bar: BarWithLine | None = None
        self._case = ""
        self._place = ""
        self._beside = False
        self._ended = 0
        self._figures = ""
        self._clock = RunClock()
        self._now: LiveLine | None = None

    def follow(self, recorder: Recorder, gpus: Sequence[Gpu]) -> None:
        """Show the power of these cards from the next case on."""
        self._now = LiveLine(recorder, gpus)

    def __enter__(self) -> Progress:
        if self._live:
            self._bar = BarWithLine(
                BarColumn(bar_width=10),
                HeadFirst(),
                console=self._console,
                auto_refresh=False,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=1, case="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _line(self, text: str) -> None:
        # The reader of stderr may have gone (`2>&1 | head`); the measurement goes on without it.
        with contextlib.suppress(OSError):
            self._console.print(text, markup=False)

    def note(self, text: str) -> None:
        """One line worth knowing."""
        self._line(as_started(text))

    def case_begins(self, label: str, number: int, total: int) -> None:
        """Name the case."""
        self._case, self._place = f"[{number}/{total}] {label}", f"{number}/{total}"
        self._clock.case_begins(number, total)
        if self._bar is None:
            left = self._clock.left()
            self._line(f"{self._case}, {left}" if left else self._case)
        else:
            self._figures = ""
            self._bar.update(self._task, completed=number - 1, total=total, description="", case=label)
            self._bar.below = ""
        if self._now is not None:
            self._now.begin()

    def turn_to(self, label: str, number: int, total: int) -> None:
        """Name the case that the next lines are of: it is measured beside others."""
        self._beside = True
        if self._bar is not None:
            self._bar.update(self._task, total=total)
        self._case, self._place, self._figures = f"[{number}/{total}] {label}", f"{number}/{total}", ""

    def stage(self, text: str) -> None:
        """Say what happens now."""
        if self._bar is None:
            self._line(f"  {self._of_case}{text}")
        else:
            self._redraw(text)

    def meanwhile(self) -> None:
        """Power and state of the cards now, below the bar; on terminals only."""
        if self._bar is not None and self._now is not None and not _held_up(self._console.file):
            with contextlib.suppress(OSError):
                self._bar.below = self._now.line()
                self._bar.refresh()

    def block_done(self, done: BlockDone) -> None:
        """Interval, watts and time left after a block."""
        figures = _figures(done)
        self._clock.block_done(done)
        if self._bar is None:
            self._line(f"  {self._of_case}block {done.number}: {figures}")
            return
        self._bar.update(self._task, completed=self._ended if self._beside else self._clock.cases_done)
        self._figures = figures
        self._redraw(f"block {done.number}")

    def case_done(self, record: Record, path: Path) -> None:
        """Say what came of it, and where it is."""
        self._clock.case_done()
        self._ended += 1
        headline = record.headline()
        figure = (
            f"{value_text(headline)} J/{record.case.unit} {percent(headline)}" if headline else "no figure"
        )
        case = f"{record.pair.side} {record.label}" if record.pair else self._case
        self._line(f"{case}: {record.verdict}, {figure}")
        if self._bar is None:
            self._line(f"  {path}")

    @property
    def _of_case(self) -> str:
        """Beginning of a line where it could be of several cases."""
        return f"[{self._place}] " if self._beside else ""

    def _redraw(self, stage: str) -> None:
        """Stage and figures first, the case's name last: a narrow terminal cuts from the end."""
        assert self._bar is not None
        text = ", ".join(filter(None, (f"{self._place} {stage}", self._figures, self._clock.left())))
        with contextlib.suppress(OSError):
            self._bar.update(self._task, description=text, refresh=True)


def _held_up(terminal: IO[str]) -> bool:
    """Whether it takes nothing now (Ctrl-S, a line that hangs): a redraw would delay the window."""
    try:
        return not select.select([], [terminal], [], 0)[1]
    except (OSError, ValueError):  # a stream without a file does not wait
        return False


def _figures(done: BlockDone) -> str:
    """This block's watts, and the mean of the joules so far."""
    parts = []
    if done.power_w is not None:
        parts.append(f"{digits(done.power_w)} W")
    if done.headline_j is not None:
        interval = f" {percent(done.headline_j)}" if done.headline_j.n >= LEAST_BLOCKS else ""
        mean = "mean " if done.headline_j.n > 1 else ""
        parts.append(f"{mean}{digits(done.headline_j.value)} J/{done.unit}{interval}")
    if not done.valid:
        parts.append(f"INVALID: {done.reasons[0]}")
    if done.seconds_left is not None and done.seconds_left > 0:
        parts.append(f"~{duration(done.seconds_left)} left")
    return ", ".join(parts)
