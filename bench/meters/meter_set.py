"""The meters of one case, opened and closed together.

Slow calls go outside, sharp ones inside: CodeCarbon starts before and stops after NVML's counter is read,
so that its milliseconds never fall into our window.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from bench.core.energy import DomainEnergy
from bench.core.machine import SourceUsed
from bench.meters import edges, rests, sampling
from bench.meters.base import DomainMeter, unreadable
from bench.meters.codecarbon import CodeCarbon, cards_alone
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.meters.metered_window import MeteredWindow, OpenWindow, WindowEdges
from bench.meters.publishing_delay import DelayTracker
from bench.meters.recorder import Recorder
from bench.meters.refining import TickRemoval, in_proportion
from bench.meters.ticks import (
    LOOK_BACK_S,
    USUAL_TICK_S,
    counter_updates,
    seen_tick_s,
    usual_or_seen_tick_s,
)
from bench.meters.window_meters import EstimateMeter, GpuMeter, SourceMeter, unread

SLOWEST_TICK_S = 0.5
"""The slowest counter that a rest before a window is long enough for, while it was not seen to move."""
NOT_STARTED = "CodeCarbon's estimate begins once the model is loaded"
EVERY_CARD_TO_THE_END: Mapping[str, int] = MappingProxyType({})
"""Ends of work where all cards of a window work until it ends."""
SILENT_AT_MOST_S = 5.0
"""For how long a recorder that was held up is waited for after a window."""


class MeterSet:
    """Every meter of one case, in the order in which a window is opened."""

    def __init__(
        self,
        drivers: GpuDrivers,
        recorder: Recorder,
        codecarbon: CodeCarbon | None,
        gpus: tuple[Gpu, ...],
        delay_s: Mapping[str, float] | None = None,
        host_absent: str | None = None,
    ) -> None:
        """`delay_s` is each counter's publishing delay by the card's UUID, where it is known.

        Without `codecarbon` nothing is estimated, and windows are read off the samples (`sampled`). With a
        reason for `host_absent` cards alone are metered.
        """
        delay_by_domain = {gpu.domain: (delay_s or {}).get(gpu.uuid) for gpu in gpus}
        self._delays = {domain: DelayTracker(delay_s) for domain, delay_s in delay_by_domain.items()}
        self._others = SourceMeter(recorder)
        self._estimates = EstimateMeter(codecarbon, unread(self._others.domains) if codecarbon else ())
        self.gpu = GpuMeter(drivers, recorder, gpus)
        others = tuple(gpu for gpu in drivers.gpus if gpu not in gpus)
        self._neighbours = GpuMeter(drivers, recorder, others)
        self._meters: tuple[DomainMeter, ...] = (self._estimates, self._others, self.gpu)
        self.recorder = recorder
        self._host_absent = host_absent

    @property
    def domains(self) -> tuple[str, ...]:
        """All domains, GPUs first."""
        return tuple(domain for meter in reversed(self._meters) for domain in meter.domains)

    def _metered(self, energy: dict[str, DomainEnergy]) -> dict[str, DomainEnergy]:
        """Energy by domain without what is absent by `host_absent`."""
        if self._host_absent is None:
            return energy
        return {domain: each for domain, each in energy.items() if domain in self.gpu.domains}

    @property
    def absent(self) -> dict[str, str]:
        """Domains that cannot be read here, with reasons."""
        absent = {domain: reason for meter in self._meters for domain, reason in meter.absent.items()}
        if self._host_absent is None:
            return absent
        host = (*self._others.domains, *self._estimates.domains)
        return absent | dict.fromkeys(host, self._host_absent)

    @property
    def energy_sources(self) -> dict[str, SourceUsed]:
        """For the record: which source reads which domains, and what its gain may be off by."""
        cards = [(gpu.domain, gpu.facts.source, gpu.facts.gain) for gpu in self.gpu.gpus]
        others = [
            (domain, it.name, it.gain)
            for domain, it in self.recorder.source_domains.items()
            if self._host_absent is None
        ]
        read: dict[str, SourceUsed] = {}
        for domain, name, gain in (*cards, *others):
            read.setdefault(name, SourceUsed(domains=[], gain=gain)).domains.append(domain)
        return read

    def open(self) -> OpenWindow:
        """Begin a window: the slowest meter first, the sharpest last."""
        self._estimates.open()
        others_ns = self._others.open()
        counters = self.gpu.open()
        return OpenWindow(time.monotonic_ns(), others_ns, counters)

    def close(self, opened: OpenWindow, window_edges: WindowEdges | None = None) -> MeteredWindow:
        """End the window in the opposite order; last what waits for the recorder's next tick.

        Its edges are those of the meters, or those of the work between them. Of a steady stretch of the work
        everything is read off the recorder's samples, and estimates are taken in proportion to its time.
        """
        window_edges = window_edges or WindowEdges(opened.start_ns, time.monotonic_ns())
        energy = self.gpu.close(opened.counters)
        estimated = self._estimates.close(None)
        task = self._estimates.task
        assert task is not None, "set by close"
        others_ns = opened.others_ns
        if window_edges.steady:
            others_ns = window_edges.start_ns
            share = (window_edges.end_ns - window_edges.start_ns) / 1e9 / task.duration_s
            estimated = {domain: in_proportion(each, share) for domain, each in estimated.items()}
            energy = self.gpu.between(window_edges.start_ns, window_edges.end_ns)
        energy |= self._others.close(others_ns, window_edges.end_ns) | estimated
        energy |= self.gpu.examine(energy, window_edges.start_ns, window_edges.end_ns)
        if self._host_absent is not None:
            task = cards_alone(task, self._host_absent)
        start_ns, end_ns = window_edges.start_ns, window_edges.end_ns
        return MeteredWindow(start_ns, end_ns, self._metered(energy), task, window_edges.steady)

    def between(self, start_ns: int, end_ns: int) -> dict[str, DomainEnergy]:
        """Energy of every domain between two moments before now, read off the recorder's samples.

        For what began before it was known which cards to meter. Nothing was estimated then: CodeCarbon has to
        be started before the window.
        """
        cards = self.gpu.between(start_ns, end_ns)
        cards |= self.gpu.examine(cards, start_ns, end_ns)
        late = {
            domain: unreadable("codecarbon", NOT_STARTED, "estimated") for domain in self._estimates.domains
        }
        counted = {
            gpu.domain: self._with_tick_error(gpu, cards[gpu.domain], start_ns, end_ns)
            for gpu in self.gpu.gpus
        }
        return self._metered(counted | self._others.close(start_ns, end_ns) | late)

    def sampled(self, start_ns: int, end_ns: int) -> MeteredWindow:
        """A stretch of a load that goes on, between two moments before now, read off the samples alone."""
        energy = self.gpu.between(start_ns, end_ns)
        energy |= self.gpu.examine(energy, start_ns, end_ns)
        energy |= self._others.close(start_ns, end_ns)
        return MeteredWindow(start_ns, end_ns, self._metered(energy), None, steady=True)

    def neighbours(self, window: MeteredWindow) -> dict[Gpu, DomainEnergy]:
        """Energy of the machine's other cards over a window, read off the samples: it is in no sum."""
        if self._neighbours.gpus and not self.gpu.gpus:  # else the sampler was waited for before
            self.recorder.wait_past(window.end_ns, kind=sampling.FAST)
        cards = self._neighbours.read_off(window.start_ns, window.end_ns)
        return {gpu: self._from_updates(gpu, energy, window) for gpu, energy in cards.items()}

    def _from_updates(self, gpu: Gpu, energy: DomainEnergy, window: MeteredWindow) -> DomainEnergy:
        """Mean power between a counter's first and last update in a window, over its length.

        A plain difference lacks 20 ms: looks are rarer at a window's end, where no card is waited for.
        """
        if energy.gross_j is None or energy.source != "counter":
            return energy
        updates = counter_updates(self.recorder, gpu.index, window.start_ns, window.end_ns)
        if updates is None:
            return energy
        return energy.model_copy(update={"gross_j": updates.power_w * window.seconds})

    def _with_tick_error(self, gpu: Gpu, energy: DomainEnergy, start_ns: int, end_ns: int) -> DomainEnergy:
        """A counter's difference, with the uncertainty of two edges each up to a tick and a sample off."""
        if energy.gross_j is None or energy.source != "counter":
            return energy
        late_s = usual_or_seen_tick_s(self.recorder, gpu.index, start_ns, end_ns) + 1 / sampling.FAST_HZ
        power_w = energy.gross_j / max((end_ns - start_ns) / 1e9, late_s)
        return energy.model_copy(update={"edge_u_j": math.sqrt(2 / 3) * power_w * late_s})

    @property
    def margin_s(self) -> float:
        """For how long power has to be steady on either side of an edge inside a load."""
        return self._room_s() + self._late_s() if self.gpu.gpus else 0.0

    def settle_before(self) -> None:
        """Leave the cards alone long enough for a window that is free of the counter's tick.

        Where a counter's tick is not known yet, this is learnt now: it moves at rest, too.
        """
        if not self.gpu.gpus:
            return
        rested_s, late_s = 0.0, self._late_s()
        while (left_s := self._room_s() + late_s - rested_s) > 0:
            self.recorder.sample_fast(left_s + edges.FAST_PAST_START_S)
            time.sleep(min(left_s, edges.ROOM_S))
            rested_s += min(left_s, edges.ROOM_S)

    def learn(
        self, window: MeteredWindow, rests_ns: rests.Spans | rests.RestsByDomain = ()
    ) -> dict[str, edges.EdgeCurves | None]:
        """Learn the counters' delays from this window's start; return the curves around its edges.

        A start inside a steady load shows no rise, and so nothing of a delay.
        """
        curves = {}
        for gpu in self.gpu.gpus:
            own_ns = rests.of_domain(rests_ns, gpu.domain)
            work_ns = rests.work_begins_ns(window.start_ns, own_ns)
            edge_curves = edges.edge_curves(self.recorder, gpu.index, work_ns, window.end_ns)
            if edge_curves is not None and not window.steady:
                self._delays[gpu.domain].learn(
                    window.start_ns, edge_curves.observed_start, edge_curves.start.tick_s
                )
            curves[gpu.domain] = edge_curves
        return curves

    def remove_tick_error(
        self,
        window: MeteredWindow,
        rests_ns: rests.Spans | rests.RestsByDomain = (),
        work_ends_of: Mapping[str, int] = EVERY_CARD_TO_THE_END,
    ) -> MeteredWindow:
        """The window with its cards' joules freed of the counter's tick; sleeps until the room after it ends.

        The cards must have rested before the window and must be left alone now. What they drew in the rests
        inside the window is measured where the ticks allow that. `work_ends_of` has the domains whose work
        ended before the window did.
        """
        if not self.gpu.gpus:
            return window
        curves: dict[str, edges.EdgeCurves | None] = {}
        waited_for_s = -1.0
        while (late_s := self._late_s()) > waited_for_s:
            self._leave_alone(window.end_ns + round((self._room_s() + late_s) * 1e9))
            waited_for_s = late_s
            curves = self.learn(window, rests_ns)  # may find a later counter, which needs more room
        energy, at_rest = dict(window.energy), {}
        for gpu in self.gpu.gpus:
            removal = TickRemoval(self.recorder, gpu, self._delays[gpu.domain])
            own_ns = rests.of_domain(rests_ns, gpu.domain)
            work_end_ns = work_ends_of.get(gpu.domain, window.end_ns)
            refined, rested = removal.of(window, own_ns, curves[gpu.domain], work_end_ns)
            energy[gpu.domain] = refined
            if rested is not None:
                at_rest[gpu.domain] = rested
        return replace(window, energy=energy, at_rest=at_rest)

    def _leave_alone(self, until_ns: int) -> None:
        """Sleep until then, looking fast, and until the recorder has seen it."""
        wait_s = max(0.0, (until_ns - time.monotonic_ns()) / 1e9)
        self.recorder.sample_fast(wait_s)
        time.sleep(wait_s)
        counts = any(self.recorder.has_counted(gpu.index) for gpu in self.gpu.gpus)
        self.recorder.wait_past(until_ns, SILENT_AT_MOST_S if counts else 1.0, sampling.FAST)

    def _late_s(self) -> float:
        """Seconds by which the latest counter may lag behind."""
        return max(delays.longest_s for delays in self._delays.values())

    def _room_s(self) -> float:
        """Longest rest that a card needs; that of the slowest counter while a tick is unknown."""
        now_ns = time.monotonic_ns()
        begun_ns = now_ns - round(LOOK_BACK_S * 1e9)

        def longest_tick_s(gpu: Gpu) -> float:
            seen_s = seen_tick_s(self.recorder, gpu.index, begun_ns, now_ns)
            if seen_s is None:
                return SLOWEST_TICK_S if self.recorder.has_counted(gpu.index) else USUAL_TICK_S
            return seen_s

        return max(edges.room_s(longest_tick_s(gpu)) for gpu in self.gpu.gpus)
