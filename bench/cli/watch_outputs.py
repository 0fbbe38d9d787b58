"""Outputs of `bench watch`: a live screen, one printed look, or lines for a machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from bench.cli.watch_lines import CsvRows, JsonLines
from bench.errors import RecordError
from bench.machine.provenance import in_container
from bench.measurement.live import Snapshot
from bench.streams import MaskedText, is_standard
from bench.view import terminal
from bench.view.live import LiveView, own_cost

if TYPE_CHECKING:
    from bench.footprint.bundled_rows import Factor
    from bench.view.watch_summary import WatchedCommand

HINT = "Ctrl-C ends it and prints the sum."


class Sink(Protocol):
    """Receiver of looks."""

    def show(self, look: Snapshot) -> None:
        """A tick."""

    def end(self, look: Snapshot, own_share: float, ended: WatchedCommand | None) -> None:
        """The last look, the share of a core that watching took, and the command where there was one."""


class Screen:
    """A live screen, replaced by the printed sum at the end."""

    def __init__(self, stream: TextIO, grid: Factor, *, whole: bool) -> None:
        """`whole`: take the entire terminal, as a pager does, and give it back at the end."""
        self._console = Console(file=stream, highlight=False)
        self._stream = stream
        self._view = LiveView(grid, contained=in_container())
        self._live = Live(console=self._console, screen=whole, auto_refresh=False, transient=True)

    def show(self, look: Snapshot) -> None:
        """Draw a tick."""
        self._view.remember(look)
        if not self._live.is_started:
            self._live.start()
        room = terminal.Room.of(self._stream)
        drawn = terminal.lines(self._view.sections(look, room.columns, hint=HINT), room)
        self._live.update(Text.from_ansi("\n".join(drawn), no_wrap=True), refresh=True)

    def clear(self) -> None:
        """Give the terminal back."""
        self._live.stop()

    def end(self, look: Snapshot, own_share: float, ended: WatchedCommand | None) -> None:  # noqa: ARG002
        """Print the sum."""
        self.clear()
        self._view.remember(look)
        width = terminal.Room.of(self._stream).columns
        shown = (*self._view.sections(look, width, mean=True), own_cost(own_share))
        self._stream.write(terminal.text(shown, self._stream))


class Printed:
    """One look as text."""

    def __init__(self, grid: Factor) -> None:
        self._view = LiveView(grid, contained=in_container())

    def show(self, look: Snapshot) -> None:
        """Only the last look is printed."""

    def end(self, look: Snapshot, own_share: float, ended: WatchedCommand | None) -> None:  # noqa: ARG002
        """Print it."""
        self._view.remember(look)
        width = terminal.Room.of(sys.stdout).columns
        click.echo(terminal.text(self._view.sections(look, width)), nl=False)


@contextmanager
def lines_to(output: Path | None, grid: Factor, *, as_csv: bool) -> Iterator[JsonLines | CsvRows | None]:
    """Lines into a file or, for `-`, to stdout, written as they come; `None` without one."""
    if output is None:
        yield None
        return
    if is_standard(output):
        yield CsvRows(sys.stdout) if as_csv else JsonLines(sys.stdout, grid)
        return
    try:
        raw = output.open(
            "wb", buffering=0
        )  # nothing is left to be written when a full disk has refused a line
    except OSError as error:
        raise RecordError(f"{output}: cannot be written: {error.strerror}.") from error
    with MaskedText(raw, encoding="utf-8", write_through=True) as stream:
        yield CsvRows(stream) if as_csv else JsonLines(stream, grid)


@contextmanager
def _stdout() -> Iterator[TextIO]:
    """stdout, whose reader may close it (`| head`): that ends the context without an error.

    What could not be written must not be tried again when the interpreter ends.
    """
    try:
        yield sys.stdout
    except (BrokenPipeError, RecordError) as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, RecordError):
            raise


@contextmanager
def sink(output: Path | None, grid: Factor, *, as_json: bool, as_csv: bool, once: bool) -> Iterator[Sink]:
    """Lines into a file or a pipe, else a screen, or one printed look."""
    piped = is_standard(output)
    with lines_to(None if piped else output, grid, as_csv=as_csv) as lines:
        if lines is not None:
            yield lines
        elif piped or as_csv or as_json or not terminal.is_terminal(sys.stdout):
            with _stdout() as stream:
                yield CsvRows(stream) if as_csv else JsonLines(stream, grid)
        elif once:
            yield Printed(grid)
        else:
            screen = Screen(sys.stdout, grid, whole=True)
            try:
                yield screen
            finally:
                screen.clear()
