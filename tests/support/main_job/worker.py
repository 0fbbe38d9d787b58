"""What the worker of `tests.support.main_job.metered` runs: the real one, with known watts."""

from __future__ import annotations

import bench.engines
from bench.worker.main import main
from tests.support.main_job.metered import create

__all__ = ["main"]

bench.engines.create = create
