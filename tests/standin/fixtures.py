"""Fixtures of the stand-in NVML; a conftest takes them with `pytest_plugins = ["tests.standin.fixtures"]`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.meters.gpus import GpuDrivers
from tests.standin import StandIn, build


@pytest.fixture(scope="session")
def standin_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the compiled stand-in, built once a session."""
    return build(tmp_path_factory.mktemp("standin"))


@pytest.fixture
def standin(standin_library: Path, tmp_path: Path) -> Iterator[StandIn]:
    """A fresh stand-in with two idle GPUs on the real clock, in place only where the test puts it."""
    fresh = StandIn(standin_library, tmp_path / "standin.control")
    yield fresh
    fresh.close()


@pytest.fixture
def clocked(standin: StandIn) -> StandIn:
    """The stand-in as this process's NVML, at 0 ns of a clock that only the test moves, counters at 0."""
    standin.use_virtual_clock()
    for i in range(4):
        standin.gpu(i).counter_offset_mj = 0
    standin.attach()
    return standin


@pytest.fixture
def drivers(clocked: StandIn) -> Iterator[GpuDrivers]:
    """A connection to the stand-in's two cards."""
    with GpuDrivers() as connection:
        yield connection
