"""A/A on this machine's CPU, with real work: the suite `smoke` run again and again, nothing else changed.

Runs are compared two by two, each in one comparison only; cases measured in turns (`--pair`) side by side.
They are measured one after the other: leave the machine alone meanwhile.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.verdicts.trials import Trial, compared, run

CPU = ["--device", "cpu"]
PAIRED = ("tiny-bloom", "tiny-bloom,batch=4", "tiny-stable-diffusion")
"""The cases of `smoke`."""
AS_SMOKE = ["--weights", "random", "--block-seconds", "2", "--idle", "2", "--max-seconds", "15"]


def apart(folder: Path, comparisons: int) -> Iterator[Trial]:
    """Two runs of the suite a comparison."""
    for number in range(comparisons):
        a, b = (folder / f"run{number}{side}" for side in "ab")
        for side in (a, b):
            _say(f"A/A, run {side.name} of {comparisons} times two")
            run(["smoke", *CPU], side)
        yield from compared("real, apart", f"runs {number}", a, b)


def in_turns(folder: Path, comparisons: int) -> Iterator[Trial]:
    """A pair of a case with itself a comparison."""
    for number in range(comparisons):
        for case in PAIRED:
            _say(f"A/A in turns, {number + 1} of {comparisons}: {case}")
            results = folder / f"pair{number}-{PAIRED.index(case)}"
            run(["--pair", case, case, *AS_SMOKE, "--target", "25%", *CPU], results)
            a, b = (next(results.glob(f"*/*-{side}.json")) for side in "ab")
            yield from compared("real, in turns", f"pair {number}", a, b)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
