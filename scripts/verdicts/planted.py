"""Verdicts on a stand-in card whose joules are known: a regression of 10 %, none at all, and unlike cases.

Runs and comparisons are whole command lines; in place of a model there is work that sleeps, so that many go
on side by side, each with a card, locks and results of its own. Blocks spread by 1 % (20 generations a
block, each of other watts), and runs of one and the same thing shift by 0.3 %.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.verdicts.trials import Trial, compared, run
from tests.standin import StandIn
from tests.support.main_job.metered import BUSY_W, GPU_VARIABLE, IDLE_W, WORK_VARIABLE
from tests.support.main_job.running import CATALOGUE

WORK_S, SPREAD, SHIFT = 0.5, 0.045, 0.003
"""Seconds of a generation, the spread of its watts, and that of a run's mean."""
MORE = 1.10
GATE = ["--fail-on", "energy:5%"]
OPTIONS = ["--device", "cpu", "--block-seconds", "10", "--max-seconds", "90", "--target", "2%"]
"""In blocks of 2 s an interval is ±6 %, mostly since a card of this name may not see all of the time."""
UNLIKE = {
    "longer pages": (["--new-tokens", "64"], "options.new_tokens"),
    "another batch": (["--batch", "2"], "batch"),
    "another seed": (["--seed", "7"], "seed"),
    "another precision": (["--dtype", "bfloat16"], "dtype"),
    "another card": (["--gpus", "1"], "machine.card"),
}
"""What the second run is given, and a key that has to be named."""


@dataclass(frozen=True)
class Wanted:
    """One run on a card of its own: options, watts and seconds of a generation."""

    name: str
    watts: float
    seed: int
    seconds: float = WORK_S
    options: tuple[str, ...] = ()


class Cards:
    """Runs on stand-in cards, each in a folder below this one."""

    def __init__(self, library: Path, folder: Path, at_once: int) -> None:
        self._library = library
        self._folder = folder
        self._at_once = at_once

    def results(self, name: str) -> Path:
        """Where a run's records lie."""
        return self._folder / name / "results"

    def measure(self, wanted: list[Wanted]) -> None:
        """All of them, side by side."""
        with ThreadPoolExecutor(self._at_once) as pool:
            list(pool.map(self._run, wanted))

    def _run(self, wanted: Wanted) -> None:
        folder = self._folder / wanted.name
        (folder / "tmp").mkdir(parents=True)
        gpu = wanted.options[wanted.options.index("--gpus") + 1] if "--gpus" in wanted.options else "0"
        standin = StandIn(self._library, folder / "control")
        standin.load(int(gpu), standin.now_ns(), IDLE_W)
        variables = standin.environment() | {
            "TMPDIR": str(folder / "tmp"),
            GPU_VARIABLE: gpu,
            WORK_VARIABLE: f"{wanted.watts}:{SPREAD}:{wanted.seconds}:{wanted.seed}",
        }
        arguments = ["tiny-bloom", "--models", str(CATALOGUE), *OPTIONS, "--gpus", "0", *wanted.options]
        try:
            run(arguments, self.results(wanted.name), module="tests.support.main_job.metered", **variables)
        finally:
            standin.close()


def trials(cards: Cards, rounds: int, rng: np.random.Generator) -> Iterator[Trial]:
    """A base, the same again, and a head that takes 10 % more, by watts and by seconds in turns."""

    def drawn(name: str, factor: float = 1.0, seconds: float = WORK_S) -> Wanted:
        watts = BUSY_W * factor * (1 + SHIFT * rng.standard_normal())
        return Wanted(name, watts, int(rng.integers(2**31)), seconds)

    wanted = []
    for number in range(rounds):
        by_watts = number % 2 == 0
        wanted += [drawn(f"base{number}"), drawn(f"again{number}")]
        wanted += [
            drawn(f"head{number}", MORE) if by_watts else drawn(f"head{number}", seconds=MORE * WORK_S)
        ]
    cards.measure(wanted)
    for number in range(rounds):
        base, what = cards.results(f"base{number}"), "watts" if number % 2 == 0 else "seconds"
        yield from compared("equal", "the same again", base, cards.results(f"again{number}"), GATE)
        yield from compared("planted", f"10 % more {what}", base, cards.results(f"head{number}"), GATE)


def unlike(cards: Cards) -> Iterator[Trial]:
    """A base, and for each key a run that differs in it."""
    runs = [
        Wanted(f"unlike {name}", BUSY_W, 1, options=tuple(options)) for name, (options, _) in UNLIKE.items()
    ]
    cards.measure([Wanted("unlike base", BUSY_W, 1), *runs])
    for name in UNLIKE:
        yield from compared(
            "unlike", name, cards.results("unlike base"), cards.results(f"unlike {name}"), GATE
        )
