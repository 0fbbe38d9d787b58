"""What meters err by when power around the work moves: in simulated time, through the project's own rig.

Peers are simulated by what they do, which their sources show: zeus and CodeCarbon take the counter's plain
difference, the poll adds up power read once a second and at both edges (a mean over the last second).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.meters import sampling
from bench.meters.base import Reading, TaskReading, difference
from bench.meters.nvml import Gpu, Nvml
from bench.meters.rig import Rig, Window
from bench.meters.rows import ROW
from tests.accuracy.meters import OURS, POLL
from tests.accuracy.waves import ROOM_S, Counter, Floats, Scene, Wave
from tests.meters.helpers import QuietCodeCarbon, Recorded

PLAIN = "zeus, CodeCarbon (plain)"
CARD = Gpu(0, "GPU-00000000-1111-2222-3333-444444444444", "NVIDIA L40S", None)
LATE_S, MISSING = 0.003, 0.01
"""A sample is late by up to this; so many are missing."""
LENGTHS_S = (1.0, 5.0, 30.0)


@dataclass(frozen=True)
class Moved:
    """RMS errors of all meters, by name, on one wave in windows of one length."""

    wave: str
    seconds: float
    rms: Mapping[str, float]

    @property
    def ratio(self) -> float:
        """Ours over the best peer's: above 1 it is worse."""
        return self.rms[OURS] / min(rms for meter, rms in self.rms.items() if meter != OURS)


def errors(
    scene: Scene, counter: Counter, rig: Rig, rows: Recorded, rng: np.random.Generator
) -> dict[str, float]:
    """Relative errors of one window, by meter."""
    origin_ns = time.monotonic_ns() - round((scene.seconds + 2 * ROOM_S + 60.0) * 1e9)
    rows.path.write_bytes(_rows(scene, counter, origin_ns, rng))
    edges_s = np.array([0.0, scene.seconds])
    before, after = (
        Reading(origin_ns + round((ROOM_S + t) * 1e9), float(j))
        for t, j in zip(edges_s, counter.read_j(edges_s), strict=True)
    )
    plain = difference(before, after, "counter")
    task = TaskReading(scene.seconds, None, None, None, None)
    window = rig.refine(Window(before.t_ns, after.t_ns, {CARD.domain: plain}, task))
    found = {OURS: window.energy[CARD.domain].gross_j, PLAIN: plain.gross_j, POLL: _polled_j(scene)}
    return {meter: joules / scene.true_j - 1 for meter, joules in found.items() if joules is not None}


def _rows(scene: Scene, counter: Counter, origin_ns: int, rng: np.random.Generator) -> bytes:
    """What the sampler would have written."""
    grid_s = np.arange(
        -ROOM_S + rng.uniform(0, 1 / sampling.FAST_HZ), scene.seconds + ROOM_S, 1 / sampling.FAST_HZ
    )
    t_s = grid_s + rng.uniform(0, LATE_S, len(grid_s))
    t_s = t_s[rng.random(len(t_s)) >= MISSING]
    rows = np.zeros(len(t_s), dtype=ROW)
    rows["t_ns"], rows["kind"] = origin_ns + np.round((ROOM_S + t_s) * 1e9).astype(np.int64), sampling.FAST
    instant_w = (scene.power.energy_j(t_s) - scene.power.energy_j(t_s - 0.1)) / 0.1
    average_w = scene.power.energy_j(t_s) - scene.power.energy_j(t_s - 1.0)
    columns = [counter.read_j(t_s), instant_w, average_w, np.full(len(t_s), 1e-4), np.full(len(t_s), np.nan)]
    rows["value"] = np.stack(columns, axis=1)
    return rows.tobytes()


def _polled_j(scene: Scene) -> float:
    t_s = np.unique(np.append(np.arange(0.0, scene.seconds, 1.0), scene.seconds))
    average_w: Floats = scene.power.energy_j(t_s) - scene.power.energy_j(t_s - 1.0)
    return float(np.trapezoid(average_w, t_s))


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
    """RMS errors by wave and length; the counter's tick has any phase."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, wave in waves.items():
        for seconds in LENGTHS_S:
            each: dict[str, list[float]] = {}
            for _ in range(windows):
                scene = wave(seconds, rng)
                counter = Counter(scene.power, tick_s, rng.uniform(0, tick_s), delay_s, share)
                with Nvml() as nvml:
                    rows = Recorded(folder / "moving.bin")
                    rig = Rig(nvml, rows, QuietCodeCarbon(), (CARD,))
                    for meter, error in errors(scene, counter, rig, rows, rng).items():
                        each.setdefault(meter, []).append(error)
            yield Moved(name, seconds, {m: math.sqrt(float(np.mean(np.square(e)))) for m, e in each.items()})


def moving_lines(found: Sequence[Moved], title: str) -> Iterator[str]:
    """The worst case over waves first, then all of them, in %."""
    meters = list(found[0].rms)
    yield f"{title}: RMS error in %, worst case over waves\n"
    yield "| wave, window | " + " | ".join(meters) + " | ours : best peer |"
    yield "|---" * (len(meters) + 2) + "|"
    for seconds in LENGTHS_S:
        those = [each for each in found if each.seconds == seconds]
        worst = {meter: max(each.rms[meter] for each in those) for meter in meters}
        yield _row(f"**worst**, {seconds:g} s", worst, max(each.ratio for each in those))
    for each in found:
        yield _row(f"{each.wave}, {each.seconds:g} s", each.rms, each.ratio)


def _row(name: str, rms: Mapping[str, float], ratio: float) -> str:
    cells = [f"{100 * value:.3f}" for value in rms.values()]
    return "| " + " | ".join([name, *cells, f"{ratio:.2f}"]) + " |"
