"""Questions that only another process may answer: PyTorch, CodeCarbon, the hub, each under a time limit.

PyTorch is slow to import and may start CUDA; CodeCarbon leaves threads behind and looks for GPUs when it is
imported. In a process of their own they can do neither harm nor keep the doctor waiting.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bench
from bench.core.secrets import masked
from bench.machine.worker_environment import DEFAULTS

TORCH = """
import json, torch
cuda = torch.cuda
print(json.dumps({
    "cuda": torch.version.cuda, "available": cuda.is_available(), "devices": cuda.device_count(),
}))
"""

CODECARBON = """
import importlib.metadata, json, sys
from bench.errors import UsageError
from bench.catalog.grid import country_factor
from bench.meters.codecarbon import CodeCarbon
country = sys.argv[1]
try:
    country = country_factor(country).code
    unknown = None
except UsageError as error:
    unknown, country = str(error), "USA"
meter = CodeCarbon(country, [int(index) for index in sys.argv[2:]])
parts = meter.hardware
print(json.dumps({
    "unknown_country": unknown, "version": importlib.metadata.version("codecarbon"),
    "cpu_mode": getattr(parts.get("CPU"), "_mode", None), "ram": "RAM" in parts, "gpu": "GPU" in parts,
    "broken": meter.broken,
}))
meter.close()
"""


HUB_QUESTION = """
import json, sys
from bench.core.secrets import masked
from bench.core.weights import Weights
from bench.engines.weights.hub_request import ask
from bench.errors import EngineError
from huggingface_hub import constants
try:
    ask(Weights(kind="hub", hub_id=sys.argv[1], revision=sys.argv[2]), float(sys.argv[3]), patient=False)
    problem = None
except EngineError as error:
    problem = str(error.message)
print(json.dumps({"problem": problem, "endpoint": masked(constants.ENDPOINT)}))
"""


@dataclass(frozen=True)
class ProbeAnswer:
    """A probe's answer; `value` is `None` if it failed or was `late`."""

    value: dict[str, Any] | None
    limit_s: float
    error: str | None = None
    late: bool = False


class Probe:
    """A question that has been put; `answer` waits for what is left of its time."""

    def __init__(
        self,
        code: str,
        arguments: Sequence[str],
        limit_s: float,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._limit_s = limit_s
        self._deadline = time.monotonic() + limit_s
        # This very `bench`, wherever the doctor was started; spinning threads would slow the other down.
        root = str(Path(bench.__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", code, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**DEFAULTS, **os.environ, **(environment or {}), "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )

    def answer(self) -> ProbeAnswer:
        """Its answer. Never raises for what the probe does, and never waits beyond its limit."""
        try:
            out, err = self._process.communicate(timeout=max(0.01, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return ProbeAnswer(None, self._limit_s, late=True)
        finally:
            self.end()
        try:
            value = json.loads(out.splitlines()[-1])
        except (IndexError, ValueError):
            said = err.decode(errors="replace").strip().splitlines()
            reason = masked(said[-1])[:200] if said else f"it ended with status {self._process.returncode}"
            return ProbeAnswer(None, self._limit_s, error=reason.rstrip("."))
        return ProbeAnswer(value, self._limit_s)

    def end(self) -> None:
        """End it and its children; harmless after its end."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
