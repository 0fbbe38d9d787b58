"""One question to the model hub, as a run asks it and as the doctor asks it.

    info = ask("bigscience/bloom-560m", "ac2ae5f...", timeout_s=10.0)     # raises EngineError

The hub is asked once, with a time limit, before the libraries start: they would retry each of a dozen files
for half a minute. A hub that asks for a pause (429) gets it, up to `LONGEST_WAIT_S` in all.
"""

from __future__ import annotations

from typing import Any

from huggingface_hub import HfApi

from bench.core.weights import Weights
from bench.engines.weights.hub_errors import hub_error, question_error
from bench.engines.weights.hub_pauses import pausing

LONGEST_WAIT_S = 60.0
"""All pauses of one question together; the hub's own limits renew every five minutes."""


def ask(weights: Weights, timeout_s: float, *, patient: bool = True) -> Any:
    """The hub's answer for a model at its revision: `sha`, `siblings`.

    Raises EngineError in the words of `hub_errors`. `patient` is whether to make the pauses that it asks for.
    """
    try:
        with pausing(LONGEST_WAIT_S if patient else 0.0):
            return HfApi().model_info(str(weights.hub_id), revision=weights.revision, timeout=timeout_s)
    except Exception as error:
        raise hub_error(error, weights) or question_error(error, weights) from error
