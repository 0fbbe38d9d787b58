"""Busy machines: a sampler that comes late, loses ticks or is silent for a while, and stolen processor time.

Where a machine has too little time for the recorder, its rows are fewer and later. What is measured there
must be invalid or wider, and never wrong.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial

from scripts.faults.card_scenes import assert_within
from scripts.faults.machine import Machine
from scripts.faults.scene import Scene

SILENCES_S = (0.2, 0.6, 1.0, 1.5)
LOST_SHARES = (0.5, 0.8, 0.95)
EVERY_S = 2.7
"""From one silence to the next: at another place of each block."""
LONGEST_S = 120.0
"""Virtual time of a run that waits for a sampler in vain after each of its blocks."""
STOLEN_S = 0.4
"""For so long the worker waits for a processor, now and then."""


def sampler_scenes() -> Iterator[Scene]:
    """Ticks lost at random, silences again and again, and a worker that waits for a processor."""
    for share in LOST_SHARES:
        for seed in range(2):
            scene = partial(_losing, share, seed)
            fault = f"sampler loses {share:.0%} of its ticks"
            yield Scene(fault, f"seed {seed}", scene, judge=assert_within, longest_s=LONGEST_S)
    for silence_s in SILENCES_S:
        fault = f"sampler is silent for {silence_s} s"
        yield Scene(fault, f"every {EVERY_S} s", _silent(silence_s), judge=assert_within)
    yield Scene("worker waits for a processor", f"every {EVERY_S} s", _stolen, judge=assert_within)


def _losing(share: float, seed: int, machine: Machine) -> None:
    """Each tick of the sampler is lost by chance, those beside the edges of windows included."""
    machine.lose_ticks(share, random.Random(seed))


def _silent(silence_s: float) -> Callable[[Machine], None]:
    def arrange(machine: Machine) -> None:
        def begin() -> None:
            machine.stop_recorder(True)
            machine.in_s(silence_s, end)

        def end() -> None:
            machine.stop_recorder(False)
            machine.in_s(EVERY_S, begin)

        machine.in_s(EVERY_S, begin)

    return arrange


def _stolen(machine: Machine) -> None:
    """The work makes no progress at full power, as a spinning thread that waits for another one."""

    def steal() -> None:
        machine.clock.sleep(STOLEN_S)
        machine.in_s(EVERY_S, steal)

    machine.in_s(EVERY_S, steal)
