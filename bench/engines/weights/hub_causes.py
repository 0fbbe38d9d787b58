"""Parts of the hub client's errors: causes, HTTP statuses, pauses asked for, and variables that matter.

for link in causes(error): ...
status_of(error)                     # 503
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping

from huggingface_hub.utils._http import parse_ratelimit_headers

from bench.core.secrets import masked
from bench.errors import EngineError

INSTEAD = "or measure its shape with --weights random, or a copy you have with --weights path:DIR."
PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def status_of(error: BaseException) -> int | None:
    """The HTTP status that the hub answered with, or `None` where it did not answer."""
    for link in causes(error):
        status = getattr(getattr(link, "response", None), "status_code", None)
        if isinstance(status, int):
            return status
    return None


def wait_asked_s(error: BaseException) -> float | None:
    """The pause in seconds that the hub's answer asks for; `None` where it asks for none."""
    for link in causes(error):
        headers = getattr(getattr(link, "response", None), "headers", None)
        if headers is not None and (wait_s := pause_of(headers)) is not None:
            return wait_s
    return None


def pause_of(headers: Mapping[str, str]) -> float | None:
    """The pause in seconds that headers ask for: `Retry-After`, else `RateLimit` where nothing remains.

    `None` without one, and for a date.
    """
    try:
        wait_s = float(headers["Retry-After"])
    except (KeyError, ValueError):
        limit = parse_ratelimit_headers(headers)
        return float(limit.reset_in_seconds) if limit is not None and limit.remaining == 0 else None
    return wait_s if math.isfinite(wait_s) and wait_s >= 0 else None


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, nearest first, each once."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def is_of_client(error: BaseException, *names: str) -> bool:
    """Whether the HTTP client raised it: it moved from httpx to httpx2, so its errors are known by name."""
    return any(kind.__module__.startswith("httpx") and kind.__name__ in names for kind in type(error).__mro__)


def named_variables(names: tuple[str, ...]) -> str | None:
    """Those of the variables that are set, in either case, as one text."""
    found = [each for name in names for each in (name, name.lower()) if os.environ.get(each)]
    return " and ".join(found) or None


def text_of(error: BaseException) -> str:
    """The error's text on one line, without secrets."""
    return masked(" ".join(str(error).split()))[:200].rstrip(".")


def missing(message: str, remedy: str) -> EngineError:
    """An error about something that the user can provide, so that the run ends with status 2."""
    return EngineError(message, remedy, missing=True)
