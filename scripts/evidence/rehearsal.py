"""Every part on a stand-in card, with a tiny model on the CPU: proves that the whole path works.

Its joules mean nothing, and nothing of it belongs into results/.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.evidence.running import Machine
from tests.standin import StandIn, build
from tests.support.main_job.running import THREADS

CATALOGUE = Path(__file__).with_name("rehearsal.yaml")
MODULES = {"run": "tests.support.main_job.metered", "calibrate": "tests.support.calibrate.metered"}
SHORT = {
    "access": ("--device", "cpu"),
    "attention": ("--device", "cpu"),
    "run": ("--models", str(CATALOGUE), "--device", "cpu"),
    "calibrate": ("--load-seconds", "5"),
    "roofline": ("--device", "cpu"),
    "sensor": ("--seconds", "0.5"),
    "beside": ("--seconds", "3", "--windows", "1"),
    "cost": ("--device", "cpu", "--rounds", "2", "--turn-seconds", "0.2"),
}
"""Further arguments of parts, by verb: the model works on the CPU, its load moves the stand-in's watts."""


@contextmanager
def machine(scratch: Path) -> Iterator[Machine]:
    """A machine with one stand-in card, for the time of the block."""
    standin = StandIn(build(scratch / "library"), scratch / "control", gpu_count=1)
    standin.gpu(0).base_w, standin.gpu(0).tick_ns = 60.0, 20_000_000  # enough ticks in short blocks
    try:
        variables = standin.environment() | THREADS
        yield Machine(("--gpus", "0"), SHORT, MODULES, variables, rehearsed=True)
    finally:
        standin.close()
