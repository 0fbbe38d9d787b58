"""`python -m tests.accuracy`: the contest, the coverage of the intervals, what metering costs.

In an environment with the extra `accuracy`; `scripts/bench-accuracy` makes it. Tables go to standard output.
Exit status 1 where a target is missed.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
import numpy as np

from bench.catalog import loading
from bench.catalog.cases import Case, Overrides, plan
from bench.meters.nvml import Nvml
from bench.meters.recorder import Recorder
from bench.runner.shifting import Shift
from tests.accuracy.cards import GRID, IN_STEP_CARD, Card, arrange
from tests.accuracy.cells import Cell, Results, summarised
from tests.accuracy.contest import Contest, Outcome
from tests.accuracy.coverage import covered
from tests.accuracy.meters import CodeCarbonTask, Ours, Poll, Zeus
from tests.accuracy.moving import WANTED, WANTED_RECORDED, Moved, moved, moving_lines, moving_targets
from tests.accuracy.overhead import overhead
from tests.accuracy.replay import recorded, traces_folder
from tests.accuracy.table import lines
from tests.accuracy.targets import target_lines, targets
from tests.accuracy.waveforms import PERIOD_S, WAVEFORMS, in_step, shifted
from tests.accuracy.waves import WAVES
from tests.standin import StandIn, build

CATALOGUE = Path(__file__).parents[1] / "main_job" / "catalogue.yaml"
PACKAGES = ("zeus", "codecarbon", "altair", "vl-convert-python")
SEED = 20260131
MOVING, RECORDED = "Power that moves around the work", "Recorded cards"
LIMITS = {MOVING: WANTED, RECORDED: WANTED_RECORDED}


@dataclass(frozen=True)
class Plan:
    """How much of everything: windows by length, windows in step, cases, rounds, draws a wave."""

    windows: dict[float, int]
    in_step_s: float
    in_step: int
    cases: int
    rounds: int
    draws: int


FULL = Plan({0.3: 40, 1.0: 60, 5.0: 30, 30.0: 15}, in_step_s=60.0, in_step=3, cases=1000, rounds=30, draws=60)
QUICK = Plan({0.3: 4, 1.0: 6, 5.0: 2, 30.0: 1}, in_step_s=60.0, in_step=1, cases=200, rounds=6, draws=10)


@click.command()
@click.option("--quick", is_flag=True, help="Four minutes in place of half an hour.")
@click.option(
    "-o",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where accuracy.json, accuracy.png and accuracy.svg go; without it, only tables are printed.",
)
def main(*, quick: bool, folder: Path | None) -> None:
    """Hold this project, zeus, CodeCarbon and a 1 s poll of power against cards of known power."""
    _require_packages()
    wanted = QUICK if quick else FULL
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="joulebench-accuracy-") as scratch:
        found = _measured(wanted, Path(scratch))
    cells = summarised(found["outcomes"])
    results = Results(cells)
    moving: dict[str, list[Moved]] = found["moving"]
    held = [
        target for title, those in moving.items() for target in moving_targets(those, title, LIMITS[title])
    ]
    held += targets(results)
    for title, those in moving.items():
        print(*moving_lines(those, title), "", sep="\n")
    print(*lines(results), sep="\n")
    print("\nTargets\n", *target_lines(held), sep="\n")
    for part in (found["coverage"], found["overhead"]):
        print("", *part.lines(), sep="\n")
    if folder is not None:
        kept = {
            "plan": asdict(wanted),
            "seconds": round(time.monotonic() - begun),
            "python": platform.python_version(),
            "versions": {name: version(name) for name in PACKAGES},
            "targets": [asdict(target) for target in held],
            "moving": {title: [asdict(each) for each in those] for title, those in moving.items()},
            "coverage": asdict(found["coverage"]),
            "overhead": asdict(found["overhead"]),
        }
        print("\nWritten:", *_write(kept, cells, folder), file=sys.stderr)
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


def _measured(wanted: Plan, scratch: Path) -> dict[str, Any]:
    standin = StandIn(build(scratch / "library"), scratch / "control", gpu_count=len(GRID))
    rng = np.random.default_rng(SEED)
    arrange(standin, GRID, rng)
    standin.attach()
    try:
        _say(f"coverage, {wanted.cases} cases")
        coverage = covered(image_case(), wanted.cases, scratch)
        moving = _moving(wanted.draws, scratch)
        outcomes = list(_contest(standin, wanted, rng))
        _say(f"overhead, {wanted.rounds} rounds")
        standin.control.gpu_count = 1
        return {
            "coverage": coverage,
            "moving": moving,
            "outcomes": outcomes,
            "overhead": overhead(wanted.rounds),
        }
    finally:
        standin.close()


def _moving(draws: int, scratch: Path) -> dict[str, list[Moved]]:
    """Waves of power around work, and those of recorded cards where the recordings are."""
    _say(f"power that moves, {draws} windows a wave and length")
    rng = np.random.default_rng(SEED)
    found = {MOVING: list(moved(WAVES, draws, scratch, rng))}
    folder = traces_folder()
    if folder is None:
        _say("no recordings of real cards in ../shared/traces: that table is left out")
    else:
        found[RECORDED] = list(moved(recorded(folder), draws, scratch, rng))
    return found


def _contest(standin: StandIn, wanted: Plan, rng: np.random.Generator) -> Iterator[tuple[Card, Outcome]]:
    """Windows of all lengths in a random order, then those in step with the sensor."""
    lengths_s = rng.permutation([seconds for seconds, n in wanted.windows.items() for _ in range(n)])
    peers = Zeus(len(GRID)), CodeCarbonTask(len(GRID)), Poll(len(GRID))
    with Nvml() as nvml, Recorder() as recorder:
        contest = Contest(standin, Ours(nvml, recorder), peers, rng)
        contest.window([WAVEFORMS[card.waveform](1.0, rng) for card in GRID])  # the first one is slower
        for number, seconds in enumerate(lengths_s):
            _say(f"window {number + 1} of {len(lengths_s)}, {seconds:g} s")
            outcomes = contest.window([WAVEFORMS[card.waveform](float(seconds), rng) for card in GRID])
            yield from ((GRID[outcome.card], outcome) for outcome in outcomes)
        for number in range(wanted.in_step):
            _say(f"in step with the sensor, window {number + 1} of {wanted.in_step}, {wanted.in_step_s:g} s")
            arrange(standin, [IN_STEP_CARD] * len(GRID), rng)
            yield from _stepped(contest, wanted.in_step_s)


def _stepped(contest: Contest, seconds: float) -> Iterator[tuple[Card, Outcome]]:
    """Every other card pauses between items and is ours; the rest works without a break and is the peers'."""
    paused = shifted(seconds, Shift(PERIOD_S))
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


def _write(kept: dict[str, Any], cells: Sequence[Cell], folder: Path) -> list[Path]:
    """The figures, a cell a line, and the picture."""
    from tests.accuracy.picture import draw

    folder.mkdir(parents=True, exist_ok=True)
    head = [f" {json.dumps(name)}: {json.dumps(value)}," for name, value in kept.items()]
    body = ",\n".join(f"  {json.dumps(asdict(cell))}" for cell in cells)
    path = folder / "accuracy.json"
    path.write_text("{\n" + "\n".join(head) + f'\n "cells": [\n{body}\n ]\n}}\n', encoding="utf-8")
    return [path, *draw(cells, folder)]


if __name__ == "__main__":
    main()
