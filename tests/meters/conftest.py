"""Fixtures for the tests of the meters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.meters.nvml import Nvml
from tests.standin import StandIn


@pytest.fixture
def clocked(standin: StandIn) -> StandIn:
    """The stand-in as this process's NVML, at 0 ns of a clock that only the test moves, counters at 0."""
    standin.use_virtual_clock()
    for i in range(4):
        standin.gpu(i).counter_offset_mj = 0
    standin.attach()
    return standin


@pytest.fixture
def nvml(clocked: StandIn) -> Iterator[Nvml]:
    """A connection to the stand-in's two cards."""
    with Nvml() as connection:
        yield connection
