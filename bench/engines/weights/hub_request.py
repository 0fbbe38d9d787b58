"""One question to the model hub, as a run asks it and as the doctor asks it.

    info = ask(weights, timeout_s=10.0)     # EngineError in the words of `hub_errors`

The hub is asked with a time limit before the libraries start: they would retry each of a dozen files for
half a minute. A hub that asks for a pause (429) gets it, up to `LONGEST_WAIT_S` in all. One that has trouble
of its own is asked again, up to `LONGEST_TROUBLE_S` later.
"""

from __future__ import annotations

from typing import Any

from huggingface_hub import HfApi

from bench.core.weights import Weights
from bench.engines.weights.hub_errors import hub_error, question_error
from bench.engines.weights.hub_use import Patience, bounded
from bench.errors import EngineError

LONGEST_WAIT_S = 60.0
"""All pauses of one question together; the hub's own limits renew every five minutes."""
LONGEST_TROUBLE_S = 15.0
"""All pauses after answers such as 503: of 1, 2, 4 and 8 s."""


def ask(weights: Weights, timeout_s: float, *, patient: bool = True) -> Any:
    """The hub's answer for a model at its revision: `sha`, `siblings`.

    Raises EngineError in the words of `hub_errors`. `patient` is whether to pause and ask again.
    """
    busy_s, trouble_s = (LONGEST_WAIT_S, LONGEST_TROUBLE_S) if patient else (0.0, 0.0)
    try:
        with bounded(Patience(busy_s, trouble_s, slow_s=timeout_s, reconnect=False)):
            return HfApi().model_info(str(weights.hub_id), revision=weights.revision, timeout=timeout_s)
    except EngineError:
        raise
    except Exception as error:
        raise hub_error(error, weights) or question_error(error, weights) from error
