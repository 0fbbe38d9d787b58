"""Parts of `scripts/bench-torture`: each plays its trials, prints what it sees, and counts what it lost.

row = kill(given)                # PartTally("kill", tried=200, survived=200, lost=0, wall_s=2400)
print(summary([row]))            # the table over all parts
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, get_args

import pynvml

from scripts.faults.scenes import CODES
from scripts.faults.table import WRONG
from scripts.faults.table import rows as fault_rows
from scripts.torture import busy as windows
from scripts.torture import day, disks
from scripts.torture import long as hours
from scripts.torture.acts import ACTS
from scripts.torture.fuzz import Tally, fuzz
from scripts.torture.guided import EXPOSED, guided
from scripts.torture.kill import FaultKind, Outcome, Trial, play, trials
from tests.standin import build

ALL = "all together"


class PartTally(NamedTuple):
    """Trials of one part: faults, killed runs, failed writes, damaged inputs, windows, lengths of time."""

    name: str
    tried: int
    survived: int
    lost: int
    """Trials that broke a promise of docs/reliability.md."""
    wall_s: float


def summary(rows: Sequence[PartTally]) -> str:
    """The table over parts, with their sum."""
    whole = PartTally(
        ALL,
        sum(row.tried for row in rows),
        sum(row.survived for row in rows),
        sum(row.lost for row in rows),
        sum(row.wall_s for row in rows),
    )
    lines = [f"{'part':24}{'tried':>10}{'survived':>10}{'lost':>10}{'wall time':>12}"]
    lines += [
        f"{row.name:24}{row.tried:10}{row.survived:10}{row.lost:10}{row.wall_s:10.0f} s"
        for row in (*rows, whole)
    ]
    return "\n".join(lines)


def kill(given: argparse.Namespace) -> PartTally:
    """Play the trials and print each, then a table by act."""
    begun, outcomes = time.monotonic(), []
    for outcome in _played(
        trials(given.trials, given.seed, given.longest_s, given.only or tuple(ACTS)), given.at_once
    ):
        outcomes.append(outcome)
        print(outcome, flush=True)
    print(by_act(outcomes))
    survived = sum(not outcome.faults for outcome in outcomes)
    return _counted("kill", len(outcomes), len(outcomes) - survived, begun)


def _played(chosen: list[Trial], at_once: int) -> Iterator[Outcome]:
    """Play trials side by side, each in a folder of its own."""

    def each(trial: Trial) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="torture-") as folder:
            return play(trial, Path(folder))

    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(each, chosen)


def by_act(outcomes: list[Outcome]) -> str:
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
    return "\n".join(rows)


def long(given: argparse.Namespace) -> PartTally:
    """Play a day of samples, simulated hours and real minutes, and print what they took."""
    parts: dict[str, tuple[float, Callable[[Path], Iterator[str]]]] = {
        "a day of eight cards": (
            given.day_hours,
            lambda folder: day.play(folder, round(given.day_hours * 3600)),
        ),
        "simulated hours": (given.hours, lambda folder: hours.simulated(folder, given.hours)),
        "real minutes": (given.minutes, lambda folder: hours.real(folder, given.minutes)),
    }
    asked = {name: play_part for name, (length, play_part) in parts.items() if length}
    all_begun, lost = time.monotonic(), 0
    for name, play_part in asked.items():
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="torture-") as folder:
            try:
                for each in play_part(Path(folder)):
                    print(f"{name}: {each}", flush=True)
            except AssertionError as error:
                lost += 1
                print(f"{name}: BROKEN: {error}", flush=True)
        print(f"{name}: wall time {time.monotonic() - begun:.0f} s", flush=True)
    return _counted("long", len(asked), lost, all_begun)


def faults(given: argparse.Namespace) -> PartTally:
    """Let meters and processes fail in every way, and print how each run ended."""
    begun, outcomes = time.monotonic(), Counter[str]()
    codes = (pynvml.NVML_ERROR_UNKNOWN,) if given.one_code else CODES
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        for row in fault_rows(codes, Path(folder)):
            outcomes[row.outcome.partition(",")[0]] += 1
            print(row, flush=True)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    print(f"{outcomes.total()} scenes: {counts}; {outcomes[WRONG]} wrong endings")
    return _counted("faults", outcomes.total(), outcomes[WRONG], begun)


def disk(_given: argparse.Namespace) -> PartTally:
    """Let the disk fail at every write of a run, and print how each ended."""
    begun, tried, lost = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        folder = Path(name)
        library = build(folder / "library")
        for scene in disks.SCENES:
            endings: list[str] = []
            try:
                for ending in disks.endings(scene, library, folder):
                    endings.append(ending)
            except AssertionError as error:
                endings.append(f"BROKEN: {error}")
                lost += 1
            tried += len(endings)
            counts = ", ".join(f"{endings.count(each)} {each}" for each in dict.fromkeys(endings))
            print(f"{scene.fault:26} {len(endings)} writes: {counts}", flush=True)
    return _counted("disks", tried, lost, begun)


def fuzzing(given: argparse.Namespace) -> PartTally:
    """Put damaged files through every reader, and print the findings and a row a reader."""
    begun, findings = time.monotonic(), 0
    if given.guided:
        names = list(given.only or EXPOSED)
        for found in guided(names, given.seconds, given.seed, print):
            findings += 1
            print(found, flush=True)
        return _counted("fuzz, guided (readers)", len(names), findings, begun)
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        for finding in fuzz(given.inputs, given.seed, Path(folder), tallies, given.only):
            findings += 1
            print(finding, flush=True)
    print(f"{'reader':20} {'inputs':>8} {'read':>8} {'refused':>8} {'findings':>8}")
    for name, tally in tallies.items():
        print(f"{name:20} {tally.inputs:8} {tally.read:8} {tally.refused:8} {tally.findings:8}")
    print(f"memory at most {max(tally.peak_mb for tally in tallies.values()):.0f} MB")
    return _counted("fuzz", sum(tally.inputs for tally in tallies.values()), findings, begun)


def busy(given: argparse.Namespace) -> PartTally:
    """Measure windows beside busy loops, and print each with its interval and the truth."""
    begun, seen = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        for each in windows.play(Path(folder), given.windows, given.loops, given.seed):
            seen.append(each)
            print(each, flush=True)
    print("\n".join(windows.lines(seen)))
    return _counted("busy", len(seen), windows.lost(seen), begun)


def _counted(name: str, tried: int, lost: int, begun_s: float) -> PartTally:
    return PartTally(name, tried, tried - lost, lost, time.monotonic() - begun_s)
