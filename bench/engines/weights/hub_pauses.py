"""Pauses that the model hub asks for (HTTP status 429): made as asked, logged, and bounded.

    with pausing(longest_s=60.0):
        HfApi().model_info("bigscience/bloom-560m")

The hub's library by itself gives up at once on some requests, and on others waits in silence for as long as
it is asked to: five times an hour, if `Retry-After` asks for it. Here each pause is one warning in the log of
`bench.engines`, which a worker passes on to the terminal.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from huggingface_hub import set_client_factory
from huggingface_hub.utils._http import default_client_factory, hf_raise_for_status

from bench.engines.weights.hub_errors import pause_of

TOO_MANY_REQUESTS = 429
FIRST_PAUSE_S = 5.0
"""The pause after an answer that asks for none; each further one is twice as long."""

_log = logging.getLogger(__name__)


class Pauses:
    """The pauses of one use of the hub, of all its threads; what overlaps counts once."""

    def __init__(
        self,
        longest_s: float,
        sleep: Callable[[float], None] = time.sleep,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`longest_s`: seconds of all pauses together."""
        self._longest_s = longest_s
        self._sleep, self._now_s = sleep, now_s
        self._lock = threading.Lock()
        self._next_s = FIRST_PAUSE_S
        self._total_s = 0.0
        self._until_s = float("-inf")

    def make(self, asked_s: float | None) -> bool:
        """Sleep for as long as asked; `False`, at once, where all pauses would come to more than allowed."""
        with self._lock:
            now_s = self._now_s()
            under_way_s = self._until_s - now_s
            if asked_s is None and under_way_s > 0:  # another thread was asked to, and waits already
                pause_s = under_way_s
            else:
                pause_s = self._next_s if asked_s is None else max(1.0, asked_s)
                self._next_s *= 2 if asked_s is None else 1
            added_s = max(0.0, pause_s - max(0.0, under_way_s))
            if self._total_s + added_s > self._longest_s:
                return False
            self._total_s += added_s
            self._until_s = max(self._until_s, now_s + pause_s)
            if added_s >= 1.0:  # else another thread has announced this very pause
                _log.warning(
                    "The model hub answers 429 (too many requests): waiting %.0f s, at most %.0f s in all.",
                    pause_s,
                    self._longest_s,
                )
        self._sleep(pause_s)
        return True


@contextmanager
def pausing(longest_s: float, pauses: Pauses | None = None) -> Iterator[None]:
    """Make the pauses that the hub asks the library's client for, up to `longest_s` in all; then raise.

    What is raised is the library's own error for the answer (HfHubHTTPError).
    """
    made = pauses or Pauses(longest_s)
    set_client_factory(lambda: _client(made))
    try:
        yield
    finally:
        set_client_factory(default_client_factory)


def _client(pauses: Pauses) -> Any:
    """The library's HTTP client, which sends again after a pause. Its requests have no body to rewind."""
    client: Any = default_client_factory()
    send = client.send

    def patient(request: Any, **how: Any) -> Any:
        while True:
            response = send(request, **how)
            if response.status_code != TOO_MANY_REQUESTS:
                return response
            if not pauses.make(pause_of(response.headers)):
                response.read()
                hf_raise_for_status(response)
            response.close()

    client.send = patient
    return client
