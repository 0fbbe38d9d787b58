"""Meters of each kind of domain over a window: cards' counters, other sources, CodeCarbon's estimates.

`bench.meters.meter_set` opens and closes them together. What misbehaved within a window gives no number, only
the reason.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np

from bench.core.block import CodeCarbonTask
from bench.core.domain import CPU_ESTIMATE, ESTIMATES, HOST_DEVICES, RAM_ESTIMATE, of_device
from bench.core.energy import DomainEnergy
from bench.meters import sampling
from bench.meters.base import Reading, difference, unreadable
from bench.meters.codecarbon import CodeCarbon
from bench.meters.counter_checks import counter_anomaly, source_anomaly
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.meters.recorder import FastValue, Recorder
from bench.meters.ticks import LOOK_BACK_S


class GpuMeter:
    """The energy counters of chosen cards; power integration where a card has no counter."""

    def __init__(self, drivers: GpuDrivers, recorder: Recorder, gpus: tuple[Gpu, ...]) -> None:
        self._recorder = recorder
        self.gpus = gpus
        self.absent: dict[str, str] = {} if gpus or not drivers.absent else {"gpu": drivers.absent}

    @property
    def domains(self) -> tuple[str, ...]:
        """`gpu:<uuid>` for each card."""
        return tuple(gpu.domain for gpu in self.gpus)

    def open(self) -> dict[str, Reading]:
        """Read every counter."""
        return {gpu.domain: gpu.read() for gpu in self.gpus}

    def close(self, opened: dict[str, Reading]) -> dict[str, DomainEnergy]:
        """Read every counter again."""
        readings = {gpu: gpu.read() for gpu in self.gpus}
        return {gpu.domain: _between(opened[gpu.domain], end) for gpu, end in readings.items()}

    def examine(self, energy: dict[str, DomainEnergy], start_ns: int, end_ns: int) -> dict[str, DomainEnergy]:
        """Result of `close`, checked by the recorder's samples; waits for the first one after the window.

        A counter that misbehaved in between gives no number. A card that never had one is integrated from its
        power; one whose counter fails for a while is not, so that all windows of a case are counted alike.
        """
        if self.gpus:
            self._recorder.wait_past(end_ns, kind=sampling.FAST)
        return {gpu.domain: self._examined(gpu, energy[gpu.domain], start_ns, end_ns) for gpu in self.gpus}

    def between(self, start_ns: int, end_ns: int) -> dict[str, DomainEnergy]:
        """The counters' differences between two moments that have passed, as the recorder's samples saw them.

        Each reading is up to a sample old, and up to a tick.
        """
        if self.gpus:
            self._recorder.wait_past(end_ns, kind=sampling.FAST)
        return {gpu.domain: self._sampled(gpu, start_ns, end_ns) for gpu in self.gpus}

    def read_off(self, start_ns: int, end_ns: int) -> dict[Gpu, DomainEnergy]:
        """Result of `between`, examined, by the samples that are there: nothing is waited for."""
        return {
            gpu: self._examined(gpu, self._sampled(gpu, start_ns, end_ns), start_ns, end_ns)
            for gpu in self.gpus
        }

    def _sampled(self, gpu: Gpu, start_ns: int, end_ns: int) -> DomainEnergy:
        margin_ns = round(LOOK_BACK_S * 1e9)
        t_ns, energy_j = self._recorder.fast(gpu.index, start_ns - margin_ns, end_ns, "energy_j")
        first = int(np.searchsorted(t_ns, start_ns, side="right")) - 1
        readings = [
            Reading(edge_ns, float(energy_j[at]) if at >= 0 else None, None if at >= 0 else NOT_SAMPLED)
            for edge_ns, at in ((start_ns, first), (end_ns, len(t_ns) - 1))
        ]
        return _between(*readings)

    def _examined(self, gpu: Gpu, energy: DomainEnergy, start_ns: int, end_ns: int) -> DomainEnergy:
        if energy.gross_j is not None:
            fault = counter_anomaly(self._recorder, gpu.index, start_ns, end_ns)
            return energy if fault is None else energy.model_copy(update={"gross_j": None, "reason": fault})
        if energy.source == "counter" or self._recorder.has_counted(gpu.index):
            return energy
        powers: tuple[FastValue, ...] = ("power_instant_w", "power_average_w")
        for power in powers:
            joules = self._recorder.integrate_power(gpu.index, start_ns, end_ns, (power,))
            if joules is None:
                if len(self._recorder.fast(gpu.index, start_ns, end_ns, power)[0]):
                    reason = f"{energy.reason}, and {POWER_GAPS}"
                    energy = energy.model_copy(update={"reason": reason})
                continue
            source = f"power-integration-{power.split('_')[1]}"
            if joules <= 0:
                return unreadable(source, "the card reports a power of 0 W")
            return DomainEnergy(gross_j=joules, source=source, kind="measured")
        return energy


def _between(before: Reading, after: Reading) -> DomainEnergy:
    """The counter's difference; if it cannot be read at an edge, the integral of power."""
    neither = before.energy_j is None and after.energy_j is None
    return difference(before, after, "power-integration" if neither else "counter")


NOT_SAMPLED = "its counter was not sampled before the edge"
POWER_GAPS = "its power could not be read throughout"
UNBROKEN = "the recorder did not see all of this window (unreadable, reset, or unseen for too long)"


class SourceMeter:
    """Every energy source but the cards' counters, from the recorder's accumulated samples."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.absent = recorder.source_absent

    @property
    def domains(self) -> tuple[str, ...]:
        """`cpu:package-0`, `dram:0`, `wall:rack`, ..."""
        return tuple(self._recorder.source_domains)

    def open(self) -> int:
        """The moment now; the samples around it are there anyway."""
        return time.monotonic_ns()

    def close(self, opened: int, end_ns: int | None = None) -> dict[str, DomainEnergy]:
        """Energy between then and `end_ns` (now, where it is not given)."""
        end_ns = time.monotonic_ns() if end_ns is None else end_ns
        for number, facts in enumerate(self._recorder.source_domains.values()):
            next_ns = end_ns + round(facts.tick_s * 1e9)  # it will have moved by then
            self._recorder.wait_past(next_ns, max(1.0, 3 * facts.tick_s), sampling.SOURCE, number)
        return {domain: self._between(domain, opened, end_ns) for domain in self.domains}

    def _between(self, domain: str, start_ns: int, end_ns: int) -> DomainEnergy:
        source = self._recorder.source_domains[domain].name
        joules = self._recorder.joules(domain, start_ns, end_ns)
        if joules is None:
            return unreadable(source, UNBROKEN)
        if joules <= 0:
            return unreadable(source, "the counter did not move")
        fault = source_anomaly(self._recorder, domain, start_ns, end_ns)
        if fault is not None:
            return unreadable(source, fault)
        return DomainEnergy(gross_j=joules, source=source, kind="measured")


class EstimateMeter:
    """CodeCarbon's estimates for what no meter reads: `cpu-estimate` and `ram-estimate`."""

    def __init__(self, codecarbon: CodeCarbon | None, domains: tuple[str, ...]) -> None:
        self._codecarbon = codecarbon
        self.domains = domains
        self.absent: dict[str, str] = {}
        self.task: CodeCarbonTask | None = None

    def open(self) -> None:
        """Begin a CodeCarbon task."""
        assert self._codecarbon is not None, "windows without it are read off the samples"
        self._codecarbon.start()

    def close(self, _opened: None) -> dict[str, DomainEnergy]:
        """End the task; its whole reading stays in `task`."""
        assert self._codecarbon is not None, "opened with it"
        self.task = task = self._codecarbon.stop()
        values = {CPU_ESTIMATE: ("cpu_j", task.cpu_j), RAM_ESTIMATE: ("ram_j", task.ram_j)}
        return {
            domain: DomainEnergy(
                gross_j=joules, source="codecarbon", kind="estimated", reason=task.absent.get(key)
            )
            for domain, (key, joules) in values.items()
            if domain in self.domains
        }


def unread(domains: Iterable[str]) -> tuple[str, ...]:
    """Domains to estimate because no source reads them."""
    listed = list(domains)
    return tuple(ESTIMATES[device] for device in HOST_DEVICES if not of_device(listed, device))
