"""Waiting for cards to cool, so that every case, and every block of a pair, starts at about one temperature.

A hot chip leaks: the same work costs more joules on it. What a card can be brought to is what it was before
the run's first case; it is never warmed on purpose.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from bench.core.observed import StartConditions
from bench.meters.gpu import Gpu

CASE_BAND_K = 3.0
"""Between two cases."""
PAIR_BAND_K = 2.0
"""Between the blocks of a pair: what is compared must start alike."""
PAIR_LONGEST_S, QUICK_PAIR_LONGEST_S = 20.0, 5.0
"""Longest wait before one block of a pair, in all and where both sides are measured with `--quick`."""
LOOK_S = 0.5


def temperatures_c(gpus: Sequence[Gpu]) -> dict[str, float]:
    """Each card's temperature now, by UUID; a card that does not report it is left out."""
    seen = {gpu.uuid: gpu.snapshot().temperature_c for gpu in gpus}
    return {uuid: float(celsius) for uuid, celsius in seen.items() if celsius is not None}


def cool_down(
    gpus: Sequence[Gpu], wanted_c: Mapping[str, float], band_k: float, longest_s: float
) -> StartConditions:
    """Wait until no card is more than `band_k` above what is wanted, at most `longest_s`."""
    begun = time.monotonic()
    while True:
        now_c = temperatures_c(gpus)
        reached = all(now_c[uuid] <= wanted_c[uuid] + band_k for uuid in now_c if uuid in wanted_c)
        waited_s = time.monotonic() - begun
        if reached or waited_s >= longest_s:
            return StartConditions(temperature_c=now_c, waited_s=waited_s, within_band=reached)
        time.sleep(LOOK_S)
