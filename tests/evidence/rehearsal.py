"""Every part on a stand-in card, with tiny models on the CPU: proves that the whole way works, in two minutes.

Its joules mean nothing, and nothing of it belongs into results/.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.evidence.running import Machine
from tests.main_job.running import THREADS
from tests.standin import StandIn, build

CATALOGUE = Path(__file__).with_name("rehearsal.yaml")
MODULES = {"run": "tests.main_job.metered", "calibrate": "tests.calibrate.metered"}
SHORT = {
    "run": ("--models", str(CATALOGUE), "--device", "cpu", "--gpus", "0"),
    "calibrate": ("--load-seconds", "5", "--gpus", "0"),
    "sensor": ("--seconds", "1", "--gpus", "0"),
    "beside": ("--seconds", "3", "--windows", "1", "--gpus", "0"),
    "cost": ("--device", "cpu", "--rounds", "2", "--turn-seconds", "0.2", "--gpus", "0"),
}


@contextmanager
def machine(scratch: Path) -> Iterator[Machine]:
    """A machine with one stand-in card, for the time of the block."""
    standin = StandIn(build(scratch / "library"), scratch / "control", gpu_count=1)
    standin.gpu(0).base_w = 60.0
    try:
        yield Machine(extra=SHORT, modules=MODULES, variables=standin.environment() | THREADS, rehearsed=True)
    finally:
        standin.close()
