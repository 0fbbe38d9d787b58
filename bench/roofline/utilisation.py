"""Utilisation of a device by a record's phases: bytes and operations over measured peaks.

    for row in utilisation(record, "bloom-7b1", peaks):
        row.phase, row.bandwidth_share, row.matrix_share, row.binds

A phase is bound by what would take longer at the device's peaks: moving its bytes, or doing its operations.
Its share of that limit is the time it would take there over the time that it took. The row `all` is whole
blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.compare.metrics import headline_domains
from bench.core.block import Block
from bench.core.energy import gross_over
from bench.core.peaks import DevicePeaks
from bench.core.record import Record
from bench.engines.roofline.demand import Demand
from bench.roofline.work import demands
from bench.stats.figures import counting

ALL = "all"


@dataclass(frozen=True)
class PhaseUtilisation:
    """One phase over all blocks that count. What is `None` has its reason in `absent`."""

    phase: str
    seconds: float
    batches: int
    demand: Demand | None
    joules: float | None
    bandwidth_share: float | None
    """Of the bandwidth that the device reaches."""
    matrix_share: float | None
    """Of the matrix rate that it reaches in the dtype of the case."""
    absent: tuple[str, ...] = ()

    @property
    def binds(self) -> str | None:
        """The nearer limit of the phase; it cannot be passed by any engine of this dtype and batch."""
        if self.bandwidth_share is None or self.matrix_share is None:
            return None
        return "bandwidth" if self.bandwidth_share >= self.matrix_share else "matrix rate"

    @property
    def joules_per_gb(self) -> float | None:
        """Joules for each GB that had to move."""
        return self.joules / (self.demand.bytes / 1e9) if self.joules and self.demand else None

    @property
    def joules_per_tflop(self) -> float | None:
        """Joules for each 10¹² operations that had to be done."""
        return self.joules / (self.demand.operations / 1e12) if self.joules and self.demand else None


def utilisation(record: Record, architecture: str | None, peaks: DevicePeaks | str) -> list[PhaseUtilisation]:
    """A row a phase and one for the whole; `peaks` may be the reason why there are none."""
    blocks = counting(record.blocks)
    wanted = demands(record, architecture, blocks)
    names = list(dict.fromkeys(name for block in blocks for name in block.phases))
    dtype = record.case.dtype
    rows = [_row(name, blocks, headline_domains(record), wanted.get(name), peaks, dtype) for name in names]
    if not rows:
        return []
    known = [row.demand for row in rows if row.demand is not None]
    whole = sum(known[1:], known[0]) if known else "no phase is known"
    return [*rows, _row(ALL, blocks, headline_domains(record), whole, peaks, dtype)]


def _row(
    name: str,
    blocks: Sequence[Block],
    domains: Sequence[str],
    demand: Demand | str | None,
    peaks: DevicePeaks | str,
    dtype: str,
) -> PhaseUtilisation:
    seconds, joules, reason = _spent(name, blocks, domains)
    absent = [] if reason is None else [f"joules: {reason}"]
    if not isinstance(demand, Demand):
        absent.append(f"bytes and operations: {demand or 'this phase is not counted'}")
        demand = None
    bandwidth_share = matrix_share = None
    if isinstance(peaks, str):
        absent.append(f"shares: {peaks}")
    elif demand is not None and seconds > 0:
        bandwidth_share = demand.bytes / seconds / (peaks.bandwidth_gb_per_s * 1e9)
        rate = peaks.matrix_tflops.get(dtype)
        if rate is None:
            absent.append(f"share of the matrix rate: {peaks.absent.get(dtype, 'not measured')}")
        else:
            matrix_share = demand.operations / seconds / (rate * 1e12)
    batches = sum(block.batches for block in blocks)
    return PhaseUtilisation(
        name, seconds, batches, demand, joules, bandwidth_share, matrix_share, tuple(absent)
    )


def _spent(
    name: str, blocks: Sequence[Block], domains: Sequence[str]
) -> tuple[float, float | None, str | None]:
    """Seconds and joules at the headline's scope; a reason where the joules are not known."""
    if name == ALL:
        seconds = sum(block.work_s for block in blocks)
        windows = [block.energy for block in blocks]
    else:
        phases = [block.phases[name] for block in blocks if name in block.phases]
        seconds = sum(phase.seconds for phase in phases)
        windows = [phase.energy for phase in phases]
    joules = gross_over(windows, domains)
    if joules is not None:
        return seconds, joules, None
    found = (window[domain] for window in windows for domain in domains if domain in window)
    said = next((each.reason for each in found if each.reason), None)
    return seconds, None, said or "joules of phases are read off a card's counter, and there is none for this"
