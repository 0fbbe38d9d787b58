"""Fixtures for the tests of calibration."""

from __future__ import annotations

import pytest

from tests.standin import StandIn


@pytest.fixture
def clocked(standin: StandIn) -> StandIn:
    """The stand-in as this process's NVML, on a clock that only the test moves."""
    standin.use_virtual_clock()
    standin.attach()
    return standin
