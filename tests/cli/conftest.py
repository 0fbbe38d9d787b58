"""The command line in this process, as a pipe or as a terminal, without this machine's own settings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.cli import invoke
from bench.core.record import Record
from bench.store import results
from tests.standin import StandIn


class Done(NamedTuple):
    """What came of a command line."""

    status: int
    out: str
    err: str


Typed = Callable[..., Done]


def words(done: Done) -> str:
    """The output with its columns and line breaks taken out."""
    return words_of(done.out)


def words_of(text: str) -> str:
    """A text without its columns and line breaks."""
    return " ".join(text.split())


@pytest.fixture(autouse=True)
def plain_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and no variable that changes colours or widths."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Typed:
    """A function that types a command line into a pipe."""

    def run(*arguments: str | Path) -> Done:
        status = invoke([str(argument) for argument in arguments])
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture
def on_terminal(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """The same on a terminal with colours, `columns` wide."""

    def run(*arguments: str | Path, columns: int = 200) -> Done:
        with monkeypatch.context() as terminal:
            terminal.setattr(sys.stdout, "isatty", lambda: True)
            terminal.setenv("COLUMNS", str(columns))
            return typed(*arguments)

    return run


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[Record], Path]:
    """A function that stores a record and names its file."""

    def save(record: Record) -> Path:
        path = tmp_path / "record.json"
        path.write_text(results.to_json(record), encoding="utf-8")
        return path

    return save


@pytest.fixture
def eight_cards(standin_library: Path, tmp_path: Path) -> Iterator[StandIn]:
    """A machine with eight cards of 80 GB."""
    standin = StandIn(standin_library, tmp_path / "eight.control", gpu_count=8)
    for gpu in range(8):
        standin.gpu(gpu).name = b"NVIDIA H100 80GB HBM3"
        standin.gpu(gpu).memory_total_bytes = 80 * 10**9
    standin.attach()
    yield standin
    standin.close()
