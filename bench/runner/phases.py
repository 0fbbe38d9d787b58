"""Seconds and joules of each phase of a block: prefill and decode; text encoder, denoising, VAE.

The engine stamps the edges; the joules are read off the energy counter's curve as the recorder saw it.
A phase shorter than a few ticks of the counter has no joules of its own, only a reason.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.meters.nvml import Gpu
from bench.meters.recorder import Recorder
from bench.records.schema import DomainEnergy, Phase
from bench.runner.messages import Produced

MIN_TICKS = 3.0
"""Below this many ticks of the counter, the energy inside a phase is mostly its neighbours'."""

Spans = list[tuple[int, int]]


def phases(recorder: Recorder, gpus: Sequence[Gpu], produced: Produced) -> dict[str, Phase]:
    """Every phase of the batches just made, summed over them."""
    spans: dict[str, Spans] = {}
    for batch in produced.batches:
        for phase in batch.phases:
            spans.setdefault(phase.name, []).append((phase.start_ns, phase.end_ns))
    return {
        name: Phase(
            seconds=sum(end - start for start, end in pairs) / 1e9,
            count=len(pairs),
            energy={gpu.domain: _energy(recorder, gpu, pairs) for gpu in gpus},
        )
        for name, pairs in spans.items()
    }


def _energy(recorder: Recorder, gpu: Gpu, spans: Spans) -> DomainEnergy:
    t_ns, energy_j = recorder.counter_curve(gpu.index, spans[0][0], spans[-1][1])
    edges = np.asarray(spans, dtype=np.float64)
    reason = None
    if len(t_ns) < 3 or t_ns[0] > edges[0, 0] or t_ns[-1] < edges[-1, 1]:
        reason = "the counter moved too seldom around this phase"
    else:
        tick_ns = float(np.median(np.diff(t_ns)))
        mean_ns = float(np.mean(edges[:, 1] - edges[:, 0]))
        if mean_ns < MIN_TICKS * tick_ns:
            length, tick = mean_ns / 1e6, tick_ns / 1e6
            reason = f"a phase of {length:.0f} ms is too short for a counter that moves every {tick:.0f} ms"
    if reason is not None:
        return DomainEnergy(gross_j=None, source="counter-curve", kind="measured", reason=reason)
    at = np.interp(edges, t_ns.astype(np.float64), energy_j)
    joules = float(np.sum(at[:, 1] - at[:, 0]))
    return DomainEnergy(gross_j=joules, source="counter-curve", kind="measured")
