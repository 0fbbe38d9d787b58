"""Fixtures for every test, and the order in which they run: long ones first, so that no worker ends alone."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.order import slow_first

pytest_plugins = ["pytester", "tests.standin.fixtures"]


# A job that a shell starts with `&` ignores ctrl-C, and so does every process that it starts: tests that
# interrupt a command would wait for ever. With a handler here, a child begins with the default again.
signal.signal(signal.SIGINT, signal.default_int_handler)


STEERING = ("CUDA_", "HF_", "HUGGING", "TRANSFORMERS_", "CODECARBON_", "SLURM_", "JOULEBENCH_")
"""Beginnings of variables by which a developer or a job system steers what is tested."""
KEPT = ("JOULEBENCH_TEST_TRACES",)
"""Names the folder of recordings of real cards: data for tests, and no setting of what is tested."""


def steers(name: str) -> bool:
    """Whether a variable would change what is tested; CodeCarbon reads its own in any case."""
    return name.upper().startswith(STEERING) and name not in KEPT


# The hub's client and transformers read their settings when they are imported, which is before any fixture.
# Those of CUDA are read when a card is first used: tests on a real card keep them, as a job sets them.
# With AMX, torch 2.13 gives NaN in some of the toys' bf16 convolutions; its AVX-512 kernels do not.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")
for _name in [name for name in os.environ if steers(name) and not name.startswith("CUDA_")]:
    del os.environ[_name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those marked slow begin, shared out among the workers; otherwise the order is as it was."""
    items[:] = slow_first(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def pytest_collection_finish(session: pytest.Session) -> None:
    """No collection of garbage looks at what was imported any more: 0.2 s at each `unload` of a model."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The end of the interpreter finds everything again: some libraries say what is left over then."""
    gc.unfreeze()


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
def no_settings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable from outside steers what is tested, but the cards that a test on a real card may use."""
    on_real_card = request.node.get_closest_marker("gpu") is not None
    for name in [*os.environ]:
        if steers(name) and not (on_real_card and name.startswith("CUDA_")):
            monkeypatch.delenv(name)


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
