"""Meters without their processes: rows of a recording that a test writes, and a quiet CodeCarbon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.core.arrays import Floats
from bench.core.block import CodeCarbonTask
from bench.meters import sampling
from bench.meters.codecarbon import CodeCarbon
from bench.meters.recorder import Recorder
from bench.meters.sample_buffer import SampleBuffer
from bench.meters.sources import rapl

MS = 1_000_000
S = 1000 * MS
NAN = float("nan")

NO_RAPL = {"cpu": "this machine offers no RAPL"}


def fast_row(
    t_ns: int,
    index: int = 0,
    energy_j: float = NAN,
    instant_w: float = NAN,
    average_w: float = NAN,
    call_s: float = 1e-4,
) -> bytes:
    """One fast row, as the sampler writes it."""
    return sampling.row(t_ns, sampling.FAST, index, energy_j, instant_w, average_w, call_s)


def source_row(t_ns: int, index: int, energy_j: float) -> bytes:
    """One RAPL row, as the sampler writes it."""
    return sampling.row(t_ns, sampling.SOURCE, index, energy_j)


def self_row(t_ns: int) -> bytes:
    """One row of the sampler's own cost."""
    return sampling.row(t_ns, sampling.SELF, 0, 0.1, 1.0, 0.0, 0.05)


def sampled_s(begin_s: float, end_s: float, hertz: float, rng: np.random.Generator) -> Floats:
    """Moments at which the sampler looks, of uneven spacing as it has it, from a random place in its row."""
    count = int((end_s - begin_s) * hertz) + 2
    late = sampling.UNEVEN * ((rng.integers(1000) + np.arange(count)) * sampling.GOLDEN % 1.0)
    if hertz == sampling.EDGE_HZ:  # each one waits from the one before; others keep to an even row
        t_s = begin_s + np.cumsum(1 + late) / hertz
    else:
        t_s = begin_s + (rng.random() + np.arange(count) + late) / hertz
    return np.asarray(t_s[t_s < end_s])


class Recorded(Recorder):
    """A recorder without a process: it reads the rows that a test writes."""

    def __init__(
        self,
        path: Path,
        source_domains: tuple[str, ...] = (),
        source_absent: dict[str, str] | None = None,
        *,
        alive: bool = False,
    ) -> None:
        self.path = path
        self._rows = SampleBuffer(path)
        self.source_domains = dict.fromkeys(source_domains, rapl.FACTS)
        self.source_absent = NO_RAPL if source_absent is None and not source_domains else source_absent or {}
        self._alive = alive

    @property
    def alive(self) -> bool:
        return self._alive

    def sample_fast(self, seconds: float) -> None:
        """There is no process to look faster."""

    def write(self, *rows: bytes) -> None:
        """Append rows, as one tick would."""
        with self.path.open("ab") as file:
            file.write(b"".join(rows))

    def close(self) -> None:
        """There is no process to end."""


class QuietCodeCarbon(CodeCarbon):
    """CodeCarbon with a fixed answer; `on_start` and `on_stop` are called when it is asked."""

    def __init__(
        self,
        reading: CodeCarbonTask | None = None,
        on_start: Callable[[], object] = lambda: None,
        on_stop: Callable[[], object] = lambda: None,
    ) -> None:
        self.reading = reading or CodeCarbonTask(
            duration_s=1.0,
            gpu_j=None,
            cpu_j=12.0,
            ram_j=3.0,
            carbon_g=0.5,
            absent={"gpu_j": "no GPU is metered"},
        )
        self.on_start, self.on_stop = on_start, on_stop

    def start(self) -> None:
        self.on_start()

    def stop(self) -> CodeCarbonTask:
        self.on_stop()
        return self.reading

    def close(self) -> None:
        """There is no tracker to stop."""
