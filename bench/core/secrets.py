"""Secrets of this environment, masked in each text that is stored or shown.

    masked("https://me:pass@proxy:80 refused hf_01234567")    # "https://***@proxy:80 refused ***"

Here HF_TOKEN is hf_01234567. A secret is the value of a variable with a name like a key's, user and password
of a URL or of a variable that has one, a parameter of a URL with a name like a key's, and what follows
`Bearer`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from functools import cache
from urllib.parse import quote, unquote, urlsplit

from bench.core.written_text import pattern

HIDDEN = "***"
VARIABLE = re.compile(r"(?i)KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|AUTH(?!OR(?!I))|_PASS$|_PWD$")
"""`AUTH` and `AUTHORIZATION`, and no `GIT_AUTHOR_NAME`."""
SHORTEST = 8
"""Fewest characters of a variable that is taken for a secret by its name: shorter ones are in many words."""
SHAPED = re.compile(
    r"(?i)(?P<before>://|\bbearer(?:\s+|%20)|--[\w\\-]*(?:key|token|secret|password)(?:=|\s+)|[?&](?:amp;)?(?:[\w\\-]*(?:key|token|secret|password|signature|credential))=)"
    r"(?:(?<=://)[^\s/@\"']+(?=@)|(?<!://)[^\s\"'&<>,}]+)"
)
"""User and password of a URL, a bearer's token, and parameters and options with names of secrets, which
Markdown writes with backslashes."""


def masked(text: str) -> str:
    """The text with `***` in place of each secret."""
    return masker()(text)


def masker() -> Callable[[str], str]:
    """The same as a function of many texts: reading the environment takes longer than most texts."""
    return _masker(of_environment())


def of_environment() -> frozenset[str]:
    """Values of variables whose names are those of secrets, and users' passwords in URLs of variables."""
    found = {
        value.strip()
        for name, value in os.environ.items()
        if VARIABLE.search(name) and not value.isdigit() and not _is_path(value)
    }
    for value in os.environ.values():
        if "://" in value and "@" in value:
            found.add(_password(value))
    return frozenset(value for value in found if len(value) >= SHORTEST)


def _is_path(value: str) -> bool:
    """Whether it is a file's path, such as SSH_AUTH_SOCK has: a key in base64 may begin with `/`, too."""
    if not value.startswith("/"):
        return False
    folder = os.path.dirname(value)
    return os.path.exists(value) or (folder != "/" and os.path.isdir(folder))


def _password(url: str) -> str:
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


def _written(value: str) -> tuple[str, ...]:
    """The value as it is, and as URLs and JSON have it; `pattern` finds each in a document."""
    as_json = (json.dumps(value, ensure_ascii=escaped)[1:-1] for escaped in (True, False))
    return (value, quote(value, safe=""), *as_json)


@cache
def _masker(values: frozenset[str]) -> Callable[[str], str]:
    written = {form for value in values for form in _written(value)}
    alternatives = "|".join(pattern(each) for each in sorted(written, key=len, reverse=True))
    expression = re.compile(alternatives) if alternatives else None

    def mask(text: str) -> str:
        known = expression.sub(HIDDEN, text) if expression else text
        return SHAPED.sub(lambda found: found["before"] + HIDDEN, known)

    return mask
