"""`python -m scripts.evidence.rehearsed MODULE ...`: a probe whose load sets a stand-in's watts."""

from __future__ import annotations

import importlib
import sys

from bench.runner import worker_process

if __name__ == "__main__":
    worker_process.WORKER = "tests.support.calibrate.worker"
    module = sys.argv.pop(1)
    importlib.import_module(f"scripts.evidence.{module}").main()
