"""Fixtures for every test, and the order in which they run: long ones first, so that no worker ends alone."""

from __future__ import annotations

import itertools
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest_plugins = ["pytester", "tests.standin.fixtures"]


# A job that a shell starts with `&` ignores ctrl-C, and so does every process that it starts: tests that
# interrupt a command would wait for ever. With a handler here, a child begins with the default again.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those marked slow begin; otherwise the order is as it was.

    Where tests of a module share a fixture, the whole module is marked, since it must not be torn apart.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def next_temporary_folder() -> Iterator[Callable[[], Path]]:
    """A function that makes a folder, with a short name since sockets lie below it."""
    with tempfile.TemporaryDirectory(prefix="jb-", ignore_cleanup_errors=True) as base:
        numbers = itertools.count()

        def make() -> Path:
            folder = Path(base) / str(next(numbers))
            folder.mkdir()
            return folder

        yield make


@pytest.fixture(autouse=True)
def own_signal_handlers() -> Iterator[None]:
    """A command that was interrupted ignores every further signal, which must not outlive its test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def own_temporary_folder(next_temporary_folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that no other test sees, with locks of its own: tests run side by side."""
    folder = next_temporary_folder()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder
