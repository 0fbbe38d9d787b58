"""What the worker of `tests.support.main_job.metered` runs: the real one, with known watts."""

from __future__ import annotations

import os

import bench.engines
from bench.core.observed import PeakMemory
from bench.worker import main as worker_main
from bench.worker.main import main
from tests.support.main_job.metered import CARDS_VARIABLE, PRETEND_VARIABLE, create

__all__ = ["main"]

bench.engines.create = create
if {PRETEND_VARIABLE, CARDS_VARIABLE} <= os.environ.keys():  # work that pretends to be on CUDA loads no torch
    vars(worker_main).update(forget_peak=lambda _: None, peak=lambda *_: PeakMemory(used_bytes=1000.0))
