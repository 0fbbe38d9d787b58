"""`python -m scripts.verdicts`: comparisons whose right answer is known; `scripts/bench-verdicts` runs it.

The table goes to standard output. Exit status 1 where a target is missed.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np

from bench.store.results import write_atomically
from scripts.verdicts import planted, real
from scripts.verdicts.targets import Held, held, lines
from scripts.verdicts.trials import Trial
from tests.standin import build

PARTS = ("real", "planted", "unlike")
SEED = 20260131


@dataclass(frozen=True)
class Plan:
    """How much of everything: comparisons of the suite, of pairs in turns, rounds on stand-in cards."""

    apart: int
    in_turns: int
    rounds: int


FULL = Plan(apart=7, in_turns=7, rounds=20)
"""Three cases a comparison: 21 verdicts of either kind."""
QUICK = Plan(apart=1, in_turns=1, rounds=2)


@click.command()
@click.option("--quick", is_flag=True, help="A comparison or two of everything.")
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(PARTS),
    help="Only this; may be repeated. [default: all]",
)
@click.option("--at-once", default=8, type=click.IntRange(1), help="Runs on stand-in cards side by side.")
@click.option(
    "-o",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where verdicts.json and verdicts.md go; without it, only the table is printed.",
)
def main(*, quick: bool, parts: tuple[str, ...], at_once: int, folder: Path | None) -> None:
    """Hold verdicts against the truth: A/A on this CPU, 10 % planted on stand-in cards, unlike cases."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="joulebench-verdicts-") as scratch:
        found = list(_trials(QUICK if quick else FULL, parts or PARTS, Path(scratch), at_once))
    judged = held(found)
    table = "\n".join(lines(found, judged)) + "\n"
    print(table, end="")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder, found, judged, table, time.monotonic() - begun)
    if not all(each.met for each in judged):
        sys.exit(1)


def _trials(wanted: Plan, parts: tuple[str, ...], scratch: Path, at_once: int) -> Iterator[Trial]:
    if "real" in parts:
        yield from real.apart(scratch, wanted.apart)
        yield from real.in_turns(scratch, wanted.in_turns)
    if "planted" in parts or "unlike" in parts:
        cards = planted.Cards(build(scratch / "library"), scratch / "cards", at_once)
        if "planted" in parts:
            yield from planted.trials(cards, wanted.rounds, np.random.default_rng(SEED))
        if "unlike" in parts:
            yield from planted.unlike(cards)


def _write(folder: Path, found: list[Trial], judged: list[Held], table: str, seconds: float) -> None:
    whole = {
        "seconds": round(seconds),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average_1m": os.getloadavg()[0],
        "targets": [
            {"part": each.target.part, "claim": each.target.claim, "n": each.n, "wrong": len(each.wrong)}
            | {"met": each.met}
            for each in judged
        ],
        "trials": [asdict(trial) for trial in found],
    }
    write_atomically(folder / "verdicts.json", json.dumps(whole, indent=1) + "\n")
    write_atomically(folder / "verdicts.md", table)
    print(f"Written: {folder / 'verdicts.json'} {folder / 'verdicts.md'}", file=sys.stderr)


if __name__ == "__main__":
    main()
