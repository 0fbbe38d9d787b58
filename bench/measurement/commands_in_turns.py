"""Two commands measured in turns for the ratio of their joules.

    pair = CommandPair({"A": ["./old"], "B": ["./new"]}, CommandPairSettings(), listener)
    pair.measure().b.pair.ratio            # joules a run of B over A, with its 95 % interval

Each run is a window of `bench.Meter`, so the cards are left alone before and after it. Runs come in fours,
ABBA or BAAB by a seed; before each run the cards cool to the coolest start so far.
"""

from __future__ import annotations

import random
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from bench.core.energy_result import ComparedCommands, EnergyResult
from bench.core.figures import Estimate
from bench.core.repetition import Pair
from bench.errors import UsageError
from bench.machine import cooling
from bench.measurement.api import Meter
from bench.measurement.paired import OTHER, PairSide
from bench.stats import pairs

UNIT = "run"
STDERR = 2
"""The commands' stdout goes there: ours is for the result."""
ENDING_S = 5.0
"""Longest wait for a command that was asked to end."""


@dataclass(frozen=True, kw_only=True)
class CommandPairSettings:
    """Options of a caller. Without `runs`, at least six of each, until `target` or `max_seconds`."""

    runs: int | None = None
    warmup: int = 1
    gpus: str | None = None
    target: float = 0.02
    max_seconds: float = 600.0
    seed: int = 0
    results: Path = Path("results")


class CommandPair:
    """The procedure for two commands; `on_ratio` is called with runs so far and B over A, after each four."""

    def __init__(
        self,
        commands: Mapping[PairSide, Sequence[str]],
        settings: CommandPairSettings,
        on_ratio: Callable[[int, Estimate | None], None],
    ) -> None:
        self._commands = commands
        self._settings = settings
        self._on_ratio = on_ratio
        self._order = ""
        self._coolest_c: dict[str, float] = {}

    def measure(self) -> ComparedCommands:
        """Measure. Raises UsageError for a command that fails, or cannot be run."""
        names = {side: shlex.join(words) for side, words in self._commands.items()}
        settings = self._settings
        for _ in range(settings.warmup):
            for side in OTHER:
                self._run(side)
        with Meter(
            UNIT, name=names["A"], gpus=settings.gpus, idle_seconds=0, results=settings.results
        ) as meter_a:
            meters: dict[PairSide, Meter] = {"A": meter_a, "B": meter_a.beside(names["B"])}
            self._repeat(meters)
            return self._result(meters)

    def _repeat(self, meters: Mapping[PairSide, Meter]) -> None:
        begun = time.monotonic()
        for side in pairs.sides(random.Random(self._settings.seed)):
            if self._ends(meters, time.monotonic() - begun):
                return
            self._cool(meters[side])
            with meters[side].window(1):
                self._run(side)
            self._order += side

    def _ends(self, meters: Mapping[PairSide, Meter], spent_s: float) -> bool:
        """Whether there are enough runs: as many as were asked for, or as the ratio needs."""
        settings, done = self._settings, len(self._order)
        at_four = done > 0 and done % 4 == 0
        ratio = self._ratio(meters) if at_four else None
        if at_four:
            self._on_ratio(done, ratio)
        if settings.runs is not None:
            return done >= 2 * settings.runs
        if not at_four or done < 2 * pairs.LEAST:
            return False
        width = None if ratio is None else ratio.relative_half_width
        return spent_s >= settings.max_seconds or (width is not None and width <= settings.target)

    def _cool(self, meter: Meter) -> None:
        """Wait until the cards are about as cool as at the coolest start so far, the first left aside."""
        running = meter.running
        if running is None:
            return
        start = cooling.cool_down(
            running.gpus, self._coolest_c, cooling.PAIR_BAND_K, cooling.QUICK_PAIR_LONGEST_S
        )
        for uuid, celsius in start.temperature_c.items():
            self._coolest_c[uuid] = min(celsius, self._coolest_c.get(uuid, celsius))

    def _ratio(self, meters: Mapping[PairSide, Meter]) -> Estimate | None:
        a, b = (meters[side].result().blocks for side in OTHER)
        return pairs.ratio(a, b, self._order)

    def _result(self, meters: Mapping[PairSide, Meter]) -> ComparedCommands:
        """Both results, each with its part of the pair."""
        ratio, pair_id = self._ratio(meters), uuid4().hex
        plain = {side: meters[side].result() for side in OTHER}

        def paired(side: PairSide) -> EnergyResult:
            other = plain[OTHER[side]]
            pair = Pair(
                side=side,
                other=other.label,
                other_hash=other.work_key,
                id=pair_id,
                order=self._order,
                ratio=ratio,
            )
            return plain[side].model_copy(update={"pair": pair})

        return ComparedCommands(a=paired("A"), b=paired("B"))

    def _run(self, side: PairSide) -> None:
        """One run, without a shell and without stdin, which a second run would find empty."""
        words = self._commands[side]
        try:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=STDERR)
        except OSError as error:
            raise UsageError(f"{words[0]}: cannot be run: {error.strerror}.") from error
        try:
            status = child.wait()
        except BaseException:
            _end(child)
            raise
        if status:
            ending = f"with status {status}" if status > 0 else f"by signal {-status}"
            raise UsageError(
                f"Command {side} ended {ending}, after {len(self._order)} runs.", "Run it alone first."
            )


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a command that is still at work, after an interrupt."""
    child.terminate()
    try:
        child.wait(ENDING_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
