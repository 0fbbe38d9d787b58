"""One question to the model hub, as a run asks it and as the doctor asks it.

    info = ask("bigscience/bloom-560m", "ac2ae5f...", timeout_s=10.0)     # raises EngineError

The hub is asked once, with a time limit, before the libraries start: they would retry each of a dozen files
for half a minute. A hub that asks for a pause (429) gets it, up to `LONGEST_WAIT_S` in all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from huggingface_hub import HfApi

from bench.engines.base import WeightsSpec
from bench.engines.hub_errors import hub_error, question_error, status_of, wait_asked_s

_log = logging.getLogger(__name__)
LONGEST_WAIT_S = 60.0
"""All pauses of one question together; the hub's own limits renew every five minutes."""
FIRST_WAIT_S = 5.0
"""The pause after a 429 without a `Retry-After`; each further one is twice as long."""


def ask(
    weights: WeightsSpec,
    timeout_s: float,
    *,
    patient: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> Any:
    """What the hub answers for a model at its revision: `sha`, `siblings`.

    Raises EngineError in the words of `hub_errors`. `patient` is whether to make the pauses that it asks for.
    """
    waited_s, pause_s = 0.0, FIRST_WAIT_S
    while True:
        try:
            return HfApi().model_info(str(weights.hub_id), revision=weights.revision, timeout=timeout_s)
        except Exception as error:
            asked_s = wait_asked_s(error)
            wait_s = pause_s if asked_s is None else max(1.0, asked_s)
            if not patient or status_of(error) != 429 or waited_s + wait_s > LONGEST_WAIT_S:
                raise hub_error(error, weights) or question_error(error, weights) from error
        _log.warning("The model hub answers 429 (too many requests): waiting %.0f s.", wait_s)
        sleep(wait_s)
        waited_s, pause_s = waited_s + wait_s, 2 * pause_s
