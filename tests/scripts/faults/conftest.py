"""Fixtures for the tests of faults: the meters' own."""

from tests.meters.conftest import clocked, nvml

__all__ = ["clocked", "nvml"]
