"""Coverage of the t interval if repeats end as soon as it is narrow enough.

Blocks are normal, alone or each following the one before (lag 1), of every spread and target that a run may
have. `python -m scripts.accuracy.stopping` prints the table of docs/uncertainty.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from bench.core.arrays import Floats

SPREADS, TARGETS, FOLLOWING = (0.003, 0.005, 0.01, 0.02, 0.03), (0.005, 0.01, 0.02), (0.0, 0.3)
LEAST, MOST = 5, 60
"""Blocks of a case; those of 30 s that `max_seconds` allows, twice."""


class Share(NamedTuple):
    """Of one spread, target and correlation: the intervals that held the truth, and blocks a case."""

    spread: float
    target: float
    follows: float
    held: float
    blocks: float


def shares(cases: int, seed: int = 2312) -> Iterator[Share]:
    """Run every combination, over a number of cases each."""
    rng = np.random.default_rng(seed)
    for follows in FOLLOWING:
        for spread in SPREADS:
            values = 1 + spread * _series(cases, follows, rng)
            for target in TARGETS:
                held, n = _stopped(values, target)
                yield Share(spread, target, follows, held, n)


def _series(cases: int, follows: float, rng: np.random.Generator) -> Floats:
    """Standard normal blocks, each correlated with the one before."""
    drawn = rng.normal(size=(cases, MOST))
    for number in range(1, MOST):
        drawn[:, number] = follows * drawn[:, number - 1] + np.sqrt(1 - follows**2) * drawn[:, number]
    return drawn


def blocks_until_narrow(values: Floats, target: float) -> NDArray[np.int64]:
    """Number of blocks of each case (row) at which `bench.measurement.stopping` ends the repeats."""
    means, halves = _intervals(values)
    enough = halves / means <= target
    enough[:, -1] = True
    return np.asarray(LEAST + enough.argmax(axis=1), dtype=np.int64)


def _intervals(values: Floats) -> tuple[Floats, Floats]:
    """Mean and half of the t interval of the first `LEAST` values of each row, of one more, and so on."""
    n = np.arange(LEAST, MOST + 1)
    sums, squares = np.cumsum(values - 1, axis=1)[:, LEAST - 1 :], np.cumsum((values - 1) ** 2, axis=1)
    means = sums / n
    spreads = np.sqrt(np.maximum(0.0, squares[:, LEAST - 1 :] - n * means**2) / (n - 1))
    return 1 + means, stdtrit(n - 1, 0.975) * spreads / np.sqrt(n)


def _stopped(values: Floats, target: float) -> tuple[float, float]:
    means, halves = _intervals(values)
    blocks = blocks_until_narrow(values, target)
    at = np.arange(len(values)), blocks - LEAST
    return float(np.mean(np.abs(means[at] - 1) <= halves[at])), float(np.mean(blocks))


def main(cases: int) -> None:
    """A row for every combination."""
    print("| spread | target | lag 1 | t interval covers the truth | blocks |")
    print("|---|---|---|---|---|")
    for each in shares(cases):
        print(
            f"| {each.spread:.1%} | {each.target:.1%} | {each.follows:g} "
            f"| {each.held:.1%} | {each.blocks:.1f} |"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
