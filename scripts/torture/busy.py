"""Windows measured while other programs take all the processor time they get, each beside the truth.

    for seen in play(folder, windows=66, loops=8, seed=1):
        print(seen)

A stand-in card draws a power that is known at any moment; `bench.Meter` measures it through the real
recorder and the real CodeCarbon. The work begins when this program comes to it and its window ends when it
wakes up, as on any busy machine; what the card drew between the window's own edges is the truth.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pytest

from bench.core.domain import Domain
from bench.measurement.api.meter import Meter
from scripts.accuracy.waves import IDLE_W, WAVES, Wave
from scripts.faults import card_scenes
from tests.standin import StandIn, build, uuid_of

BEGIN_WITH_WORK = (
    "constant",
    "fade",
    "fall within 0.15 s",
    "fall inside the work",
    "clock step after",
    "second step",
    "slow square",
    "fast square",
    "ramps",
    "bursts",
    "noise",
)
"""Waves that can begin when the program comes to them; those of another process lie before it."""
LENGTHS_S = (2.0, 5.0)
AFTER_S = 4.0
"""What is played of a wave after its work; then the card idles."""
LEAD_S = 0.002
"""The work is in the stand-in's log this long before it begins."""
ATTEMPTS = 5
COVERAGE_FACTOR = 2.0
"""Of the edges' standard uncertainty: a 95 % interval."""
FEWEST_HOLD = 0.95
NAME_OF_GPU = "NVIDIA stand-in that sees all"
Outcome = Literal["within", "outside", "invalid", "no reading"]


class Seen(NamedTuple):
    """One window; `interval_j` is half of its 95 % interval."""

    wave: str
    seconds: float
    true_j: float
    found_j: float | None
    interval_j: float | None
    reasons: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """`within`: the interval contains the truth; `outside`: it does not, and nothing warns of it."""
        if self.found_j is None or self.interval_j is None:
            return "no reading" if self.reasons else "outside"
        if self.reasons:
            return "invalid"
        return "within" if abs(self.found_j - self.true_j) <= self.interval_j else "outside"

    @property
    def wrong(self) -> bool:
        """Whether it is farther from the truth than any fault of a card may bring a valid block."""
        if self.outcome != "outside" or self.found_j is None or self.interval_j is None:
            return self.outcome == "outside"
        allowed_j = card_scenes.COVERAGE_FACTOR / COVERAGE_FACTOR * self.interval_j
        return abs(self.found_j - self.true_j) > max(allowed_j, card_scenes.LEAST_SHARE * self.true_j)

    @property
    def error(self) -> float | None:
        """Relative to the truth."""
        return None if self.found_j is None else self.found_j / self.true_j - 1

    def __str__(self) -> str:
        figures = "none"
        if self.error is not None and self.interval_j is not None:
            figures = f"{self.error:+.2%} ± {self.interval_j / self.true_j:.2%}"
        reason = f"  {self.reasons[0]}" if self.reasons else ""
        return f"{self.wave:22} {self.seconds:5.2f} s  {figures:18} {self.outcome}{reason}"


@contextlib.contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Programs of this one's priority that never wait."""
    code = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(10**6))"
    loops = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
        for loop in loops:
            loop.wait()


def play(folder: Path, windows: int, loops: int, seed: int) -> Iterator[Seen]:
    """Windows of 2 to 5 s, the waves in turn, a meter for each round of waves as a program has it."""
    rng = np.random.default_rng(seed)
    (folder / "tmp").mkdir()
    standin = StandIn(build(folder / "library"), folder / "standin.control", gpu_count=1)
    standin.gpu(0).base_w = IDLE_W
    standin.gpu(0).name = NAME_OF_GPU.encode()
    with contextlib.ExitStack() as held:
        held.callback(standin.close)
        patch = held.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(tempfile, "tempdir", str(folder / "tmp"))  # locks of its own
        patch.setenv("TMPDIR", str(folder / "tmp"))
        standin.attach()
        held.enter_context(busy_loops(loops))
        in_turn = itertools.islice(itertools.cycle(BEGIN_WITH_WORK), windows)
        while names := list(itertools.islice(in_turn, len(BEGIN_WITH_WORK))):
            with Meter(gpus="0", idle_seconds=0, results=folder / "results") as meter:
                for name in names:
                    yield _window(meter, standin, name, WAVES[name], rng)


def _window(meter: Meter, standin: StandIn, name: str, wave: Wave, rng: np.random.Generator) -> Seen:
    """Measure one wave; again where the log of its work came too late for the card's readings."""
    for _ in range(ATTEMPTS):
        standin.forget_load()
        time.sleep(rng.uniform(0.0, 0.5))  # so that windows begin at any moment of the counter's tick
        t_s, watts = _events(wave, rng.uniform(*LENGTHS_S), rng)
        with meter.window() as window:
            start_ns = time.monotonic_ns() + round(LEAD_S * 1e9)
            standin.load_many(0, start_ns + np.round(t_s * 1e9).astype(np.int64), watts)
            in_time = time.monotonic_ns() < start_ns
            end_ns = start_ns + round((t_s[-1] - AFTER_S) * 1e9)
            time.sleep(max(0.0, (end_ns - time.monotonic_ns()) / 1e9))
        block = window.block
        true_j = standin.true_energy_j(0, block.start_ns, block.end_ns)
        time.sleep(max(0.0, (end_ns - time.monotonic_ns()) / 1e9 + AFTER_S))
        if in_time:
            break
    energy = block.energy[Domain.gpu(uuid_of(0)).text]
    interval_j = None if energy.edge_u_j is None else COVERAGE_FACTOR * energy.edge_u_j
    return Seen(name, block.duration_s, true_j, energy.with_rests_j, interval_j, tuple(block.reasons))


def _events(
    wave: Wave, seconds: float, rng: np.random.Generator
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """When which power begins, in seconds from the start of the work up to idle after it."""
    t_s, watts = wave(seconds, rng).power.steps()
    kept = (t_s >= 0) & (t_s < seconds + AFTER_S)
    kept[kept] = np.diff(watts[kept], prepend=np.nan) != 0
    return np.append(t_s[kept], seconds + AFTER_S), np.append(watts[kept], IDLE_W)


def lines(seen: Sequence[Seen]) -> Iterator[str]:
    """Counts by outcome, the worst error among the windows that count, and why others do not."""
    outcomes = Counter(each.outcome for each in seen)
    valid = outcomes["within"] + outcomes["outside"]
    counts = ", ".join(f"{count} {name}" for name, count in outcomes.items())
    yield f"{len(seen)} windows, {valid} of them valid: {counts}"
    counted = [each for each in seen if each.outcome in ("within", "outside") and each.error is not None]
    if counted:
        errors = [abs(each.error or 0.0) for each in counted]
        widths = [(each.interval_j or 0.0) / each.true_j for each in counted]
        yield (
            f"valid ones: error {np.median(errors):.2%} in the middle, {max(errors):.2%} at most; "
            f"interval ±{np.median(widths):.2%} in the middle, ±{max(widths):.2%} at most"
        )
    for rule, count in Counter(each.reasons[0].partition(":")[0] for each in seen if each.reasons).items():
        yield f"set aside: {count} by {rule}"


def lost(seen: Sequence[Seen]) -> int:
    """Wrong windows; too many that miss the truth by a little count, too."""
    outcomes = Counter(each.outcome for each in seen)
    enough = outcomes["within"] >= FEWEST_HOLD * (outcomes["within"] + outcomes["outside"])
    return sum(each.wrong for each in seen) if enough else outcomes["outside"]
