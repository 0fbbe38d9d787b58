"""Translation of the hub client's errors: one sentence and the way out.

    found = hub_error(error, weights)          # None where the error is not about the hub

Each entry of `_REASONS` looks at one link of the chain of causes. Nothing here imports torch, so that the
doctor can use the same words.
"""

from __future__ import annotations

import math
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from huggingface_hub import constants, errors
from huggingface_hub.utils._http import parse_ratelimit_headers

from bench.core.secrets import masked
from bench.core.weights import Weights
from bench.errors import EngineError

INSTEAD = "or measure its shape with --weights random, or a copy you have with --weights path:DIR."
PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


def hub_error(error: BaseException, weights: Weights) -> EngineError | None:
    """The sentence for the first link of the chain that is known, or `None`."""
    for link in causes(error):
        for reason in _REASONS:
            found = reason(link, weights)
            if found is not None:
                return found
    return None


def question_error(error: BaseException, weights: Weights) -> EngineError:
    """The sentence for an error of the hub whose class alone does not show its cause."""
    for link in causes(error):
        if isinstance(link, UnicodeError | ValueError) and (named := _set(TOKENS)):
            return _missing(
                f"The model hub cannot be asked with the token in {named}: {_text(link)}.",
                f"Set {named} to the token alone, without quotes, spaces or line ends.",
            )
        if isinstance(link, ImportError | ValueError) and (named := _set(PROXIES)):
            return _missing(
                f"The model hub cannot be asked through {named}: {_text(link)}.",
                f"Mend or unset {named}; pip install 'httpx[socks]' adds SOCKS proxies.",
            )
        if isinstance(link, OSError) and (named := _set(CERTIFICATES)):
            return _missing(
                f"The certificates that {named} names cannot be read: {_text(link)}.",
                f"Mend or unset {named}.",
            )
    return _missing(
        f"The model hub could not be asked for {weights.hub_id}: {type(error).__name__}: {_text(error)}.",
        f"Run again with --debug to see where, {INSTEAD}",
    )


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


def _repository(error: BaseException, weights: Weights) -> EngineError | None:
    """Refused, because of a licence, a name, a revision or a token."""
    name, page = weights.hub_id, f"https://huggingface.co/{weights.hub_id}"
    # GatedRepoError is a kind of RepositoryNotFoundError, so it comes first.
    if isinstance(error, errors.GatedRepoError):
        return _missing(
            f"{name} is gated: its licence has to be accepted before it can be downloaded.",
            f"Accept it at {page} and run: hf auth login; {INSTEAD}",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return _missing(
            f"{name} has no revision {weights.revision!r}.", f"Choose one listed at {page}/commits/main."
        )
    token = _token()
    if status_of(error) == 401 and token is not None:
        return _missing(
            f"The model hub refuses {name} (HTTP status 401): no such model, or a bad token in {token}.",
            f"Renew it with hf auth login, or unset HF_TOKEN for a public model; check the name at {page}.",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return _missing(
            f"The model hub has no model {name}, or it is private.",
            f"Check the name at {page}, and run hf auth login where it is private; {INSTEAD}",
        )
    return None


def _answer(error: BaseException, weights: Weights) -> EngineError | None:
    """Refused with an HTTP status that is not about the model."""
    if not isinstance(error, errors.HfHubHTTPError) or (status := status_of(error)) is None:
        return None
    said = f"(HTTP status {status})"
    if status == 429:
        wait_s = wait_asked_s(error)
        asked = "" if wait_s is None else f" It asks for a pause of {wait_s:.0f} s."
        return _missing(
            f"The model hub had too many requests {said} to give {weights.hub_id}.{asked}",
            f"Try again later; hf auth login raises the limit, {INSTEAD}",
        )
    if status >= 500:
        return _missing(
            f"The model hub has trouble of its own {said}, so {weights.hub_id} is out of reach.",
            f"Try again later (https://status.huggingface.co), {INSTEAD}",
        )
    token = _token()
    if status in (401, 403):
        whose = (
            f"the token in {token} is not accepted for it"
            if token
            else "it asks for a token, which is not set"
        )
        return _missing(
            f"The model hub refuses {weights.hub_id} {said}: {whose}.",
            f"Run hf auth login, or set HF_TOKEN to a token that may read it, {INSTEAD}",
        )
    return _missing(
        f"The model hub refuses {weights.hub_id} {said}.",
        f"Check the catalogue's hub_id and HF_ENDPOINT ({masked(constants.ENDPOINT)}), {INSTEAD}",
    )


def _endpoint(error: BaseException, weights: Weights) -> EngineError | None:
    """An address that is none."""
    if _is_of_client(error, "UnsupportedProtocol", "InvalidURL"):
        named = _set(PROXIES) if "proxy" in str(error).lower() else None
        where = named or f"HF_ENDPOINT ({masked(os.environ.get('HF_ENDPOINT', ''))!r})"
        return _missing(
            f"The model hub cannot be asked for {weights.hub_id}: {_text(error)}.",
            f"Give {where} an address that begins with https://.",
        )
    return None


def _proxy(error: BaseException, weights: Weights) -> EngineError | None:
    """A proxy that refuses or does not answer."""
    if not _is_of_client(error, "ProxyError"):
        return None
    named = _set(PROXIES) or "the proxy's variable"
    return _missing(
        f"The proxy does not let the model hub be asked for {weights.hub_id}: {_text(error)}.",
        f"Mend or unset {named}, {INSTEAD}",
    )


def _certificate(error: BaseException, weights: Weights) -> EngineError | None:
    """A certificate that is not accepted, or a list of them that cannot be read."""
    if not isinstance(error, ssl.SSLError) and "[SSL: CERTIFICATE" not in str(error):
        return None
    named = _set(CERTIFICATES)
    way = (
        f"Mend or unset {named}."
        if named
        else "Set SSL_CERT_FILE to your network's certificates (a PEM file)."
    )
    return _missing(
        f"The model hub's certificate is not accepted, so {weights.hub_id} is out of reach: {_text(error)}.",
        way,
    )


def _unreachable(error: BaseException, weights: Weights) -> EngineError | None:
    """No connection, or none wanted."""
    if not _is_unreachable(error):
        return None
    secured = next((found for link in causes(error) if (found := _certificate(link, weights))), None)
    if secured is not None:
        return secured
    name, page = weights.hub_id, f"https://huggingface.co/{weights.hub_id}"
    proxies = _set(PROXIES)
    through = f" (asked through {proxies}: unset what is out of date)" if proxies else ""
    return _missing(
        f"The model hub cannot be reached{through}, so {name} is out of reach.",
        f"The local cache lacks it: download it where there is a connection (hf download {name}), "
        f"log in with hf auth login where {page} asks for a licence, {INSTEAD}",
    )


_REASONS = (_repository, _answer, _endpoint, _proxy, _certificate, _unreachable)
"""The most telling first: a refused licence is also a refused request."""


def _is_unreachable(error: BaseException) -> bool:
    if isinstance(error, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError):
        return True
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return True
    return _is_of_client(error, "TransportError")


def _is_of_client(error: BaseException, *names: str) -> bool:
    """Whether the HTTP client raised it: it moved from httpx to httpx2, so its errors are known by name."""
    return any(kind.__module__.startswith("httpx") and kind.__name__ in names for kind in type(error).__mro__)


def _set(names: tuple[str, ...]) -> str | None:
    """Those of the variables that are set, in either case, as one text."""
    found = [each for name in names for each in (name, name.lower()) if os.environ.get(each)]
    return " and ".join(found) or None


def _token() -> str | None:
    """Source of the token in use. It is never read, let alone shown."""
    if named := _set(TOKENS):
        return named
    return constants.HF_TOKEN_PATH if Path(constants.HF_TOKEN_PATH).is_file() else None


def _text(error: BaseException) -> str:
    return masked(" ".join(str(error).split()))[:200].rstrip(".")


def _missing(message: str, remedy: str) -> EngineError:
    return EngineError(message, remedy, missing=True)
