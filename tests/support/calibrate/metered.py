"""`python -m tests.support.calibrate.metered calibrate ...`: the real command, a load of known watts.

Its worker runs `tests.support.calibrate.worker`, with a load that sleeps, and tells the stand-in what its
GPU 0 draws meanwhile and how that fades. Nothing is changed beside that but waits.
"""

from __future__ import annotations

import os
import time

from bench.calibrate import procedure, response
from bench.cli import main
from bench.cli.calibrate import command
from bench.cli.options import Finite
from bench.core.calibration import LoadLevel
from bench.worker import process
from tests.standin import append_event

WATTS: dict[LoadLevel, float] = {"idle": 70.0, "middle": 220.0, "high": 400.0}
FADING_W, FADES_S, STEP_S = 40.0, 0.4, 0.05
SHORT = {"BEFORE_DECAY_S": 0.5, "DECAY_S": 2.5, "SETTLE_S": 0.3, "AFTER_S": 0.3}
"""A calibration in seconds: the stand-in neither warms up nor drifts."""


class KnownLoad:
    """A load on GPU 0 of the stand-in; its power fades after the one steady stretch, not between waves."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._hot = False

    @property
    def uuid(self) -> str:
        return os.environ["CUDA_VISIBLE_DEVICES"]

    def run(self, level: LoadLevel, seconds: float) -> None:
        begun_ns = time.monotonic_ns()
        append_event(None, 0, begun_ns, WATTS[level])
        if level == "idle" and self._hot:
            self._fade(begun_ns)
        self._hot = level == "high" and seconds == SHORT["BEFORE_DECAY_S"]
        time.sleep(seconds)
        append_event(None, 0, time.monotonic_ns(), WATTS["idle"])

    def _fade(self, begun_ns: int) -> None:
        """What an exponential draws in each twentieth of a second, as a staircase."""
        for number in range(round(5 * FADES_S / STEP_S)):
            watts = WATTS["idle"] + FADING_W * 2.718281828 ** (-(number + 0.5) * STEP_S / FADES_S)
            append_event(None, 0, begun_ns + round(number * STEP_S * 1e9), watts)


if __name__ == "__main__":
    process.WORKER = "tests.support.calibrate.worker"
    for name, seconds in SHORT.items():
        setattr(procedure, name, seconds)
    response.SETTLE_S = 0.5
    (load_s,) = (option.type for option in command.params if option.name == "load_seconds")
    assert isinstance(load_s, Finite)
    load_s.min = 1
    main()
