"""Running joules since a moment, counted step by step from look to look.

    tally = RunningEnergy(recorder, gpus, time.monotonic_ns())
    while True:
        time.sleep(1)
        counted = tally.advance(time.monotonic_ns())
        print(counted["gpu:<uuid>"].energy_j)

A window has no joules before it ends. Here a domain's joules are the differences of its counter
between the moments at which it moved, where it is exact: no tick is lost, and what has been counted lags by a
tick at most. Each step is held against the rules of a window, so one that a window would refuse (the counter
was reset, jumped or stalled) adds no joules but lost seconds. Only the recorder's rows are read, and nothing
is waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from bench.core.energy import DomainKind
from bench.meters.counter_checks import counter_anomaly, source_anomaly
from bench.meters.gpu import Gpu
from bench.meters.recorder import Recorder
from bench.meters.window_meters import UNBROKEN

SILENT_S = 3.0
"""Time without a move of the counter after which a domain is reported as faulty."""
NO_POWER = "it has no energy counter, and its power readings had gaps or were 0 W"


@dataclass(frozen=True)
class DomainTotal:
    """One domain's joules since the tally began, in `seconds`; `None` until there are any.

    `lost_s` are seconds between that have no number; `reason` explains them, or why a number is absent (yet).
    `step_j` and `step_s` are what the last step added.
    """

    source: str
    kind: DomainKind
    energy_j: float | None = None
    seconds: float = 0.0
    lost_s: float = 0.0
    reason: str | None = None
    step_j: float = 0.0
    step_s: float = 0.0

    def plus(self, joules: float | None, seconds: float, reason: str | None = None) -> DomainTotal:
        """With one more step; without joules its seconds are lost, for the reason."""
        if joules is None:
            lost_s = self.lost_s + seconds
            return replace(self, lost_s=lost_s, reason=reason, step_j=0.0, step_s=0.0)
        return replace(
            self,
            energy_j=(self.energy_j or 0.0) + joules,
            seconds=self.seconds + seconds,
            reason=self.reason if self.lost_s else None,
            step_j=joules,
            step_s=seconds,
        )


class RunningEnergy:
    """The account of some cards, and of what other energy sources read."""

    def __init__(self, recorder: Recorder, gpus: Sequence[Gpu], since_ns: int) -> None:
        self._recorder = recorder
        self._gpus = tuple(gpus)
        self._since_ns = since_ns
        self._edges: dict[str, _Edge] = {}
        self._counted = {gpu.domain: DomainTotal("counter", "measured") for gpu in self._gpus}
        self._counted |= {
            domain: DomainTotal(facts.name, "measured") for domain, facts in recorder.source_domains.items()
        }

    def advance(self, now_ns: int) -> dict[str, DomainTotal]:
        """Count on to the last sample before `now_ns`; what there is by domain, cards first."""
        for gpu in self._gpus:
            if self._recorder.has_counted(gpu.index):
                self._count(gpu, now_ns)
            else:
                self._integrate(gpu, now_ns)
        for domain in self._recorder.source_domains:
            self._read(domain, now_ns)
        return dict(self._counted)

    def _count(self, gpu: Gpu, now_ns: int) -> None:
        begun = self._edges.get(gpu.domain)
        begun_ns = self._since_ns if begun is None else begun.t_ns
        moved_ns, energy_j = self._recorder.counter_curve(gpu.index, begun_ns, now_ns, margin_s=0.0)
        if not len(moved_ns):
            self._silent(gpu.domain, begun_ns, now_ns, "its counter has not moved")
            return
        begun = begun or _Edge(int(moved_ns[0]), float(energy_j[0]))  # it begins where the counter is exact
        end = _Edge(int(moved_ns[-1]), float(energy_j[-1]))
        fault = counter_anomaly(self._recorder, gpu.index, begun.t_ns, end.t_ns)
        self._step(gpu.domain, begun, end, fault)

    def _integrate(self, gpu: Gpu, now_ns: int) -> None:
        """For a card without a counter: its power, held from sample to sample."""
        begun = self._edges.get(gpu.domain, _Edge(self._since_ns, 0.0))
        joules = self._recorder.integrate_power(gpu.index, begun.t_ns, now_ns)
        self._counted[gpu.domain] = replace(self._counted[gpu.domain], source="power-integration")
        if joules is not None and joules > 0:
            self._step(gpu.domain, begun, _Edge(now_ns, begun.energy_j + joules), None)
        elif now_ns - begun.t_ns > SILENT_S * 1e9:
            self._step(gpu.domain, begun, _Edge(now_ns, begun.energy_j), NO_POWER)

    def _read(self, domain: str, now_ns: int) -> None:
        begun = self._edges.get(domain)
        begun_ns = self._since_ns if begun is None else begun.t_ns
        t_ns, energy_j = self._recorder.readings(domain, begun_ns, now_ns)
        moves = np.flatnonzero(np.diff(energy_j)) + 1
        needed = 2 if begun is None else 1  # the first of all is where it begins
        if len(moves) < needed:
            self._silent(domain, begun_ns, now_ns, "its counter has not moved")
            return
        begun = begun or _Edge(int(t_ns[moves[0]]), float(energy_j[moves[0]]))
        end = _Edge(int(t_ns[moves[-1]]), float(energy_j[moves[-1]]))
        whole = self._recorder.joules(domain, begun.t_ns, end.t_ns) is not None
        fault = source_anomaly(self._recorder, domain, begun.t_ns, end.t_ns) if whole else UNBROKEN
        self._step(domain, begun, end, fault)

    def _step(self, domain: str, begun: _Edge, end: _Edge, fault: str | None) -> None:
        self._edges[domain] = end
        if end.t_ns > begun.t_ns:
            joules = end.energy_j - begun.energy_j if fault is None else None
            self._counted[domain] = self._counted[domain].plus(joules, (end.t_ns - begun.t_ns) / 1e9, fault)

    def _silent(self, domain: str, begun_ns: int, now_ns: int, what: str) -> None:
        """Add nothing; report the reason once it has lasted. The seconds may still be counted later."""
        seconds = (now_ns - begun_ns) / 1e9
        reason = f"{what} for {seconds:.0f} s" if seconds > SILENT_S else self._counted[domain].reason
        self._counted[domain] = replace(self._counted[domain], reason=reason, step_j=0.0, step_s=0.0)


class _Edge(NamedTuple):
    """Time up to which a domain is counted, and its counter's reading then."""

    t_ns: int
    energy_j: float
