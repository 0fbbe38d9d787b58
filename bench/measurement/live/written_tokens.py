"""Running number of tokens that a server beside has written: from its /metrics, or from a file of its client.

    counter = WrittenTokens.at("http://localhost:8000")       # vLLM, SGLang, llama.cpp's with --metrics
    counter.look(joules_by_scope).j_per_token["gpu"]          # since the first look

Joules a token are all joules of the cards between two looks over all tokens counted between them: idle and
the reading of prompts are in them. A server may count a request's tokens only when it ends, as SGLang does,
so that a short interval has too few or too many; the sum since the start evens that out.
"""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.errors import PrerequisiteError, UsageError
from bench.worker.serving.address import parse

COUNTERS = (
    "vllm:generation_tokens_total",
    "sglang:generation_tokens_total",
    "llamacpp:tokens_predicted_total",
)
PATIENCE_S = 2.0
_NUMBER = re.compile(r"[-+0-9.eE]+")


@dataclass(frozen=True)
class TokenSnapshot:
    """Tokens since the first look, and joules over them by scope; `reason` for what is not known."""

    source: str
    tokens: float | None
    per_s: float | None
    """Since the last look."""
    j_per_token: dict[str, float]
    """Since the first look; a scope is absent where its joules or the tokens are not known, or none came."""
    reason: str | None = None


class WrittenTokens:
    """Looks at one source again and again."""

    def __init__(self, source: str, read: Callable[[], float]) -> None:
        """Read it once. Raises PrerequisiteError where it has no counter."""
        self._source, self._read = source, read
        self._first = self._last = read()
        self._last_s = time.monotonic()
        self._lost: str | None = None
        self._begun_j: dict[str, float] | None = None

    @classmethod
    def at(cls, source: str) -> Self:
        """Of a server's URL, or a file. Raises UsageError, or PrerequisiteError without a count."""
        if "://" not in source:
            return cls(source, lambda: _in_file(Path(source)))
        address = parse(source, "--from")
        if reason := address.elsewhere():
            raise UsageError(
                f"Its joules are not read here: {reason}.", "Watch on the machine of the server."
            )
        url = f"{address.root}/metrics"
        return cls(url, lambda: _at_server(url))

    def look(self, energy_j: Mapping[str, float | None]) -> TokenSnapshot:
        """Tokens as of now, and joules over them; `energy_j` is by scope, since the start of watching."""
        now_s = time.monotonic()
        try:
            total = self._read()
        except PrerequisiteError as error:
            return TokenSnapshot(self._source, None, None, {}, error.message)
        if total < self._last:
            self._lost = "the counter went back, as when a server starts anew: begin watching again"
        per_s = (total - self._last) / (now_s - self._last_s) if now_s > self._last_s else None
        self._last, self._last_s = total, now_s
        if self._lost is not None:
            return TokenSnapshot(self._source, None, None, {}, self._lost)
        known = {scope: joules for scope, joules in energy_j.items() if joules is not None}
        if self._begun_j is None:
            # The first look's joules are those of the time before; its tokens are counted from it on.
            self._begun_j, self._first = known, total
        tokens = total - self._first
        spent = {
            scope: joules - self._begun_j[scope] for scope, joules in known.items() if scope in self._begun_j
        }
        reason = None if tokens else "no token was counted yet"
        j_per_token = {scope: joules / tokens for scope, joules in spent.items()} if tokens else {}
        return TokenSnapshot(self._source, tokens, per_s, j_per_token, reason)


def _at_server(url: str) -> float:
    """The sum of the first known counter over its labels. Raises PrerequisiteError."""
    # Without proxies: the server is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=PATIENCE_S) as response:
            text = response.read().decode("utf-8", errors="replace")
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise PrerequisiteError(
            f"{url} cannot be read: {reason}.",
            "Start the server with its metrics, or name a file with --from.",
        ) from error
    counted = tokens_in(text)
    if counted is None:
        raise PrerequisiteError(
            f"{url} has no counter of written tokens that is known: {', '.join(COUNTERS)}.",
            "Let the client write its count to a file, and name it with --from.",
        )
    return counted


def tokens_in(text: str) -> float | None:
    """Tokens in metrics of Prometheus' format, of all models together; `None` without a counter."""
    for name in COUNTERS:
        found = re.findall(rf"^{re.escape(name)}(?:\{{[^}}]*\}})?\s+([-+0-9.eE]+)", text, re.MULTILINE)
        if found:
            return sum(map(float, found))
    return None


def _in_file(path: Path) -> float:
    """The last number in a file: the client's running count. Raises PrerequisiteError."""
    try:
        found = _NUMBER.findall(path.read_text(encoding="utf-8", errors="replace"))
        return float(found[-1])
    except (OSError, IndexError, ValueError) as error:
        raise PrerequisiteError(
            f"{path} has no running number of tokens.", "Let the client write its count there, a line each."
        ) from error
