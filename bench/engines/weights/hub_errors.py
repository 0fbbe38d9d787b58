"""Translation of the hub client's errors: one sentence and the way out.

    found = hub_error(error, weights)          # None where the error is not about the hub

Each entry of `_REASONS` looks at one link of the chain of causes. Nothing here imports torch, so that the
doctor can use the same words.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from huggingface_hub import constants, errors

from bench.core.secrets import masked
from bench.core.weights import Weights
from bench.engines.weights import hub_connection
from bench.engines.weights.hub_causes import (
    CERTIFICATES,
    INSTEAD,
    PROXIES,
    causes,
    missing,
    named_variables,
    status_of,
    text_of,
    wait_asked_s,
)
from bench.errors import EngineError

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
        if isinstance(link, json.JSONDecodeError):
            return hub_connection.no_hub(weights)
        if isinstance(link, UnicodeError | ValueError) and (named := named_variables(TOKENS)):
            return missing(
                f"The model hub cannot be asked with the token in {named}: {text_of(link)}.",
                f"Set {named} to the token alone, without quotes, spaces or line ends.",
            )
        if isinstance(link, ImportError | ValueError) and (named := named_variables(PROXIES)):
            return missing(
                f"The model hub cannot be asked through {named}: {text_of(link)}.",
                f"Mend or unset {named}; pip install 'httpx[socks]' adds SOCKS proxies.",
            )
        if isinstance(link, OSError) and (named := named_variables(CERTIFICATES)):
            return missing(
                f"The certificates that {named} names cannot be read: {text_of(link)}.",
                f"Mend or unset {named}.",
            )
    return missing(
        f"The model hub could not be asked for {weights.hub_id}: {type(error).__name__}: {text_of(error)}.",
        f"Run again with --debug to see where, {INSTEAD}",
    )


def _repository(error: BaseException, weights: Weights) -> EngineError | None:
    """Refused, because of a licence, a name, a revision or a token."""
    name, page = weights.hub_id, f"https://huggingface.co/{weights.hub_id}"
    # GatedRepoError is a kind of RepositoryNotFoundError, so it comes first.
    if isinstance(error, errors.GatedRepoError):
        return missing(
            f"{name} is gated: its licence has to be accepted before it can be downloaded.",
            f"Accept it at {page} and run: hf auth login; {INSTEAD}",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return missing(
            f"{name} has no revision {weights.revision!r}.", f"Choose one listed at {page}/commits/main."
        )
    token = _token()
    if status_of(error) == 401 and token is not None:
        return missing(
            f"The model hub refuses {name} (HTTP status 401): no such model, or a bad token in {token}.",
            f"Renew it with hf auth login, or unset HF_TOKEN for a public model; check the name at {page}.",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return missing(
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
        return missing(
            f"The model hub had too many requests {said} to give {weights.hub_id}.{asked}",
            f"Try again later; hf auth login raises the limit, {INSTEAD}",
        )
    if status >= 500:
        return missing(
            f"The model hub has trouble of its own {said}, so {weights.hub_id} is out of reach.",
            f"Try again later (https://status.huggingface.co), {INSTEAD}",
        )
    if status == 407:
        return hub_connection.refusing_proxy(weights, said)
    token = _token()
    if status in (401, 403):
        whose = (
            f"the token in {token} is not accepted for it"
            if token
            else "it asks for a token, which is not set"
        )
        return missing(
            f"The model hub refuses {weights.hub_id} {said}: {whose}.",
            f"Run hf auth login, or set HF_TOKEN to a token that may read it, {INSTEAD}",
        )
    return missing(
        f"The model hub refuses {weights.hub_id} {said}.",
        f"Check the catalogue's hub_id and HF_ENDPOINT ({masked(constants.ENDPOINT)}), {INSTEAD}",
    )


def _files(error: BaseException, weights: Weights) -> EngineError | None:
    """Files that the hub lists and does not have, or sends in part."""
    if not isinstance(error, OSError):
        return None
    if (
        found := re.search(r"does not appear to have (?:a file|files) named \(?'?([^\s',]+)", str(error))
    ) is not None:
        return missing(
            f"The model hub does not give the file {found[1]} of {weights.hub_id}.",
            f"Check its files at https://huggingface.co/{weights.hub_id}/tree/main, {INSTEAD}",
        )
    if "Consistency check failed" in str(error):
        return missing(
            f"A file of {weights.hub_id} arrived cut off, and was not kept.",
            "Run again; check the proxy if it recurs.",
        )
    return None


_REASONS = (
    _repository,
    _answer,
    _files,
    hub_connection.endpoint,
    hub_connection.redirects,
    hub_connection.proxy,
    hub_connection.certificate,
    hub_connection.unreachable,
)
"""The most telling first: a refused licence is also a refused request."""


def _token() -> str | None:
    """Source of the token in use. It is never read, let alone shown."""
    if named := named_variables(TOKENS):
        return named
    return constants.HF_TOKEN_PATH if Path(constants.HF_TOKEN_PATH).is_file() else None
