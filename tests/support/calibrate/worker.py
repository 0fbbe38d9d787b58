"""What the worker of `tests.support.calibrate.metered` runs: the real one, with a load of known watts."""

from __future__ import annotations

import bench.engines
from bench.worker.main import main
from tests.support.calibrate.metered import KnownLoad

__all__ = ["main"]

bench.engines.create_square_load = KnownLoad
