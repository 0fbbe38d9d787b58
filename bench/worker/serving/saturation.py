"""Length of a saturated window, as the warm-up predicts it: one that is too short is not measured in vain.

require_long_enough(workload, answer_s=0.4)
"""

from __future__ import annotations

import math

from bench.core.workload import LEAST_SATURATED_S, Workload
from bench.errors import EngineError

CERTAINLY_SHORT = 0.7
"""Share of the shortest window below which a prediction is believed; answers scatter by less."""
SPARE = 1.3
"""Factor on the number of requests that is advised."""


def require_long_enough(workload: Workload, answer_s: float) -> None:
    """Raise EngineError where a server would not be full for long enough, by the time of an answer.

    The window begins with the load's first tokens and ends when one request more than the load is left.
    """
    load, requests = int(workload.load or 1), workload.requests or 0
    if answer_s <= 0:
        return
    per_s = load / answer_s
    predicted_s = (requests - load - 1) / per_s
    if predicted_s >= CERTAINLY_SHORT * LEAST_SATURATED_S:
        return
    enough = math.ceil(SPARE * LEAST_SATURATED_S * per_s) + load + 1
    raise EngineError(
        f"{requests} requests would keep the server full for about {predicted_s:.2g} s, "
        f"and a saturated window needs {LEAST_SATURATED_S:.0f} s.",
        f"Ask for more of them: --workload saturated:{load}:{enough}.",
        missing=True,
        stage="generate",
    )
