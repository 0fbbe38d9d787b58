"""`python -m scripts.evidence.rehearsed MODULE ...`: a probe whose load sets a stand-in's watts."""

from __future__ import annotations

import importlib
import sys

from bench.worker import process

if __name__ == "__main__":
    process.WORKER = "tests.support.calibrate.worker"
    module = sys.argv.pop(1)
    importlib.import_module(f"scripts.evidence.{module}").main()
