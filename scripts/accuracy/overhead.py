"""What metering costs the work: the same pages of text with the meters on and off, by turns.

A turn is half a second of generations of a tiny model on the CPU, where a recorder that took time would take
it from the work. On: the recorder's process runs, and a window of the meters with CodeCarbon is open in this
process. Off: the recorder is stopped, and no window is open. Turns come as on, off, off, on, so that a
machine that grows slower favours neither; a turn counts by its median, which other work disturbs least.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import psutil

from bench.catalog.prompts import prompts
from bench.core.modalities.text import TextOptions
from bench.core.weights import Weights
from bench.engines import create
from bench.engines.base import Engine, EngineSpec
from bench.meters.codecarbon import CodeCarbon
from bench.meters.gpus import GpuDrivers
from bench.meters.meter_set import MeterSet
from bench.meters.recorder import Recorder
from bench.stats.figures import estimate

TURN_S = 0.5
SPEC = EngineSpec(
    "tiny-bloom",
    Weights(kind="random", architecture="tiny-bloom"),
    TextOptions(new_tokens=48),
    "float32",
    1,
)


@dataclass(frozen=True)
class Overhead:
    """Time of the work with the meters on over that with them off, and the recorder's share of a core."""

    rounds: int
    ratio: float
    low: float
    high: float
    recorder_share: float

    def lines(self) -> Iterator[str]:
        """In words."""
        yield (
            f"Text generation with the meters on takes {self.ratio:.4f} times as long as with them off "
            f"(95 %: {self.low:.4f} to {self.high:.4f}, {self.rounds} rounds of on, off, off, on); "
            f"the recorder takes {self.recorder_share:.2%} of a core."
        )


def overhead(rounds: int, spec: EngineSpec = SPEC, turn_s: float = TURN_S, gpu: int = 0) -> Overhead:
    """Measure rounds of four turns, one card metered."""
    engine = create(spec)
    engine.load()
    codecarbon = CodeCarbon("USA", [gpu])
    try:
        with GpuDrivers() as drivers, Recorder() as recorder:
            meter_set = MeterSet(drivers, recorder, codecarbon, (drivers.gpus[gpu],))
            return Turns(engine, meter_set, psutil.Process(recorder.pid), turn_s).compared(rounds)
    finally:
        codecarbon.close()
        engine.unload()


class Turns:
    """Generations with the meters on and off; `sampler` is the recorder's process."""

    def __init__(self, engine: Engine, meter_set: MeterSet, sampler: psutil.Process, turn_s: float) -> None:
        self._engine, self._meter_set, self._sampler = engine, meter_set, sampler
        self._times = max(1, round(turn_s / _generation_s(engine, 10)))
        self._recorder_s, self._metered_s = 0.0, 0.0

    def compared(self, rounds: int) -> Overhead:
        """So many rounds of four turns."""
        logs = []
        for _ in range(rounds):
            on, off, off_again, on_again = self._on(), self._off(), self._off(), self._on()
            logs.append(math.log(on * on_again / (off * off_again)) / 2)
        found = estimate(logs)
        assert found.low is not None
        assert found.high is not None
        ratio, low, high = (math.exp(value) for value in (found.value, found.low, found.high))
        return Overhead(rounds, ratio, low, high, self._recorder_s / self._metered_s)

    def _on(self) -> float:
        begun, begun_cpu_s = time.perf_counter(), self._cpu_s()
        opened = self._meter_set.open()
        generation_s = _generation_s(self._engine, self._times)
        window = self._meter_set.close(opened)
        self._recorder_s += self._cpu_s() - begun_cpu_s
        self._metered_s += time.perf_counter() - begun
        (card,) = [energy for domain, energy in window.energy.items() if domain.startswith("gpu:")]
        assert card.gross_j, "the window was metered"
        return generation_s

    def _off(self) -> float:
        self._sampler.suspend()
        try:
            return _generation_s(self._engine, self._times)
        finally:
            self._sampler.resume()

    def _cpu_s(self) -> float:
        times = self._sampler.cpu_times()
        return float(times.user + times.system)


def _generation_s(engine: Engine, times: int) -> float:
    """Median over generations, which other work on the machine disturbs least."""
    texts = prompts("text").texts
    each_s = []
    for number in range(times):
        begun = time.perf_counter()
        engine.generate([texts[number % len(texts)]], seed=number)
        each_s.append(time.perf_counter() - begun)
    return median(each_s)
