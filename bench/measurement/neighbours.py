"""The machine's cards that a case does not use, over one window: what they drew, and whether something ran.

observed.neighbours = neighbours(meter_set, window)     # by UUID; their joules are in no sum
"""

from __future__ import annotations

import numpy as np

from bench.core.observed import NeighbourObserved
from bench.meters.meter_set import MeterSet
from bench.meters.metered_window import MeteredWindow


def neighbours(meter_set: MeterSet, window: MeteredWindow) -> dict[str, NeighbourObserved]:
    """Each of them, by its UUID."""
    recorder, found = meter_set.recorder, {}
    for gpu, energy in meter_set.neighbours(window).items():
        _, busy = recorder.slow(gpu.index, window.start_ns, window.end_ns, "utilisation_percent")
        found[gpu.uuid] = NeighbourObserved(
            energy_j=energy.gross_j,
            source=energy.source,
            utilisation_percent=float(np.mean(busy)) if len(busy) else None,
            reason=energy.reason,
        )
    return found
