"""What meters err by when power around the work moves: in simulated time, through the project's own meters.

Peers are simulated by what they do, which their sources show: zeus and CodeCarbon take the counter's plain
difference, the poll adds up power read once a second and at both edges (a mean over the last second).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np
from scipy import integrate

from bench.core.arrays import Floats
from bench.core.block import CodeCarbonTask
from bench.meters import edges, sampling
from bench.meters.base import Reading, difference
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.meters.meter_set import MeterSet
from bench.meters.metered_window import MeteredWindow
from bench.meters.sample_buffer import ROW
from scripts.accuracy.meters import OURS, POLL
from scripts.accuracy.targets import Target
from scripts.accuracy.waves import ROOM_S, Counter, Scene, Wave
from tests.support.metering import QuietCodeCarbon, Recorded, sampled_s

PLAIN = "zeus, CodeCarbon (plain)"
CARD = Gpu(0, "GPU-00000000-1111-2222-3333-444444444444", "NVIDIA L40S")
LATE_S, MISSING = 0.003, 0.01
"""Largest delay of a sample, and the share of missing samples."""
WARM_UP = 6
"""Windows of 1 s that come first and do not count, as in a run: meters learn the delay from them."""
LENGTHS_S = (1.0, 5.0, 30.0)
WANTED = (0.01, 0.002, 0.0003)
WANTED_RECORDED = (0.003, 0.0006, 0.0001)
"""The largest RMS error over all waves, by length."""


@dataclass(frozen=True)
class Moved:
    """RMS errors of all meters on one wave in windows of one length; `absent` of them have none of ours."""

    wave: str
    seconds: float
    rms: Mapping[str, float]
    absent: int

    @property
    def ratio(self) -> float:
        """Ours over the best peer's: above 1 it is worse."""
        return self.rms[OURS] / min(rms for meter, rms in self.rms.items() if meter != OURS)


class Run:
    """Windows one after another on one card, in the past: the meters learns of its counter as in a run."""

    def __init__(self, drivers: GpuDrivers, path: Path, seconds: float, rng: np.random.Generator) -> None:
        path.write_bytes(b"")
        self._recorded = Recorded(path)
        self._meter_set = MeterSet(drivers, self._recorded, QuietCodeCarbon(), (CARD,))
        self._next_ns = time.monotonic_ns() - round(seconds * 1e9)
        self._counted_j = 0.0
        self._rng = rng

    def errors(self, scene: Scene, counter: Counter) -> dict[str, float | None]:
        """Relative errors of the next window, by meter; `None` where one gives no figure."""
        origin_ns = self._next_ns + round(ROOM_S * 1e9)
        self._next_ns = origin_ns + round((scene.seconds + ROOM_S + 1.0) * 1e9)
        self._recorded.write(self._rows(scene, counter, origin_ns))
        edges_s = np.array([0.0, scene.seconds])
        before, after = (
            Reading(origin_ns + round(t * 1e9), self._counted_j + float(j))
            for t, j in zip(edges_s, counter.read_j(edges_s), strict=True)
        )
        plain = difference(before, after, "counter")
        task = CodeCarbonTask(duration_s=scene.seconds, gpu_j=None, cpu_j=None, ram_j=None, carbon_g=None)
        window = self._meter_set.remove_tick_error(
            MeteredWindow(before.t_ns, after.t_ns, {CARD.domain: plain}, task)
        )
        self._counted_j += float(np.diff(counter.read_j(np.array([-ROOM_S, scene.seconds + ROOM_S])))[0])
        found = {OURS: window.energy[CARD.domain].gross_j, PLAIN: plain.gross_j, POLL: _polled_j(scene)}
        return {name: None if j is None else j / scene.true_j - 1 for name, j in found.items()}

    def _rows(self, scene: Scene, counter: Counter, origin_ns: int) -> bytes:
        """What the sampler would have written: slow looks, and fast ones where the meters asks for them."""
        room_s = edges.room_s(counter.tick_s) + counter.delay_s
        looks_s = [
            sampled_s(begin_s, end_s, hertz, self._rng)
            for begin_s, end_s, hertz in (
                (-ROOM_S, scene.seconds + ROOM_S, sampling.FAST_HZ),
                (-room_s, min(edges.FAST_PAST_START_S, scene.seconds), sampling.EDGE_HZ),
                (scene.seconds, scene.seconds + room_s, sampling.EDGE_HZ),
            )
        ]
        t_s = np.concatenate(looks_s)
        t_s = np.sort(t_s + self._rng.uniform(0, LATE_S, len(t_s)))
        t_s = t_s[self._rng.random(len(t_s)) >= MISSING]
        rows = np.zeros(len(t_s), dtype=ROW)
        rows["t_ns"], rows["kind"] = origin_ns + np.round(t_s * 1e9).astype(np.int64), sampling.FAST
        instant_w = (scene.power.energy_j(t_s) - scene.power.energy_j(t_s - 0.1)) / 0.1
        average_w = scene.power.energy_j(t_s) - scene.power.energy_j(t_s - 1.0)
        read_j = self._counted_j + counter.read_j(t_s)
        call_s, none = np.full(len(t_s), 1e-4), np.full(len(t_s), np.nan)
        rows["value"] = np.stack([read_j, instant_w, average_w, call_s, none], axis=1)
        return rows.tobytes()


def _polled_j(scene: Scene) -> float:
    t_s = np.unique(np.append(np.arange(0.0, scene.seconds, 1.0), scene.seconds))
    average_w: Floats = scene.power.energy_j(t_s) - scene.power.energy_j(t_s - 1.0)
    return float(integrate.trapezoid(average_w, t_s))


def moved(
    waves: Mapping[str, Wave],
    windows: int,
    folder: Path,
    rng: np.random.Generator,
    *,
    tick_s: float = 0.1,
    delay_s: float = 0.0,
    share: float = 1.0,
) -> Iterator[Moved]:
    """RMS errors by wave and length; the counter's tick and its sensor's looks have any phase.

    With a `share` below 1 the counter goes on with the power of the last look until the next.
    """
    for name, wave in waves.items():
        for seconds in LENGTHS_S:
            with GpuDrivers() as drivers:
                run = Run(
                    drivers, folder / "moving.bin", (windows + WARM_UP) * (seconds + 2 * ROOM_S + 1) + 60, rng
                )
                each: dict[str, list[float | None]] = {}
                for number in range(-WARM_UP, windows):
                    scene = wave(seconds if number >= 0 else 1.0, rng)
                    counter = Counter(scene.power, tick_s, rng.uniform(0, tick_s), delay_s)
                    if share < 1:
                        origin_s = counter.origin_s - rng.uniform(0, counter.period_s)
                        counter = replace(counter, share=share, holds=True, origin_s=origin_s)
                    errors = run.errors(scene, counter)
                    for meter, error in errors.items() if number >= 0 else ():
                        each.setdefault(meter, []).append(error)
            absent = sum(error is None for error in each[OURS])
            yield Moved(name, seconds, {meter: _rms(found) for meter, found in each.items()}, absent)


def _rms(found: Sequence[float | None]) -> float:
    known = [error**2 for error in found if error is not None]
    return math.sqrt(fmean(known)) if known else math.nan


def moving_targets(found: Sequence[Moved], title: str, wanted: Sequence[float]) -> Iterator[Target]:
    """The worst case over waves at each length, and that no wave has a better peer."""
    for seconds, limit in zip(LENGTHS_S, wanted, strict=True):
        worst = max((each for each in found if each.seconds == seconds), key=lambda each: each.rms[OURS])
        what = f"{title}, {seconds:g} s: worst RMS over waves at most {limit:.2%}"
        yield Target(what, f"{worst.rms[OURS]:.3%} ({worst.wave})", worst.rms[OURS] <= limit)
    worse = [f"{each.wave}, {each.seconds:g} s: {each.ratio:.2f}" for each in found if not each.ratio <= 1]
    yield Target(f"{title}: no wave has a better peer", "; ".join(worse) or "none has", not worse)
    absent = sum(each.absent for each in found)
    yield Target(f"{title}: a figure for every window", f"{absent} without", absent == 0)


def moving_lines(found: Sequence[Moved], title: str, *, worst_only: bool = False) -> Iterator[str]:
    """The worst case over waves first, then all of them, in %."""
    meters = list(found[0].rms)
    yield f"{title}: RMS error in %, worst case over waves\n"
    yield "| wave, window | " + " | ".join(meters) + " | ours : best peer |"
    yield "|---" * (len(meters) + 2) + "|"
    for seconds in LENGTHS_S:
        those = [each for each in found if each.seconds == seconds]
        worst = {meter: max(each.rms[meter] for each in those) for meter in meters}
        yield _row(f"**worst**, {seconds:g} s", worst, max(each.ratio for each in those))
    for each in () if worst_only else found:
        yield _row(f"{each.wave}, {each.seconds:g} s", each.rms, each.ratio)


def _row(name: str, rms: Mapping[str, float], ratio: float) -> str:
    cells = [f"{100 * value:.3f}" for value in rms.values()]
    return "| " + " | ".join([name, *cells, f"{ratio:.2f}"]) + " |"
