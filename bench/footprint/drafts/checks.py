"""Checks by which a draft is accepted: one line each, `KIND=VALUE`.

    length=200..300            words
    language=en                en, de, fr, es, it, pt, nl, zh, by commonest words
    regex=^Dear                found anywhere; (?s), (?m) and (?i) as in Python
    command=./check --strict   without a shell: the text on its input, {path} for the file; 0 accepts
    python=module:function     installed, or of this folder: True accepts a text, or the path of a picture

What a check itself gets wrong is an error, never a rejection.
"""

from __future__ import annotations

import difflib
import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.modalities.text import count_words
from bench.core.near_names import unknown
from bench.errors import UsageError
from bench.footprint.drafts.languages import KNOWN, language_of
from bench.footprint.drafts.outputs import Draft

COMMAND_S = 60.0
"""Limit of a command for one draft."""
ACCEPTS, REJECTS = 0, 1


@dataclass(frozen=True)
class DraftCheck:
    """One check, as it was typed."""

    text: str
    accepts: Callable[[Draft], bool]


def parse(text: str) -> DraftCheck:
    """A check of `KIND=VALUE`. Raises UsageError."""
    kind, equals, value = text.partition("=")
    if kind not in KINDS:
        raise unknown("check", kind, KINDS)
    if not equals or not value:
        raise UsageError(f"The check {kind} has no value.", f"Write it like {EXAMPLES[kind]}.")
    return DraftCheck(text, KINDS[kind](value))


def _length(value: str) -> Callable[[Draft], bool]:
    low, dots, high = value.partition("..")
    try:
        least = float(low or 0)
        most = float(high or "inf") if dots else least
    except ValueError:
        raise UsageError(
            f"length={value}: not a number of words.", "Write it like length=200..300."
        ) from None
    if not least <= most:
        raise UsageError(f"length={value}: {low} is more than {high}.", "Write the smaller number first.")
    return lambda draft: least <= count_words(draft.text) <= most


def _language(value: str) -> Callable[[Draft], bool]:
    if value not in KNOWN:
        raise unknown("language", value, KNOWN)
    return lambda draft: language_of(draft.text) == value


def _regex(value: str) -> Callable[[Draft], bool]:
    try:
        pattern = re.compile(value)
    except re.error as error:
        raise UsageError(f"regex={value}: {error}.", "Write it as for Python's re.search.") from error
    return lambda draft: pattern.search(draft.text) is not None


def _command(value: str) -> Callable[[Draft], bool]:
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise UsageError(f"command={value}: {error}.", "Close its quotes.") from error
    if not words:
        raise UsageError("The check command has no program.", f"Write it like {EXAMPLES['command']}.")
    return lambda draft: _status([word.replace("{path}", str(draft.path)) for word in words], draft)


def _status(words: list[str], draft: Draft) -> bool:
    try:
        done = subprocess.run(words, input=draft.content, capture_output=True, timeout=COMMAND_S, check=False)
    except OSError as error:
        raise UsageError(
            f"The check's command cannot be started: {words[0]}: {error.strerror}.", "Name its whole path."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(
            f"The check's command took more than {COMMAND_S:g} s for {draft.path.name}."
        ) from error
    if done.returncode not in (ACCEPTS, REJECTS):
        said = " ".join(done.stderr.decode("utf-8", errors="replace").split())[:120]
        raise UsageError(
            f"The check's command ended with status {done.returncode} for {draft.path.name}: {said}.",
            "Let it end with 0 to accept and 1 to reject.",
        )
    return done.returncode == ACCEPTS


def _python(value: str) -> Callable[[Draft], bool]:
    module, colon, name = value.partition(":")
    if not colon or not name:
        raise UsageError(f"python={value}: no function is named.", f"Write it like {EXAMPLES['python']}.")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise UsageError(f"python={value}: {error}.", "Install the module, or go to its folder.") from error
    function = getattr(found, name, None)
    if not callable(function):
        near = difflib.get_close_matches(
            name, [key for key, each in vars(found).items() if callable(each)], n=1
        )
        hint = f'Did you mean "{near[0]}"?' if near else f"Write it like {EXAMPLES['python']}."
        raise UsageError(f"python={value}: {module} has no function {name}.", hint)
    return lambda draft: _called(function, value, draft)


def _called(function: Callable[[Any], Any], value: str, draft: Draft) -> bool:
    given: Any = draft.text if draft.path.suffix == ".txt" else draft.path
    try:
        found = function(given)
    except Exception as error:
        raise UsageError(
            f"python={value} failed for {draft.path.name}: {type(error).__name__}: {error}."
        ) from error
    if not isinstance(found, bool):
        raise UsageError(f"python={value} returned {found!r}.", "Let it return True or False.")
    return found


KINDS: dict[str, Callable[[str], Callable[[Draft], bool]]] = {
    "length": _length,
    "language": _language,
    "regex": _regex,
    "command": _command,
    "python": _python,
}
EXAMPLES = {
    "length": "length=200..300",
    "language": "language=en",
    "regex": "regex=^Dear",
    "command": "command=./check --strict",
    "python": "python=module:function",
}
