"""How often the intervals hold the truth, over simulated records whose truth is known.

Blocks of 30 s at 300 W on a card that idles at 60 W, with a counter of 0.1 s that is up to a tick behind at
each edge; run-to-run spread 0.5 to 3 %, 5 to 12 blocks; gain and offset drawn anew for each record.

`python -m scripts.accuracy.intervals 10000` prints the table of docs/uncertainty.md.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import NamedTuple

from bench.core.block import Idle
from bench.core.budget import Budget, Expanded
from bench.stats import uncertainty
from bench.stats.budget.gains import GAIN_U, OFFSET_HALF_WIDTH
from bench.stats.budget.gum import coverage_factor
from bench.stats.figures import estimate
from tests.support.factory import GPU, block, energy, record

CASES = 1500
BUSY_W, IDLE_W, BLOCK_S, UNITS, TICK_S = 300.0, 60.0, 30.0, 20.0, 0.1
TRUE_J = BUSY_W * BLOCK_S / UNITS
TRUE_NET_J = (BUSY_W - IDLE_W) * BLOCK_S / UNITS

Stop = Callable[[list[float]], bool]
Draw = Callable[[random.Random], float]


class Simulated(NamedTuple):
    """A record's budgets and what its card made of a joule."""

    gross: Budget
    net: Budget
    error: float


class Share(NamedTuple):
    """How many of the cases' intervals held what they should, and blocks a case."""

    same_card: float
    absolute: float
    same_card_net: float
    absolute_net: float
    spread_alone: float
    blocks: float


def as_budgeted(chance: random.Random) -> float:
    """A card's error out of the gain and the offset of the budget."""
    return chance.gauss(0, GAIN_U) + chance.uniform(-OFFSET_HALF_WIDTH, OFFSET_HALF_WIDTH)


def as_measured(chance: random.Random) -> float:
    """A card's error as eleven cards had it (Yang et al. 2023, arXiv:2312.02741), at another power."""
    return chance.gauss(-0.019, 0.047) + chance.uniform(-OFFSET_HALF_WIDTH, OFFSET_HALF_WIDTH)


def simulated(chance: random.Random, stop: Stop | None = None, card: Draw = as_budgeted) -> Simulated:
    """One case: its blocks as the card saw them. `stop` looks at joules a unit after each block."""
    spread, blocks = chance.uniform(0.005, 0.03), chance.randint(5, 12)
    error = 1 + card(chance)
    seen: list[float] = []
    while not (stop(seen) if stop else len(seen) == blocks):
        true_j = BUSY_W * BLOCK_S * (1 + chance.gauss(0, spread))
        behind_j = BUSY_W * chance.uniform(0, TICK_S) - IDLE_W * chance.uniform(0, TICK_S)
        seen.append((true_j - behind_j) * error / UNITS)
    drift_w = chance.uniform(-2.0, 2.0)
    before, after = (IDLE_W + drift_w) * error, (IDLE_W - drift_w) * error
    idle_w = (before + after) / 2 + chance.uniform(-1, 1) * abs(drift_w)
    idle = Idle(power_w=idle_w, sd_w=None, before=before, after=after, kind="measured")
    observed = {"gpus": {GPU[4:]: {"counter_ticks": round(BLOCK_S / TICK_S)}}}
    made = [
        block(
            energies={GPU: energy(each * UNITS, each * UNITS - idle_w * BLOCK_S)},
            units=UNITS,
            seconds=BLOCK_S,
            observed=observed,
        )
        for each in seen
    ]
    machine = {"name": "simulated", "gpus": [{"uuid": GPU[4:], "name": "NVIDIA L40S"}]}
    found = uncertainty.of(record(blocks=made, idle={GPU: idle}, machine=machine))
    assert found.gross
    assert found.net
    return Simulated(found.gross, found.net, error)


def holds(found: Expanded | None, truth: float) -> bool:
    """Whether an interval that must be there contains a value."""
    assert found is not None
    return found.low <= truth <= found.high


def coverage(seed: int, cases: int = CASES, stop: Stop | None = None, card: Draw = as_budgeted) -> Share:
    """Compute and print the shares over a number of cases."""
    chance = random.Random(seed)
    made = [simulated(chance, stop, card) for _ in range(cases)]

    def of(held: Callable[[Simulated], bool]) -> float:
        return sum(map(held, made)) / cases

    found = Share(
        same_card=of(lambda case: holds(case.gross.same_card, TRUE_J * case.error)),
        absolute=of(lambda case: holds(case.gross.absolute, TRUE_J)),
        same_card_net=of(lambda case: holds(case.net.same_card, TRUE_NET_J * case.error)),
        absolute_net=of(lambda case: holds(case.net.absolute, TRUE_NET_J)),
        spread_alone=of(lambda case: spread_holds(case.gross, TRUE_J * case.error)),
        blocks=sum(case.gross.n for case in made) / cases,
    )
    print("  ".join(f"{name} {value:.4g}" for name, value in found._asdict().items()))
    return found


def spread_holds(budget: Budget, truth: float) -> bool:
    """Whether the t interval over blocks contains a value."""
    (found,) = [line for line in budget.inputs if line.name == "run to run"]
    assert found.contribution_j is not None
    assert found.dof is not None
    return abs(truth - budget.value) <= coverage_factor(found.dof, 0.95) * found.contribution_j


def narrow_enough(seen: list[float]) -> bool:
    """The rule of a run: five blocks or more, an interval narrow enough for ±2 %; here at most twelve."""
    if len(seen) < 5:
        return False
    half = estimate(seen).relative_half_width
    return len(seen) >= 12 or (half is not None and half <= 0.02)


def main(cases: int) -> None:
    """Print the shares of each row of the table."""
    each: list[tuple[Stop | None, Draw]] = [
        (None, as_budgeted),
        (narrow_enough, as_budgeted),
        (None, as_measured),
    ]
    for rule, draw in each:
        coverage(1, cases, rule, draw)


if __name__ == "__main__":
    main(int(sys.argv[1]))
