"""`python -m tests.evidence.rehearsed MODULE ...`: a probe whose load tells a stand-in its watts."""

from __future__ import annotations

import importlib
import sys

import bench.engines
from tests.calibrate.metered import KnownLoad

if __name__ in {"__main__", "__mp_main__"}:  # the probe itself and its spawned worker, no test that imports
    bench.engines.create_square_load = KnownLoad

if __name__ == "__main__":
    module = sys.argv.pop(1)
    importlib.import_module(f"tests.evidence.{module}").main()
