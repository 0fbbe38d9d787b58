"""`scripts/bench-torture kill --trials 200 --seed 1`: long trials, and a table of what they lost.

The exit status is 1 where a trial broke a promise of docs/reliability.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.torture.kill import ACTS, Outcome, Trial, play, trials

LONGEST_S = 60.0
"""A whole run of the six cases takes about that long on two cores."""


def played(chosen: list[Trial], at_once: int) -> Iterator[Outcome]:
    """Play trials side by side, each in a folder of its own."""

    def each(trial: Trial) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="torture-") as folder:
            return play(trial, Path(folder))

    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(each, chosen)


def table(outcomes: list[Outcome], wall_s: float) -> str:
    """Rows of tried, survived, lost by act, and their sum."""
    rows = [f"{'act':26} {'tried':>6} {'survived':>9} {'lost':>5}"]
    for act in (*ACTS, "all together"):
        of_act = [outcome for outcome in outcomes if act in (outcome.trial.what, "all together")]
        lost = sum(bool(outcome.faults) for outcome in of_act)
        rows.append(f"{act:26} {len(of_act):6} {len(of_act) - lost:9} {lost:5}")
    return "\n".join([*rows, f"wall time: {wall_s:.0f} s"])


def main(arguments: list[str]) -> int:
    """Play the trials and print each, then the table."""
    parser = argparse.ArgumentParser(prog="scripts/bench-torture")
    parser.add_argument("part", choices=["kill"])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--longest-s", type=float, default=LONGEST_S, help="latest moment of an act")
    given = parser.parse_args(arguments)
    begun, outcomes = time.monotonic(), []
    for outcome in played(trials(given.trials, given.seed, given.longest_s), given.at_once):
        outcomes.append(outcome)
        verdict = "; ".join(outcome.faults) or "kept"
        print(f"{outcome.trial!s:44} {outcome.complete_before} complete before  {verdict}", flush=True)
    print(table(outcomes, time.monotonic() - begun))
    return int(any(outcome.faults for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
