"""One use of the hub by its library, with an end: pauses, broken downloads and slow ones are bounded.

    with bounded(Patience(busy_s=330.0, trouble_s=60.0, slow_s=60.0)):
        AutoModel.from_pretrained("bigscience/bloom-560m")

The hub's library by itself waits in silence for as long as `Retry-After` asks, five times a file. It fetches
a file anew without end where each try breaks off, and takes one byte every nine seconds for progress.

A hub that has failed for one file is not asked for the next: transformers goes on without optional files,
such as the settings of generation, and would make other output. A refusal of the hub is the error that is
raised, and not the library's own for what is missing then.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from huggingface_hub import set_client_factory
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils._http import default_client_factory, hf_raise_for_status

from bench.engines.weights.hub_causes import is_of_client, pause_of
from bench.engines.weights.hub_pauses import Pauses
from bench.errors import EngineError

TOO_MANY_REQUESTS = 429
TROUBLE = (408, 500, 502, 503, 504)
"""Statuses that may be others a moment later."""
REFUSED = (401, 403)
LOST_CONNECTION = ("TimeoutException", "NetworkError", "RemoteProtocolError")
FIRST_TROUBLE_PAUSE_S = 1.0
SLOWEST_BYTES_PER_S = 1000
MOST_BREAKS = 5
"""Tries of one file that may break off with less than `FAR_BYTES` each."""
FAR_BYTES = 1_000_000


@dataclass(frozen=True)
class Patience:
    """Seconds that one use of the hub may wait.

    `busy_s`: all pauses after 429; `trouble_s`: all pauses after other failures, 0 for none; `slow_s`: how
    long a body may arrive at less than `SLOWEST_BYTES_PER_S`.
    """

    busy_s: float
    trouble_s: float
    slow_s: float
    reconnect: bool = True
    """Whether to ask again after a connection failed, and not after a bad answer alone."""


class HubUse:
    """What one use of the hub waited for so far, and what it failed of; safe to use from several threads."""

    def __init__(self, patience: Patience, busy: Pauses | None = None) -> None:
        self._patience = patience
        self._busy = busy or Pauses(patience.busy_s)
        self._trouble = Pauses(patience.trouble_s, first_s=FIRST_TROUBLE_PAUSE_S)
        self._lock = threading.Lock()
        self._breaks: Counter[str] = Counter()
        self.given_up: Exception | None = None
        """The failure after which the hub was not asked again."""
        self.refused: Exception | None = None
        """The last refusal of a file; mirrors refuse some that a model can do without."""

    def client(self) -> Any:
        """The library's HTTP client within these bounds. Its requests have no body to rewind."""
        client: Any = default_client_factory()
        send = client.send
        client.send = lambda request, **how: self._send(send, request, **how)
        hooks = client.event_hooks
        client.event_hooks = {**hooks, "response": [*hooks.get("response", ()), self._bound_body]}
        return client

    def _send(self, send: Callable[..., Any], request: Any, **how: Any) -> Any:
        while True:
            if self.given_up is not None:
                raise self.given_up
            try:
                response = send(request, **how)
            except Exception as error:
                if not is_of_client(error, *LOST_CONNECTION):
                    raise
                if not self._patience.reconnect or not self._trouble.make(None, "does not answer"):
                    # The library waits and asks again after its client's own errors, and not after this one.
                    raise self._give_up(ConnectionError(str(error))) from error
                continue
            if not self._pause_after(response):
                return response
            response.close()

    def _pause_after(self, response: Any) -> bool:
        """Whether to ask again, after the pause that the answer needs. Raises where that is too long."""
        status, asked_s = response.status_code, pause_of(response.headers)
        if status == TOO_MANY_REQUESTS:
            again = self._busy.make(asked_s, f"answers {status} (too many requests)")
        elif status in TROUBLE:
            again = self._trouble.make(asked_s, f"answers {status} (trouble of its own)")
        else:
            if status in REFUSED and "/api/models/" not in response.request.url.path:
                self.refused = _error_of(response)
            return False
        if not again:
            raise self._give_up(_error_of(response))
        return True

    def _give_up(self, error: Exception) -> Exception:
        self.given_up = self.given_up or error
        return self.given_up

    def _bound_body(self, response: Any) -> None:
        raw = response.iter_raw
        response.iter_raw = lambda chunk_size=None: self._pieces(raw(chunk_size), response)

    def _pieces(self, pieces: Iterator[bytes], response: Any) -> Iterator[bytes]:
        """The body as it arrives. Raises EngineError for one that is too slow, or breaks off too often."""
        pace = _Pace(self._patience.slow_s)
        try:
            for piece in pieces:
                self._check(pace, len(piece))
                yield piece
        except Exception as error:
            if is_of_client(error, *LOST_CONNECTION) and self._breaks_too_often(response, pace.total):
                raise self._give_up(_broken(pace.total)) from error
            raise

    def _check(self, pace: _Pace, received: int) -> None:
        if (slow := pace.too_slow_after(received)) is not None:
            raise self._give_up(slow)

    def _breaks_too_often(self, response: Any, bytes_received: int) -> bool:
        file = response.request.url.path
        with self._lock:
            self._breaks[file] += bytes_received < FAR_BYTES
            return self._breaks[file] > MOST_BREAKS


class _Pace:
    """Bytes of one body so far, and whether they arrive fast enough; looked at when some arrive."""

    def __init__(self, window_s: float) -> None:
        self.total = self._of_window = 0
        self._window_s, self._begun_s = window_s, time.monotonic()

    def too_slow_after(self, received: int) -> EngineError | None:
        """The error where a window with these bytes had too few."""
        self.total += received
        self._of_window += received
        past_s = time.monotonic() - self._begun_s
        if past_s < self._window_s:
            return None
        if self._of_window < SLOWEST_BYTES_PER_S * past_s:
            return EngineError(
                f"The model hub sent {self._of_window} bytes in {past_s:.0f} s, which is too slow.",
                "Try again later, or download the model beforehand with hf download.",
                missing=True,
            )
        self._of_window, self._begun_s = 0, time.monotonic()
        return None


@contextmanager
def bounded(patience: Patience, busy: Pauses | None = None) -> Iterator[None]:
    """Let the hub's library work within these bounds.

    Raises what the hub failed of or refused, in place of what a library made of it: EngineError,
    ConnectionError, or the hub's own error for its answer (HfHubHTTPError).
    """
    use = HubUse(patience, busy)
    set_client_factory(use.client)
    try:
        yield
    except Exception:
        if use.given_up is None and use.refused is None:
            raise
        failure: Exception | None = use.given_up or use.refused
    else:
        failure = use.given_up
    finally:
        set_client_factory(default_client_factory)
    if failure is not None:
        raise failure


def _error_of(response: Any) -> Exception:
    """The library's error for an answer that is none."""
    response.read()
    try:
        hf_raise_for_status(response)
    except HfHubHTTPError as error:
        return error
    return ConnectionError(f"HTTP status {response.status_code}")


def _broken(received: int) -> EngineError:
    return EngineError(
        f"The download of a file broke off {MOST_BREAKS + 1} times, at last after {received} bytes.",
        "Try again later; check the proxy if it recurs.",
        missing=True,
    )
