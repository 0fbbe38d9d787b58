"""What the tests share: recordings without a process, a quiet CodeCarbon, fresh interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from bench.meters import sampling
from bench.meters.base import TaskReading
from bench.meters.codecarbon import CodeCarbon
from bench.meters.recorder import Floats, Recorder
from bench.meters.rows import Rows
from bench.meters.sources import rapl
from tests.standin import StandIn

ROOT = Path(__file__).resolve().parents[2]
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
        self._rows = Rows(path)
        self.source_domains = dict.fromkeys(source_domains, rapl.FACTS)
        self.source_absent = NO_RAPL if source_absent is None and not source_domains else source_absent or {}
        self._alive = alive

    @property
    def alive(self) -> bool:
        return self._alive

    def hasten(self, seconds: float) -> None:
        """There is no process to look faster."""

    def write(self, *rows: bytes) -> None:
        """Append rows, as one tick would."""
        with self.path.open("ab") as file:
            file.write(b"".join(rows))

    def close(self) -> None:
        """There is no process to end."""


class QuietCodeCarbon(CodeCarbon):
    """CodeCarbon as the rig sees it, with a fixed answer; `on_start` and `on_stop` say when it was asked."""

    def __init__(
        self,
        reading: TaskReading | None = None,
        on_start: Callable[[], object] = lambda: None,
        on_stop: Callable[[], object] = lambda: None,
    ) -> None:
        self.reading = reading or TaskReading(1.0, None, 12.0, 3.0, 0.5, {"gpu_j": "no GPU is metered"})
        self.on_start, self.on_stop = on_start, on_stop

    def start(self) -> None:
        self.on_start()

    def stop(self) -> TaskReading:
        self.on_stop()
        return self.reading

    def close(self) -> None:
        """There is no tracker to stop."""


def run_python(
    standin: StandIn, code: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> tuple[str, str]:
    """Standard output and error of a fresh Python that finds the stand-in, with a clean environment."""
    clean = {name: value for name, value in os.environ.items() if not _steers_codecarbon(name)}
    clean |= standin.environment() | {"PYTHONPATH": str(ROOT), "HOME": str(cwd)} | dict(env or {})
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=clean,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def _steers_codecarbon(name: str) -> bool:
    return name.lower().startswith("codecarbon_") or name.startswith("SLURM_")


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Whether the condition came true in time; looked at every 10 ms."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
