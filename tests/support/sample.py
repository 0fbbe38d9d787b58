"""Simulated records whose truth is known, and folders of them.

run(300.0, chance)                             # six blocks that spread by 1 % about a run's own mean
pair(300.0, 330.0, chance)                     # both sides of a pair run, in turns, ratio 1.1
save(folder / "a.json", record)
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from bench.core.record import Record
from bench.core.repetition import Pair
from bench.stats.pairs import FOURS
from bench.store import results
from tests.support.factory import block, case, record

SPREAD = 0.01
"""Of blocks within a run."""
BETWEEN_RUNS = 0.003
"""Of the means of runs: what no number of blocks averages away."""


def run(
    truth_j: float, chance: random.Random, *, blocks: int = 6, tokens: int | None = None, **more: Any
) -> Record:
    """A run of blocks of 30 s whose joules per page spread about `truth_j`; time spreads a tenth as much."""
    mean_j = truth_j * (1 + chance.gauss(0, BETWEEN_RUNS))
    made = [
        block(
            mean_j * (1 + chance.gauss(0, SPREAD)),
            seconds=30 * (1 + chance.gauss(0, SPREAD / 10)),
            tokens=tokens,
        )
        for _ in range(blocks)
    ]
    return record(blocks=made, **more)


def pair(
    a_j: float, b_j: float, chance: random.Random, *, fours: int = 3, drift: float = 0.02, **more: Any
) -> tuple[Record, Record]:
    """Two sides measured in turns while everything drifts; `cases` may be given as `a` and `b`."""
    case_a, case_b = more.pop("a", case()), more.pop("b", case())
    order = "".join(side for _ in range(fours) for side in chance.choice(FOURS))
    truth_j, made = {"A": a_j, "B": b_j}, {"A": [block(500.0, warmup=True)], "B": [block(500.0, warmup=True)]}
    for number, side in enumerate(order):
        drifted_j = truth_j[side] * (1 + drift * number / len(order))
        made[side].append(block(drifted_j * (1 + chance.gauss(0, SPREAD))))
    a = Pair(side="A", other="B", other_hash=case_b["hash"], order=order)
    b = Pair(side="B", other="A", other_hash=case_a["hash"], order=order)
    return (
        record(blocks=made["A"], case=case_a, pair=a, **more),
        record(blocks=made["B"], case=case_b, pair=b, **more),
    )


def save(path: Path, kept: Record) -> Path:
    """Store a record under a name of the test's own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(results.to_json(kept), encoding="utf-8")
    return path
