"""Joules of a window freed of what a counter's tick, or a part of its time, adds or takes away."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bench.core.energy import DomainEnergy
from bench.meters import edges, rests, sampling
from bench.meters.counter_checks import counter_anomaly
from bench.meters.gpu import Gpu
from bench.meters.metered_window import MeteredWindow
from bench.meters.publishing_delay import DelayTracker
from bench.meters.recorder import Recorder
from bench.meters.rests import CardAtRest, RestEnergy
from bench.meters.ticks import LOOK_BACK_S, usual_or_seen_tick_s

NO_EDGES = "the counter moved too seldom beside the work to find its readings at the edges"


@dataclass(frozen=True)
class TickRemoval:
    """Removal of a counter's tick from a card's joules, by the samples around a window's edges."""

    recorder: Recorder
    gpu: Gpu
    delays: DelayTracker

    def of(
        self,
        window: MeteredWindow,
        rests_ns: rests.Spans,
        curves: edges.EdgeCurves | None,
        work_end_ns: int,
    ) -> tuple[DomainEnergy, CardAtRest | None]:
        """The card's joules in a window, and what it drew in the rests inside where that can be measured.

        Its work ends at `work_end_ns`, which is before the window's end where it waits for other cards: with
        ticks of that wait a rest 100 to 200 ms before the work's end was up to 2.8 % of a block of 2 s wrong.
        """
        gpu = self.gpu
        plain = window.energy[gpu.domain]
        if plain.source != "counter":  # a reading that failed at an edge does not matter: ticks do not use it
            return plain, None
        from_ns = window.start_ns - round(LOOK_BACK_S * 1e9)
        tick_s = usual_or_seen_tick_s(self.recorder, gpu.index, from_ns, window.end_ns)
        around_ns = round((edges.room_s(tick_s) + self.delays.now.latest_s) * 1e9)
        first_ns, last_ns = window.start_ns - around_ns, window.end_ns + around_ns
        fault = counter_anomaly(self.recorder, gpu.index, first_ns, last_ns)
        if fault is not None:
            return plain.model_copy(update={"gross_j": None, "reason": fault}), None
        work_ns = rests.work_begins_ns(window.start_ns, rests_ns)
        refined = None if curves is None else edges.window_energy(curves, self.delays.now)
        if curves is None or refined is None or refined.energy_j <= 0:
            return self._plainly(plain, tick_s, window), None
        # A rest that opens the window is at the power before it: the step is where the work begins.
        opening_j = refined.before_w * (work_ns - window.start_ns) / 1e9
        inside_ns = rests_ns[1:] if work_ns > window.start_ns else rests_ns
        rested = rests.measured(
            self.recorder,
            gpu.index,
            inside_ns,
            curves.start.tick_s,
            self.delays.now,
            (work_ns, work_end_ns),
        )
        within = RestEnergy(rested.energy_j + opening_j, rested.u_j) if rested and rests_ns else None
        energy = DomainEnergy(
            gross_j=refined.energy_j + opening_j,
            source="counter-padded",
            kind="measured",
            plain_j=plain.gross_j,
            edge_u_j=refined.u_j,
            edge_common_u_j=refined.common_u_j,
        )
        return energy, CardAtRest(refined.resting_w, within, self.delays.stated())

    def _plainly(self, plain: DomainEnergy, tick_s: float, window: MeteredWindow) -> DomainEnergy:
        """The plain difference, where no grid of the counter is found: each edge is off by up to a tick.

        A counter that was not seen to move on both sides of the window gives nothing.
        """
        room_ns = round(edges.room_s(tick_s) * 1e9)
        moved = all(
            np.any(np.diff(self.recorder.fast(self.gpu.index, low_ns, low_ns + room_ns, "energy_j")[1]) > 0)
            for low_ns in (window.start_ns - room_ns, window.end_ns)
        )
        if plain.gross_j is None or not moved:
            return plain.model_copy(update={"gross_j": None, "plain_j": plain.gross_j, "reason": NO_EDGES})
        power_w, delay = plain.gross_j / max(window.seconds, tick_s), self.delays.now
        # A plain difference does not include the delay.
        common_j = power_w * (delay.seconds + delay.u_s + delay.scatter_s / 2)
        late_s = tick_s + (1 / sampling.FAST_HZ if window.steady else 0.0)  # a reading of then, or a sample
        u_j = math.hypot(math.sqrt(2 / 3) * power_w * late_s, common_j)
        uncertain = {"plain_j": plain.gross_j, "edge_u_j": u_j, "edge_common_u_j": common_j}
        return plain.model_copy(update=uncertain)


def in_proportion(energy: DomainEnergy, share: float) -> DomainEnergy:
    """An estimate for a part of its time: a model of power does not resolve time within it."""
    if energy.gross_j is None:
        return energy
    return energy.model_copy(update={"gross_j": energy.gross_j * share})
