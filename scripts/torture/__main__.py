"""`scripts/bench-torture kill --trials 200 --seed 1`: long trials, and a table of what they lost.

The exit status is 1 where a trial broke a promise of docs/reliability.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

from bench.errors import BenchError
from scripts.torture import day, disks
from scripts.torture import long as hours
from scripts.torture.acts import ACTS
from scripts.torture.fuzz import Tally, fuzz
from scripts.torture.guided import EXPOSED, guided
from scripts.torture.kill import FaultKind, Outcome, Trial, play, trials
from scripts.torture.readers import READERS
from tests.standin import build

LONGEST_S = 80.0
"""A whole run of the ten cases takes 67 s on an idle machine, and more beside others."""
ALL = "all together"


def played(chosen: list[Trial], at_once: int) -> Iterator[Outcome]:
    """Play trials side by side, each in a folder of its own."""

    def each(trial: Trial) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="torture-") as folder:
            return play(trial, Path(folder))

    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(each, chosen)


def table(outcomes: list[Outcome], wall_s: float) -> str:
    """Rows of tried, acted and survived trials and of faults by kind, an act each, and their sum."""
    kinds = get_args(FaultKind)
    titles = ("tried", "acted", "survived", *kinds)
    rows = [f"{'act':24}" + "".join(f" {title:>8}" for title in titles)]
    for act in (*ACTS, ALL):
        of_act = [outcome for outcome in outcomes if act in (outcome.trial.what, ALL)]
        faults = [fault.kind for outcome in of_act for fault in outcome.faults]
        survived = sum(not outcome.faults for outcome in of_act)
        counts = (len(of_act), sum(outcome.acted for outcome in of_act), survived, *map(faults.count, kinds))
        rows.append(f"{act:24}" + "".join(f" {count:8}" for count in counts))
    return "\n".join([*rows, f"wall time: {wall_s:.0f} s"])


def kill(given: argparse.Namespace) -> int:
    """Play the trials and print each, then the table."""
    begun, outcomes = time.monotonic(), []
    for outcome in played(trials(given.trials, given.seed, given.longest_s), given.at_once):
        outcomes.append(outcome)
        print(outcome, flush=True)
    print(table(outcomes, time.monotonic() - begun))
    return int(any(outcome.faults for outcome in outcomes))


def long(given: argparse.Namespace) -> int:
    """Play a day of samples, simulated hours and real minutes, and print what they took."""
    parts: dict[str, Callable[[Path], Iterator[str]]] = {
        "a day of eight cards": lambda folder: day.play(folder, round(given.day_hours * 3600)),
        "simulated hours": lambda folder: hours.simulated(folder, given.hours),
        "real minutes": lambda folder: hours.real(folder, given.minutes),
    }
    lengths = (given.day_hours, given.hours, given.minutes)
    for (name, play_part), length in zip(parts.items(), lengths, strict=True):
        if length:
            begun = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="torture-") as folder:
                for each in play_part(Path(folder)):
                    print(f"{name}: {each}", flush=True)
            print(f"{name}: wall time {time.monotonic() - begun:.0f} s", flush=True)
    return 0


def play_disks(_given: argparse.Namespace) -> int:
    """Let the disk fail at every write of a run, and print how each ended."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        folder = Path(name)
        library = build(folder / "library")
        for scene in disks.SCENES:
            endings = list(disks.endings(scene, library, folder))
            counts = ", ".join(f"{endings.count(each)} {each}" for each in dict.fromkeys(endings))
            print(f"{scene.fault:26} {len(endings)} writes: {counts}", flush=True)
    print(f"wall time: {time.monotonic() - begun:.0f} s")
    return 0


def play_fuzz(given: argparse.Namespace) -> int:
    """Put damaged files through every reader, and print the findings and a row a reader."""
    begun, findings = time.monotonic(), 0
    if given.guided:
        try:
            for found in guided(list(given.only or EXPOSED), given.seconds, given.seed, print):
                findings += 1
                print(found, flush=True)
        except BenchError as error:
            print(f"Error: {error}", file=sys.stderr)
            return error.exit_status
        print(f"wall time: {time.monotonic() - begun:.0f} s")
        return int(findings > 0)
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        for finding in fuzz(given.inputs, given.seed, Path(folder), tallies, given.only):
            findings += 1
            print(finding, flush=True)
    print(f"{'reader':20} {'inputs':>8} {'read':>8} {'refused':>8} {'findings':>8}")
    for name, tally in tallies.items():
        print(f"{name:20} {tally.inputs:8} {tally.read:8} {tally.refused:8} {tally.findings:8}")
    peak_mb = max(tally.peak_mb for tally in tallies.values())
    print(f"wall time: {time.monotonic() - begun:.0f} s, memory at most {peak_mb:.0f} MB")
    return int(findings > 0)


def main(arguments: list[str]) -> int:
    """Play the trials that were asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench-torture")
    parts = parser.add_subparsers(required=True)
    of_kill = parts.add_parser("kill", help="kill, stop and interrupt runs at random moments")
    of_kill.add_argument("--trials", type=int, default=200)
    of_kill.add_argument("--seed", type=int, default=1)
    of_kill.add_argument("--at-once", type=int, default=2)
    of_kill.add_argument("--longest-s", type=float, default=LONGEST_S, help="latest moment of an act")
    of_kill.set_defaults(play=kill)
    of_long = parts.add_parser("long", help="hours and days: memory, handles, lag, true joules")
    of_long.add_argument("--day-hours", type=float, default=24.0, help="of eight cards' samples; 0: none")
    of_long.add_argument("--hours", type=float, default=8.0, help="simulated; 0: none")
    of_long.add_argument("--minutes", type=float, default=30.0, help="real; 0: none")
    of_long.set_defaults(play=long)
    of_disks = parts.add_parser("disks", help="a disk that fails at every write of a run")
    of_disks.set_defaults(play=play_disks)
    of_fuzz = parts.add_parser("fuzz", help="damaged files and answers through every reader")
    of_fuzz.add_argument("--inputs", type=int, default=100_000)
    of_fuzz.add_argument("--seed", type=int, default=1)
    of_fuzz.add_argument("--only", action="append", choices=list(READERS), help="one reader; repeatable")
    of_fuzz.add_argument(
        "--guided", action="store_true", help="keep inputs that reach new code (needs atheris)"
    )
    of_fuzz.add_argument("--seconds", type=int, default=120, help="of each reader, with --guided")
    of_fuzz.set_defaults(play=play_fuzz)
    given = parser.parse_args(arguments)
    status: int = given.play(given)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
