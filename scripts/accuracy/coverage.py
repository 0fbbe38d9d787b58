"""Coverage of the 95 % interval, from recorded samples to the budget.

A case is a recording: rows as the sampler writes them, of a counter that is a formula (gain and offset drawn,
ticks, late samples, power that fades after work). Everything from there on is the project's own code: the
meters refines each window, blocks are built and judged, net is taken off, the budget is drawn up.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.catalog.cases import Case
from bench.core.block import Block, CodeCarbonTask
from bench.core.budget import Budget, Expanded
from bench.engines.base import OutputCheck
from bench.measurement import blocks
from bench.measurement.idle import IdlePower, combine
from bench.meters import sampling
from bench.meters.base import Reading, difference
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.meters.meter_set import MeterSet
from bench.meters.metered_window import MeteredWindow
from bench.meters.sample_buffer import ROW
from bench.stats import uncertainty
from bench.stats.budget.gains import GAIN_U, OFFSET_HALF_WIDTH
from bench.worker.messages import Batch, CheckedOutput
from bench.worker.producer import Produced
from tests.support.factory import record
from tests.support.metering import QuietCodeCarbon, Recorded

CARD = Gpu(0, "GPU-00000000-1111-2222-3333-444444444444", "NVIDIA L40S")
BUSY_W, IDLE_W, GLOW_W, GLOW_S = 300.0, 60.0, 40.0, 2.0
BLOCK_S, GAP_S, IDLE_S, ITEMS = 30.0, 4.0, 10.0, 20
"""Between two blocks lie the pads of both and the looking at outputs; before and after all, idle time."""
TRUE_J = BUSY_W * BLOCK_S / ITEMS
TRUE_NET_J = (BUSY_W - IDLE_W) * BLOCK_S / ITEMS
SAMPLED_LATE_S = 0.002
NO_TASK = CodeCarbonTask(duration_s=BLOCK_S, gpu_j=None, cpu_j=None, ram_j=None, carbon_g=None)


@dataclass(frozen=True)
class Shares:
    """The shares of cases whose interval held what it should, and their standard error at 95 %."""

    cases: int
    blocks: int
    invalid_blocks: int
    same_card: float
    absolute: float
    same_card_net: float
    absolute_net: float
    standard_error: float

    def lines(self) -> Iterator[str]:
        """As a table."""
        yield f"Coverage of the 95 % interval over {self.cases} recorded cases ({self.blocks} blocks, "
        yield f"{self.invalid_blocks} of them set aside); standard error {self.standard_error:.1%}\n"
        yield "| same card, gross | absolute, gross | same card, net | absolute, net |"
        yield "|---|---|---|---|"
        each = (self.same_card, self.absolute, self.same_card_net, self.absolute_net)
        yield "| " + " | ".join(f"{share:.1%}" for share in each) + " |"


class Recording:
    """A case on a card whose counter errs by the factor `error`, with blocks of `powers_w`, in the past."""

    def __init__(self, powers_w: NDArray[np.float64], error: float, rng: np.random.Generator) -> None:
        self._powers_w, self._error = powers_w, error
        gaps_s = GAP_S + rng.uniform(0, 0.5, len(powers_w))  # so that blocks begin at any moment of the tick
        self._starts_s = IDLE_S + np.cumsum(gaps_s + BLOCK_S) - BLOCK_S
        self._end_s = float(self._starts_s[-1]) + BLOCK_S + GAP_S + IDLE_S
        self._drift_w = rng.uniform(-2.0, 2.0) / self._end_s
        self._tick_s = rng.uniform(0.02, 0.12)
        self._tick_phase_s = rng.uniform(0, self._tick_s)
        self._origin_ns = time.monotonic_ns() - round((self._end_s + 60.0) * 1e9)
        self._rng = rng

    def true_j(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Energy from second 0; idle power drifts by up to 2 W from the first to the last second."""
        energy_j = IDLE_W * t_s + self._drift_w * t_s * (t_s - self._end_s) / 2
        for start_s, power_w in zip(self._starts_s, self._powers_w, strict=True):
            rested_s = np.clip(t_s - start_s - BLOCK_S, 0, GAP_S)
            energy_j = energy_j + (power_w - IDLE_W) * np.clip(t_s - start_s, 0, BLOCK_S)
            energy_j = energy_j + GLOW_W * GLOW_S * (1 - np.exp(-rested_s / GLOW_S))
        return energy_j

    def counter_j(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Reading of the card: as of its last tick, wrong by its gain, in whole millijoules."""
        ticks = np.floor((t_s - self._tick_phase_s) / self._tick_s)
        read_j = self._error * self.true_j(self._tick_phase_s + ticks * self._tick_s)
        return np.asarray(np.floor(1e3 * read_j) / 1e3)

    def rows(self) -> bytes:
        """Everything that the sampler would have written of it, at a phase of its own."""
        step_s = 1 / sampling.FAST_HZ
        grid_s = np.arange(self._rng.uniform(0, step_s), self._end_s, step_s)
        t_s = grid_s + self._rng.uniform(0, SAMPLED_LATE_S, len(grid_s))
        rows = np.zeros(len(t_s), dtype=ROW)
        rows["t_ns"], rows["kind"] = self._origin_ns + np.round(t_s * 1e9).astype(np.int64), sampling.FAST
        power_w = self._error * np.gradient(self.true_j(t_s), t_s)
        rows["value"] = np.stack(
            [self.counter_j(t_s), power_w, power_w, np.full(len(t_s), 1e-4), np.full(len(t_s), np.nan)],
            axis=1,
        )
        return rows.tobytes()

    def block_window(self, index: int) -> MeteredWindow:
        """A block from edge to edge."""
        start_s = float(self._starts_s[index])
        return self._window(start_s, start_s + BLOCK_S)

    def idle_window(self, *, after: bool) -> MeteredWindow:
        """A look at idle before all blocks, or after them."""
        start_s = self._end_s - IDLE_S if after else 0.0
        return self._window(start_s + IDLE_S / 10, start_s + IDLE_S)

    def _window(self, start_s: float, end_s: float) -> MeteredWindow:
        """The counter's plain difference between two moments, as the meters reads it at the edges."""
        edges_ns = [self._origin_ns + round(second * 1e9) for second in (start_s, end_s)]
        read_j = self.counter_j(np.array([start_s, end_s]))
        before, after = (Reading(t_ns, float(joules)) for t_ns, joules in zip(edges_ns, read_j, strict=True))
        plain = difference(before, after, "counter")
        return MeteredWindow(edges_ns[0], edges_ns[1], {CARD.domain: plain}, NO_TASK)


def covered(case: Case, cases: int, folder: Path, seed: int = 2312) -> Shares:
    """Draw a number of cases; `case` only sets what an item is (an image)."""
    rng = np.random.default_rng(seed)
    held = np.zeros(4)
    counted = invalid = 0
    with GpuDrivers() as drivers:
        for _ in range(cases):
            error = 1 + rng.normal(0, GAIN_U) + rng.uniform(-1, 1) * OFFSET_HALF_WIDTH
            spread, number = rng.uniform(0.005, 0.03), int(rng.integers(5, 13))
            recording = Recording(BUSY_W * (1 + rng.normal(0, spread, number)), error, rng)
            recorded = Recorded(folder / "samples.bin")
            recorded.path.write_bytes(recording.rows())
            meter_set = MeterSet(drivers, recorded, QuietCodeCarbon(), (CARD,))
            made = [_block(case, meter_set, recording.block_window(index)) for index in range(number)]
            counted, invalid = counted + number, invalid + sum(not block.valid for block in made)
            held += _held(_budgets(made, recording), error)
    same_card, absolute, same_card_net, absolute_net = (float(share) for share in held / cases)
    return Shares(
        cases=cases,
        blocks=counted,
        invalid_blocks=invalid,
        same_card=same_card,
        absolute=absolute,
        same_card_net=same_card_net,
        absolute_net=absolute_net,
        standard_error=math.sqrt(0.95 * 0.05 / cases),
    )


def _held(budgets: tuple[Budget, Budget], error: float) -> NDArray[np.bool_]:
    """Whether same card and absolute hold what they should, gross and net."""
    gross, net = budgets
    return np.array(
        [
            _holds(gross.same_card, TRUE_J * error),
            _holds(gross.absolute, TRUE_J),
            _holds(net.same_card, TRUE_NET_J * error),
            _holds(net.absolute, TRUE_NET_J),
        ]
    )


def _budgets(made: list[Block], recording: Recording) -> tuple[Budget, Budget]:
    """The blocks' budgets, gross and net, with the idle power that the recording shows."""
    idle = combine(_idle(recording.idle_window(after=False)), _idle(recording.idle_window(after=True)))
    idle_w = {domain: seen.power_w for domain, seen in idle.items() if seen.power_w is not None}
    netted = [blocks.with_net(block, idle_w) for block in made]
    machine = {"name": "simulated", "gpus": [{"uuid": CARD.uuid, "name": CARD.name}]}
    found = uncertainty.of(record(blocks=netted, idle=idle, machine=machine))
    assert found.gross is not None, found.absent
    assert found.net is not None, found.absent
    return found.gross, found.net


def _idle(window: MeteredWindow) -> IdlePower:
    idle_j = window.energy[CARD.domain].gross_j
    assert idle_j is not None, "the counter moves at idle"
    return IdlePower({CARD.domain: idle_j / window.seconds}, {}, {CARD.domain: "measured"}, {})


def _block(case: Case, meter_set: MeterSet, window: MeteredWindow) -> Block:
    refined = meter_set.remove_tick_error(window)
    assert refined.energy[CARD.domain].source == "counter-padded"
    observed = blocks.observe(meter_set.recorder, [CARD], refined)
    produced = Produced(window.start_ns, window.end_ns, (Batch(window.start_ns, window.end_ns, ITEMS, ()),))
    checked = CheckedOutput((OutputCheck(None, None, None, ()),), ())
    return blocks.build(case, refined, produced, checked, {}, observed, warmup=False)


def _holds(found: Expanded | None, truth: float) -> bool:
    return found is not None and found.low <= truth <= found.high
