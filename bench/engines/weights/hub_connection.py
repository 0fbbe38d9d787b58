"""Sentences for a hub that cannot be reached, or is not a hub: addresses, proxies, certificates, redirects.

Each function looks at one link of an error's causes, and answers `None` where that is not its own.
"""

from __future__ import annotations

import os
import socket
import ssl

from huggingface_hub import constants, errors

from bench.core.secrets import masked
from bench.core.weights import Weights
from bench.engines.weights.hub_causes import (
    CERTIFICATES,
    INSTEAD,
    PROXIES,
    causes,
    is_of_client,
    missing,
    named_variables,
    text_of,
)
from bench.errors import EngineError


def endpoint(error: BaseException, weights: Weights) -> EngineError | None:
    """An address that is none."""
    if is_of_client(error, "UnsupportedProtocol", "InvalidURL"):
        named = named_variables(PROXIES) if "proxy" in str(error).lower() else None
        where = named or f"HF_ENDPOINT ({masked(os.environ.get('HF_ENDPOINT', ''))!r})"
        return missing(
            f"The model hub cannot be asked for {weights.hub_id}: {text_of(error)}.",
            f"Give {where} an address that begins with https://.",
        )
    return None


def redirects(error: BaseException, weights: Weights) -> EngineError | None:
    """Redirects without end."""
    if not is_of_client(error, "TooManyRedirects"):
        return None
    return missing(
        f"The model hub redirects without end, so {weights.hub_id} is out of reach.",
        f"Check HF_ENDPOINT ({masked(constants.ENDPOINT)}) and the proxy, {INSTEAD}",
    )


def no_hub(weights: Weights) -> EngineError:
    """An answer that is not a hub's, such as the page on which a network asks for a log-in."""
    return missing(
        f"What answers for {weights.hub_id} is not a model hub.",
        f"Check HF_ENDPOINT ({masked(constants.ENDPOINT)}), the proxy and your network's log-in, {INSTEAD}",
    )


def refusing_proxy(weights: Weights, status: str) -> EngineError:
    """A proxy that asks for a user."""
    named = named_variables(PROXIES) or "the proxy's variable"
    return missing(
        f"The proxy refuses to ask the model hub for {weights.hub_id} {status}.",
        f"Set user and password in {named}, as in http://USER:PASSWORD@HOST:PORT.",
    )


def proxy(error: BaseException, weights: Weights) -> EngineError | None:
    """A proxy that refuses or does not answer."""
    if not is_of_client(error, "ProxyError"):
        return None
    named = named_variables(PROXIES) or "the proxy's variable"
    return missing(
        f"The proxy does not let the model hub be asked for {weights.hub_id}: {text_of(error)}.",
        f"Mend or unset {named}, {INSTEAD}",
    )


def certificate(error: BaseException, weights: Weights) -> EngineError | None:
    """A certificate that is not accepted, or a list of them that cannot be read."""
    if not isinstance(error, ssl.SSLError) and "[SSL: CERTIFICATE" not in str(error):
        return None
    named = named_variables(CERTIFICATES)
    way = (
        f"Mend or unset {named}."
        if named
        else "Set SSL_CERT_FILE to your network's certificates (a PEM file)."
    )
    return missing(
        f"The model hub's certificate is not accepted for {weights.hub_id}: {text_of(error)}.",
        way,
    )


def unreachable(error: BaseException, weights: Weights) -> EngineError | None:
    """No connection, or none wanted."""
    if not _is_unreachable(error):
        return None
    secured = next((found for link in causes(error) if (found := certificate(link, weights))), None)
    if secured is not None:
        return secured
    if any(isinstance(link, errors.FileMetadataError) for link in causes(error)):
        return no_hub(weights)
    name, page = weights.hub_id, f"https://huggingface.co/{weights.hub_id}"
    if constants.is_offline_mode():
        return missing(
            f"The model hub is not asked (HF_HUB_OFFLINE), and the local cache lacks {name}.",
            f"Unset HF_HUB_OFFLINE, download it elsewhere (hf download {name}), {INSTEAD}",
        )
    proxies = named_variables(PROXIES)
    through = f" (asked through {proxies}: unset what is out of date)" if proxies else ""
    return missing(
        f"The model hub cannot be reached{through}, so {name} is out of reach.",
        f"The local cache lacks it: download it where there is a connection (hf download {name}), "
        f"log in with hf auth login where {page} asks for a licence, {INSTEAD}",
    )


def _is_unreachable(error: BaseException) -> bool:
    if isinstance(error, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError):
        return True
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return True
    return is_of_client(error, "TransportError")
