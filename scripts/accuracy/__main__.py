"""`python -m scripts.accuracy`: the contest, the coverage of the intervals, what metering costs.

In an environment with the extra `accuracy`; `scripts/bench-accuracy` makes it. Tables go to standard output.
Exit status 1 where a target is missed.
"""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click
import numpy as np

from bench.catalog import loading
from bench.catalog.cases import Case, Overrides, plan
from bench.meters.gpus import GpuDrivers
from bench.meters.recorder import Recorder
from bench.worker.dealiasing import Dealiasing
from scripts.accuracy.cards import GRID, IN_STEP_CARD, Card, arrange
from scripts.accuracy.cells import Results, summarised
from scripts.accuracy.contest import Contest, Outcome
from scripts.accuracy.coverage import covered
from scripts.accuracy.kept import Kept
from scripts.accuracy.meters import CodeCarbonTask, Ours, Poll, Zeus
from scripts.accuracy.moving import WANTED, WANTED_RECORDED, Moved, moved, moving_lines, moving_targets
from scripts.accuracy.overhead import overhead
from scripts.accuracy.replay import recorded, traces_folder
from scripts.accuracy.table import lines
from scripts.accuracy.targets import Target, target_lines, targets
from scripts.accuracy.waveforms import PERIOD_S, WAVEFORMS, in_step, shifted
from scripts.accuracy.waves import WAVES
from tests.standin import StandIn, build
from tests.support.main_job.running import CATALOGUE

PACKAGES = ("zeus", "codecarbon", "altair", "vl-convert-python")
SEED = 20260131
MOVING, RECORDED = "Power that moves around the work", "Recorded cards"
LIMITS = {MOVING: WANTED, RECORDED: WANTED_RECORDED}
COUNTERS = {
    "Power that moves, tick 20 ms": {"tick_s": 0.02},
    "Power that moves, tick 500 ms": {"tick_s": 0.5},
    "Power that moves, counter 50 ms late": {"delay_s": 0.05},
    "Power that moves, counter 200 ms late": {"delay_s": 0.2},
    "Power that moves, counter of a part-time sensor, tick 20 ms": {"tick_s": 0.02, "share": 0.25},
    "Power that moves, counter of a part-time sensor, tick 100 ms": {"share": 0.25},
}
"""Other counters on the same waves; the contest's own ones have a tick of 100 ms, no delay, and see all."""
WINDOW_PARTS = {"0.3s": 0.3, "1s": 1.0, "5s": 5.0, "30s": 30.0}
PARTS = ("moving", "recorded", "counters", *WINDOW_PARTS, "in-step", "coverage", "overhead")


@dataclass(frozen=True)
class Plan:
    """How much of everything: windows by length, windows in step, cases, rounds, draws a wave."""

    windows: dict[float, int]
    in_step_s: float
    in_step: int
    cases: int
    rounds: int
    draws: int
    counter_draws: int


FULL = Plan({0.3: 40, 1.0: 60, 5.0: 30, 30.0: 15}, 60.0, 3, cases=1000, rounds=30, draws=60, counter_draws=10)
QUICK = Plan({0.3: 4, 1.0: 6, 5.0: 2, 30.0: 1}, 60.0, 1, cases=200, rounds=6, draws=10, counter_draws=4)


@click.command()
@click.option("--quick", is_flag=True, help="Six minutes in place of an hour.")
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(PARTS),
    help="Only this part, may be repeated; with -o the others stay as accuracy.json has them.",
)
@click.option(
    "-o",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where accuracy.json, accuracy.png and accuracy.svg go; without it, only tables are printed.",
)
def main(*, quick: bool, parts: tuple[str, ...], folder: Path | None) -> None:
    """Hold this project, zeus, CodeCarbon and a 1 s poll of power against cards of known power."""
    _require_packages()
    parts = parts or PARTS
    before = Kept.read(folder) if folder is not None and parts != PARTS else Kept()
    with tempfile.TemporaryDirectory(prefix="joulebench-accuracy-") as scratch:
        found = _measured(QUICK if quick else FULL, parts, Path(scratch))
    kept = before.overlaid(found)
    results = Results(kept.cells)
    held = [
        target
        for title, limits in LIMITS.items()
        if title in kept.moving
        for target in moving_targets(kept.moving[title], title, limits)
    ]
    for title, those in kept.moving.items():
        print(*moving_lines(those, title, worst_only=title in COUNTERS), "", sep="\n")
    if results.complete:
        held += targets(results)
        print(*lines(results), sep="\n")
    print("\nTargets\n", *target_lines(held), sep="\n")
    for part in (kept.coverage, kept.overhead):
        if part is not None:
            print("", *part.lines(), sep="\n")
    if folder is not None:
        print("\nWritten:", *_write(kept, held, folder), file=sys.stderr)
    if any(target.met is False for target in held):
        sys.exit(1)


def _require_packages() -> None:
    for name in PACKAGES:
        try:
            version(name)
        except PackageNotFoundError:
            print(
                f"Error: {name} is not installed. Run scripts/bench-accuracy, which installs it.",
                file=sys.stderr,
            )
            sys.exit(2)


def _measured(wanted: Plan, parts: Sequence[str], scratch: Path) -> Kept:
    """The parts that were asked for; windows of several lengths in a random order."""
    standin = StandIn(build(scratch / "library"), scratch / "control", gpu_count=len(GRID))
    rng = np.random.default_rng(SEED)
    arrange(standin, GRID, rng)
    standin.attach()
    begun, found = time.monotonic(), Kept()
    try:
        if "coverage" in parts:
            _say(f"coverage, {wanted.cases} cases")
            found.coverage = covered(image_case(), wanted.cases, scratch)
        found.moving = dict(_moving(wanted, parts, scratch))
        found.cells = summarised(_contest(standin, wanted, parts, rng))
        if "overhead" in parts:
            _say(f"overhead, {wanted.rounds} rounds")
            standin.control.gpu_count = 1
            found.overhead = overhead(wanted.rounds)
    finally:
        standin.close()
    run = {
        "plan": asdict(wanted),
        "of": list(parts),
        "seconds": round(time.monotonic() - begun),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }
    found.runs = dict.fromkeys(parts, run)
    return found


def _moving(wanted: Plan, parts: Sequence[str], scratch: Path) -> Iterator[tuple[str, list[Moved]]]:
    """Waves of power around work, those of recorded cards where the recordings are, other counters."""
    rng = np.random.default_rng(SEED)
    if "moving" in parts:
        _say(f"power that moves, {wanted.draws} windows a wave and length")
        yield MOVING, list(moved(WAVES, wanted.draws, scratch, rng))
    folder = traces_folder()
    if "recorded" in parts and folder is None:
        _say("no recordings of real cards: that table is left out")
    elif "recorded" in parts and folder is not None:
        _say(f"recorded cards, {wanted.draws} windows a wave and length")
        yield RECORDED, list(moved(recorded(folder), wanted.draws, scratch, rng))
    for title, counter in COUNTERS.items() if "counters" in parts else ():
        _say(f"{title}, {wanted.counter_draws} windows a wave and length")
        those = moved(WAVES, wanted.counter_draws, scratch, rng, **counter)
        yield title, list(those)


def _contest(
    standin: StandIn, wanted: Plan, parts: Sequence[str], rng: np.random.Generator
) -> Iterator[tuple[Card, Outcome]]:
    """Windows of all lengths in a random order, then those in step with the sensor."""
    chosen_s = [seconds for name, seconds in WINDOW_PARTS.items() if name in parts]
    lengths_s = rng.permutation([seconds for seconds in chosen_s for _ in range(wanted.windows[seconds])])
    in_step_windows = wanted.in_step if "in-step" in parts else 0
    if not (len(lengths_s) or in_step_windows):
        return
    peers = Zeus(len(GRID)), CodeCarbonTask(len(GRID)), Poll(len(GRID))
    with GpuDrivers() as drivers, Recorder() as recorder:
        contest = Contest(standin, Ours(drivers, recorder), peers, rng)
        contest.window([WAVEFORMS[card.waveform](1.0, rng) for card in GRID])  # the first one is slower
        for number, seconds in enumerate(lengths_s):
            _say(f"window {number + 1} of {len(lengths_s)}, {seconds:g} s")
            outcomes = contest.window([WAVEFORMS[card.waveform](float(seconds), rng) for card in GRID])
            yield from ((GRID[outcome.card], outcome) for outcome in outcomes)
        for number in range(in_step_windows):
            _say(f"in step with the sensor, window {number + 1} of {in_step_windows}, {wanted.in_step_s:g} s")
            arrange(standin, [IN_STEP_CARD] * len(GRID), rng)
            yield from _stepped(contest, wanted.in_step_s)


def _stepped(contest: Contest, seconds: float) -> Iterator[tuple[Card, Outcome]]:
    """Every other card pauses between items and is ours; the rest works without a break and is the peers'."""
    paused = shifted(seconds, Dealiasing(PERIOD_S))
    works = [paused if index % 2 else in_step(paused.seconds) for index in range(len(GRID))]
    for outcome in contest.window(works):
        ours = outcome.meter == Ours.name
        if ours == bool(works[outcome.card].paused_s):
            yield IN_STEP_CARD, outcome


def image_case() -> Case:
    """A case whose items are images."""
    planned = plan(loading.load(CATALOGUE), ["tiny-stable-diffusion"], Overrides())
    return planned[0].case


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _write(kept: Kept, held: Sequence[Target], folder: Path) -> list[Path]:
    """The figures and, where there was a contest, its picture."""
    from scripts.accuracy.picture import draw

    return [kept.write(held, folder), *(draw(kept.cells, folder) if kept.cells else [])]


if __name__ == "__main__":
    main()
