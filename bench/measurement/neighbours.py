"""The machine's cards that a case does not use, over one window: what they drew, and whether something ran.

observed.neighbours = neighbours(meter_set, window, None)     # by UUID; their joules are in no sum
"""

from __future__ import annotations

import numpy as np

from bench.core.observed import NeighbourObserved
from bench.measurement.cases_beside import CasesBeside
from bench.meters.meter_set import MeterSet
from bench.meters.metered_window import MeteredWindow


def neighbours(
    meter_set: MeterSet, window: MeteredWindow, others: CasesBeside | None
) -> dict[str, NeighbourObserved]:
    """Each of them, by its UUID; with the case that had it, where that is one of the `others` of this run."""
    recorder, found = meter_set.recorder, {}
    for gpu, energy in meter_set.neighbours(window).items():
        _, busy = recorder.slow(gpu.index, window.start_ns, window.end_ns, "utilisation_percent")
        found[gpu.uuid] = NeighbourObserved(
            energy_j=energy.gross_j,
            source=energy.source,
            utilisation_percent=float(np.mean(busy)) if len(busy) else None,
            reason=energy.reason,
            used_by=others.card_user(gpu.uuid, window.start_ns, window.end_ns) if others else None,
        )
    return found
