"""Looking again and again: the clock of `bench watch`, and where its looks go."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import click
from rich.console import Console
from rich.live import Live

from bench.cli.interrupts import each_calls
from bench.cli.tables import on_terminal, render, width
from bench.cli.watch_lines import CsvRows, JsonLines
from bench.cli.watch_view import View
from bench.errors import PrerequisiteError, RecordError
from bench.meters.codecarbon import CodeCarbon
from bench.meters.nvml import Nvml
from bench.meters.recorder import Recorder
from bench.runner.devices import named_cards
from bench.runner.live import Look, Lookout
from bench.runner.provenance import in_container

if TYPE_CHECKING:
    from bench.footprint.reference import Factor

LOAD_COUNTRY = "USA"
"""For CodeCarbon, whose grams are not used here: its joules do not depend on it."""


HINT = "Ctrl-C ends it and prints the sum."


class Sink(Protocol):
    """Where looks go."""

    def show(self, look: Look) -> None:
        """A tick."""

    def end(self, look: Look, own_share: float, more: dict[str, Any]) -> None:
        """The last look, the share of a core that watching took, and what else is known."""


class Screen:
    """A live screen; where it stood, the sum is printed in the end."""

    def __init__(self, stream: TextIO, grid: Factor, *, whole: bool) -> None:
        """`whole`: take the entire terminal, as a pager does, and give it back at the end."""
        self._console = Console(file=stream, highlight=False)
        self._view = View(grid, contained=in_container())
        self._live = Live(console=self._console, screen=whole, auto_refresh=False, transient=True)

    def show(self, look: Look) -> None:
        """Draw a tick."""
        self._view.remember(look)
        if not self._live.is_started:
            self._live.start()
        self._live.update(self._view.picture(look, self._console.width, hint=HINT), refresh=True)

    def clear(self) -> None:
        """Give the terminal back."""
        self._live.stop()

    def end(self, look: Look, own_share: float, more: dict[str, Any]) -> None:  # noqa: ARG002
        """Print the sum."""
        self.clear()
        self._view.remember(look)
        self._console.print(self._view.picture(look, self._console.width, mean=True))
        self._console.print(own_cost(own_share))


class Printed:
    """One look as text."""

    def __init__(self, grid: Factor) -> None:
        self._view = View(grid, contained=in_container())

    def show(self, look: Look) -> None:
        """Only the last look is printed."""

    def end(self, look: Look, own_share: float, more: dict[str, Any]) -> None:  # noqa: ARG002
        """Print it."""
        self._view.remember(look)
        click.echo(render(self._view.picture(look, width())), nl=False)


def own_cost(share: float) -> str:
    """What watching took, in words."""
    return f"Watching took {share * 100:.1f} % of a core, the recorder included."


@contextmanager
def lines_to(output: Path | None, grid: Factor, *, as_csv: bool) -> Iterator[JsonLines | CsvRows | None]:
    """Lines into a file, written as they come; `None` without one."""
    if output is None:
        yield None
        return
    try:
        with output.open("w", encoding="utf-8") as stream:
            yield CsvRows(stream) if as_csv else JsonLines(stream, grid)
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        raise RecordError(f"{output}: cannot be written: {error.strerror}.") from error


@contextmanager
def sink(output: Path | None, grid: Factor, *, as_json: bool, as_csv: bool, once: bool) -> Iterator[Sink]:
    """Lines into a file or a pipe, else a screen, or one printed look."""
    with lines_to(output, grid, as_csv=as_csv) as lines:
        if lines is not None:
            yield lines
        elif as_csv:
            yield CsvRows(sys.stdout)
        elif as_json or not on_terminal():
            yield JsonLines(sys.stdout, grid)
        elif once:
            yield Printed(grid)
        else:
            screen = Screen(sys.stdout, grid, whole=True)
            try:
                yield screen
            finally:
                screen.clear()


def watch(gpus: str | None, interval_s: float, limit_s: float | None, sink: Sink) -> int:
    """Look until told to stop, or for `limit_s`."""
    stop = threading.Event()

    def asked(_signal: int) -> None:
        if stop.is_set():  # asked twice: it does not get to its end
            raise KeyboardInterrupt
        stop.set()

    with each_calls(asked), Nvml() as nvml, Recorder() as recorder:
        cards = nvml.gpus if gpus is None else named_cards(nvml, gpus, "--gpus")
        with closing(CodeCarbon(LOAD_COUNTRY, [])) as codecarbon:
            lookout = Lookout(nvml, recorder, cards, codecarbon)
            try:
                last = _ticks(lookout, interval_s, limit_s, sink, stop)
                sink.end(last, lookout.own_share(), {})
            except BrokenPipeError:  # whoever read has enough (`| head`)
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _ticks(
    lookout: Lookout, interval_s: float, limit_s: float | None, sink: Sink, stop: threading.Event
) -> Look:
    """Show looks on a grid that does not drift; the last one, which is not shown."""
    begun, number = time.monotonic(), 1
    ends = float("inf") if limit_s is None else begun + limit_s
    while True:
        due = min(begun + number * interval_s, ends)
        asked = stop.wait(max(0.0, due - time.monotonic()))
        look = lookout.look()
        _refuse_nothing(look)
        if asked or time.monotonic() >= ends:
            return look
        sink.show(look)
        number = max(number, int((time.monotonic() - begun) / interval_s)) + 1


def _refuse_nothing(look: Look) -> None:
    """End where no domain is there, or all of them say why they have nothing."""
    if any(each.power_w is not None or each.energy_j is not None or not each.reason for each in look.domains):
        return
    known = look.absent | {each.label: each.reason for each in look.domains if each.reason}
    raise PrerequisiteError(
        f"Nothing can be read here: {'; '.join(f'{name}: {reason}' for name, reason in known.items())}.",
        "`python -m bench doctor` says what would help.",
    )
