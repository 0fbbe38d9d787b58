"""Two cases, or one case by the code of two checkouts, measured in turns for the ratio of their joules.

Both are loaded and warm all the time, so both must fit side by side, and idle is that of both together.
Blocks come in fours, ABBA or BAAB by chance; before each the cards cool to the coolest start there was.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Literal
from uuid import uuid4

from bench.catalog.cases import Planned
from bench.core.figures import Estimate
from bench.core.observed import StartConditions
from bench.core.repetition import Pair
from bench.machine import cooling
from bench.machine.gpu_processes import GpuProcesses
from bench.measurement.case_loading import loaded
from bench.measurement.case_state import CaseState
from bench.measurement.loaded_case import LoadedCase, setting
from bench.measurement.procedure import done
from bench.measurement.setup import RunSetup
from bench.stats import pairs
from bench.worker.checkouts import Checkout
from bench.worker.process import WorkerCode

PairSide = Literal["A", "B"]
OTHER: dict[PairSide, PairSide] = {"A": "B", "B": "A"}


class PairedMeasurement:
    """The procedure for two sides, A and B. `on_block` is called after each block with the side it was of.

    Without `checkouts` this program's own code does the work of both.
    """

    def __init__(
        self,
        planned: dict[PairSide, Planned],
        setup: RunSetup,
        on_block: Callable[[PairSide], None],
        checkouts: Mapping[PairSide, Checkout],
    ) -> None:
        self._planned = planned
        self._checkouts = checkouts
        self._setup = setup
        self._on_block = on_block
        self._target = min(setting(item.measure.target) for item in planned.values())
        self._seconds = sum(setting(item.measure.max_seconds) for item in planned.values())
        self.states: dict[PairSide, CaseState] = {
            side: CaseState(item.case) for side, item in planned.items()
        }
        self.ratio: Estimate | None = None
        """B over A so far."""
        self._id = uuid4().hex
        self._order = ""
        self._coolest_c: dict[str, float] = {}
        self._say()

    def measure(self) -> None:
        """Measure. Raises EngineError, MeterError or KeyboardInterrupt with `states` kept."""
        setup, a, b = self._setup, self.states["A"], self.states["B"]
        gpu_processes = GpuProcesses(setup.instruments.drivers.gpus, outside=setup.placement.device == "cpu")
        with (
            loaded(self._planned["A"], setup, gpu_processes, a, self._code("A")) as case_a,
            loaded(self._planned["B"], setup, gpu_processes, b, self._code("B")) as case_b,
        ):
            case_a.first_round()
            case_b.first_round()
            setup.stage("idle before")
            a.before = b.before = case_a.idle()
            case_a.warm_up()
            case_b.warm_up()
            self._repeat({"A": case_a, "B": case_b})
            setup.stage("idle after")
            a.after = b.after = case_a.idle()

    def _code(self, side: PairSide) -> WorkerCode | None:
        return self._checkouts[side].code if self._checkouts else None

    def _repeat(self, cases: dict[PairSide, LoadedCase]) -> None:
        begun = time.monotonic()
        for side in pairs.sides(random.Random()):
            if len(self._order) % 4 == 0 and len(self._order) >= 2 * pairs.LEAST:
                time_is_up = time.monotonic() - begun >= self._seconds
                if self._reached_target or time_is_up:
                    break
            self._setup.stage(f"measuring block {len(self._order) + 1}, {side}")
            cases[side].block(self._cooled())
            self._block_done(side)
        for state in self.states.values():
            state.ended_by = "target" if self._reached_target else "max_seconds"

    @property
    def _reached_target(self) -> bool:
        """Whether the ratio's interval is as narrow as was asked for, over pairs enough."""
        ratio = self.ratio
        if ratio is None or ratio.n < pairs.LEAST:
            return False
        return ratio.relative_half_width is not None and ratio.relative_half_width <= self._target

    def _cooled(self) -> StartConditions:
        """Wait until the cards are about as cool as at the coolest start so far, the first left aside.

        The first block begins after a look at idle, so cold that no later one could.
        """
        quick = all(item.measure.quick for item in self._planned.values())
        longest_s = cooling.QUICK_PAIR_LONGEST_S if quick else cooling.PAIR_LONGEST_S
        start = cooling.cool_down(self.states["A"].gpus, self._coolest_c, cooling.PAIR_BAND_K, longest_s)
        if self._order:
            coolest_c = self._coolest_c
            self._coolest_c = {
                uuid: min(celsius, coolest_c.get(uuid, celsius))
                for uuid, celsius in start.temperature_c.items()
            }
        return start

    def _block_done(self, side: PairSide) -> None:
        self._order += side
        self.ratio = pairs.ratio(self.states["A"].measured, self.states["B"].measured, self._order)
        self._say()
        self._setup.context.listener.block_done(done(self.states[side], pairs.LEAST, None))
        self._on_block(side)

    def _say(self) -> None:
        """Keep in both cases what is known of the pair."""
        for mine, state in self.states.items():
            other = self.states[OTHER[mine]].case
            at = f" at {self._checkouts[OTHER[mine]].title}" if self._checkouts else ""
            state.pair = Pair(
                side=mine,
                other=other.label + at,
                other_hash=other.as_mapping()["hash"],
                id=self._id,
                order=self._order,
                ratio=self.ratio,
            )
