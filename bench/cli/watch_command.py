"""`bench watch -- COMMAND`: run a program, and print its joules.

Each run is a window of `bench.Meter`: the cards are left alone before and after it, and the joules are judged
like a block of a record. The command has our stdin, stdout and stderr. So the live screen is drawn on stderr
only where that is a terminal and stdout is none; else nothing is shown before the sum. A terminal's Ctrl-C
reaches the command by itself; we wait for its end, and report its joules until then.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click
import psutil

from bench.cli.signals import each_calls, end_like_ctrl_c
from bench.cli.watch_lines import CsvRows, JsonLines
from bench.cli.watch_outputs import Screen, Sink
from bench.errors import RecordError, UsageError
from bench.measurement.api import Meter
from bench.measurement.live import LiveMonitor
from bench.view import terminal
from bench.view.numbers import duration
from bench.view.printable import printable
from bench.view.watch_summary import WatchedCommand, sections

if TYPE_CHECKING:
    from bench.footprint.bundled_rows import Factor


def watch_command(
    command: Sequence[str],
    gpus: str | None,
    interval_s: float,
    lines: JsonLines | CsvRows | None,
    grid: Factor,
    idle_s: float,
    repeat: int,
) -> int:
    """Run the command, in a window each time; its exit status, 128 and the signal where one ended it."""
    if shutil.which(command[0]) is None:
        raise UsageError(f'Command "{command[0]}" was not found.', "Check its name, or give its path.")
    end_like_ctrl_c()
    drawn = sys.stderr.isatty() and not terminal.is_terminal(sys.stdout)
    screen = Screen(sys.stderr, grid, whole=False) if drawn else None
    sinks: list[Sink] = [each for each in (lines, screen) if each is not None]
    strangers: set[int] = set()
    with ExitStack() as held:
        if screen is not None:
            held.callback(screen.clear)
        meter = held.enter_context(Meter(gpus=gpus, idle_seconds=idle_s))
        click.echo(_begins(command[0], idle_s, repeat), err=True)
        for _ in range(repeat):
            with meter.window():
                run = _Run(command, meter)
                status = run.wait(interval_s, sinks)
            strangers |= run.strangers()
            if status or run.refused:
                break
        if screen is not None:
            screen.clear()
        ended = _ended(meter, command, status, strangers, run.monitor.own_share())
        click.echo(terminal.text(sections(ended, grid), sys.stderr), err=True, nl=False)
        if run.refused is not None:
            raise run.refused
        if lines is not None:
            lines.end(run.monitor.look(), run.monitor.own_share(), ended)
    return status


def _begins(program: str, idle_s: float, repeat: int) -> str:
    """What is done now, because the pause before the command shows nothing."""
    idle = f" for a look at idle power of {duration(idle_s)}" if idle_s else ""
    times = f"{repeat} times" if repeat > 1 else "once"
    return f"Resting{idle}, then measuring {printable(program)} {times}, with a rest after each run."


def _ended(
    meter: Meter, command: Sequence[str], status: int, strangers: set[int], own_share: float
) -> WatchedCommand:
    running = meter.running
    gpus, unread = (running.gpus, running.absent) if running else ((), {})
    return WatchedCommand(command, status, meter.result(), gpus, unread, strangers, own_share)


class _Run:
    """The command at work, and who was on the cards meanwhile."""

    def __init__(self, command: Sequence[str], meter: Meter) -> None:
        running = meter.running
        assert running is not None, "its window is open"
        self._gpus = running.gpus
        self.monitor = LiveMonitor(running.drivers, running.meter_set.recorder, running.gpus, None)
        self.refused: RecordError | None = None
        """Reason why a line could not be written; no more were tried then, and the command went on."""
        self._family: set[int] = set()
        try:
            self._child = subprocess.Popen(command)
        except OSError as error:
            raise UsageError(f"{command[0]}: cannot be run: {error.strerror}.") from error

    def wait(self, interval_s: float, sinks: Sequence[Sink]) -> int:
        """Look until it has ended; return its exit status as a shell does."""
        ended = threading.Event()

        def reap() -> None:
            self._child.wait()
            ended.set()

        with each_calls(self._pass_on):
            threading.Thread(target=reap, daemon=True).start()
            try:
                while not ended.wait(interval_s):
                    self._look(sinks)
            finally:
                ended.wait()  # the command is not left behind, also after a fault here
        code = self._child.returncode
        return code if code >= 0 else 128 - code

    def _look(self, sinks: Sequence[Sink]) -> None:
        try:
            child = psutil.Process(self._child.pid)
            self._family |= {child.pid, *(each.pid for each in child.children(recursive=True))}
        except psutil.NoSuchProcess:
            return  # it has just ended
        look = self.monitor.look()
        try:
            for sink in sinks if self.refused is None else ():
                sink.show(look)
        except RecordError as error:
            self.refused = error

    def _pass_on(self, number: int) -> None:
        """Tell the command what we are sent; a terminal gives it Ctrl-C by itself."""
        if number == signal.SIGINT and any(os.isatty(stream) for stream in (0, 1, 2)):
            return
        self._child.send_signal(number)

    def strangers(self) -> set[int]:
        """Processes on the cards that are not the command's, as far as its own can be identified."""
        seen = {pid for gpu in self._gpus for pid in self.monitor.users_seen(gpu)}
        return seen - self._family
