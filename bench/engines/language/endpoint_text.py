"""A text model that a server of this machine has, behind the calls of the text engine.

It is for parts of a case of several models: whole answers, one request at a time, no latencies. The load of a
server by itself is measured by its producer (`bench/worker/serving`). Tokens are those of the server's usage.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from bench.core.modalities.text import count_words
from bench.core.secrets import HIDDEN, masked
from bench.engines.base import (
    EngineSpec,
    GeneratedBatch,
    LoadedModel,
    OutputCheck,
    PhaseEdges,
    ServerAccess,
)
from bench.errors import EngineError

PATHS = {"chat": "/chat/completions", "completions": "/completions"}
KEEP_GOING = {"ignore_eos": True}
FIRST_TOKENS = 8
MESSAGE_CHARACTERS = 300


@dataclass(frozen=True)
class EndpointTexts:
    """Answers of a batch: texts, and the server's own count of tokens, `None` where it states none."""

    texts: tuple[str, ...]
    tokens: tuple[int | None, ...]
    prompt_tokens: tuple[int | None, ...]


class EndpointTextEngine:
    """A model at a server that is up already and stays up."""

    def __init__(self, spec: EngineSpec, server: ServerAccess) -> None:
        self._spec, self._server = spec, server
        self._new_tokens = FIRST_TOKENS
        self._secret = ""
        self._http: httpx2.Client | None = None

    def load(self) -> LoadedModel:
        """See a first answer. Raises EngineError(stage="load")."""
        begun = time.monotonic()
        self._secret = self._key()
        headers = {"Authorization": f"Bearer {self._secret}"} if self._secret else {}
        self._http = httpx2.Client(headers=headers, timeout=self._server.answer_s, trust_env=False)
        self._ask("Say hello.", "load")
        used = {"server": "attached", "endpoint": self._server.url, "asked for": self._server.name}
        return LoadedModel({}, {}, used, None, (), None, time.monotonic() - begun)

    def set_length(self, new_tokens: int) -> None:
        """Set the length of the answers that are asked for from now on."""
        self._new_tokens = new_tokens

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        """Index of the prompt with the most characters: its tokens are the server's matter."""
        lengths = [len(prompt) for prompt in prompts]
        return lengths.index(max(lengths))

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:  # noqa: ARG002 - greedy
        """One answer a prompt, one after another. Raises EngineError(stage="generate")."""
        start_ns = time.monotonic_ns()
        answers = [self._ask(prompt, "generate") for prompt in prompts]
        end_ns = time.monotonic_ns()
        texts, tokens, read = zip(*answers, strict=True)
        made = EndpointTexts(texts, tokens, read)
        edges = (PhaseEdges("answer", start_ns, end_ns),)
        return GeneratedBatch(start_ns, end_ns, len(prompts), edges, made)

    def texts(self, made: GeneratedBatch) -> list[str]:
        """The text of each answer."""
        return list(made.payload.texts)

    def count_tokens(self, text: str) -> int | None:  # noqa: ARG002 - the tokenizer is the server's
        """Not known: the tokenizer is the server's."""
        return None

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        """Tokens by the server's usage, words, and answers of another length than the one asked for."""
        found: EndpointTexts = made.payload
        problems = [
            f"Item {i}: the server states no usage, so its tokens are not known."
            if count is None
            else f"Item {i} has {count} tokens, {self._new_tokens} were asked for."
            for i, count in enumerate(found.tokens)
            if count != self._new_tokens
        ]
        return OutputCheck(
            tokens=tuple(count or 0 for count in found.tokens),
            words=tuple(count_words(text) for text in found.texts),
            prompt_tokens=tuple(count or 0 for count in found.prompt_tokens),
            problems=tuple(problems),
        )

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        """Write each answer as `<stem>-<i>.txt`."""
        paths = [folder / f"{stem}-{i}.txt" for i in range(made.items)]
        for path, text in zip(paths, self.texts(made), strict=True):
            path.write_text(self._without_key(text), encoding="utf-8")
        return paths

    def unload(self) -> None:
        """Close the connection; the server stays up."""
        if self._http is not None:
            self._http.close()

    def _key(self) -> str:
        variable = self._server.key
        value = os.environ.get(variable, "").strip() if variable else ""
        if variable and not value:
            raise EngineError(
                f"The variable {variable} is not set, and the catalogue names it for the server's key.",
                f"Set it: export {variable}=...",
                missing=True,
                stage="load",
            )
        return value

    def _body(self, prompt: str) -> dict[str, Any]:
        """One request: greedy, of exactly the length asked for, as the server's own fields put it."""
        server = self._server
        body: dict[str, Any] = {"model": server.name, "max_tokens": self._new_tokens, "temperature": 0}
        body |= (
            {"prompt": prompt}
            if server.api == "completions"
            else {"messages": [{"role": "user", "content": prompt}]}
        )
        length = str(self._new_tokens)
        extra = KEEP_GOING if server.extra is None else server.extra
        filled = {
            key: value.replace("{new_tokens}", length) if isinstance(value, str) else value
            for key, value in extra.items()
        }
        return {key: value for key, value in (body | filled).items() if value is not None}

    def _ask(self, prompt: str, stage: str) -> tuple[str, int | None, int | None]:
        assert self._http is not None, "load opens it"
        try:
            response = self._http.post(self._server.url + PATHS[self._server.api], json=self._body(prompt))
            response.raise_for_status()
            return _read(response.json())
        except httpx2.HTTPStatusError as error:
            seen = f"answered with status {error.response.status_code}: {self._said(error.response)}"
        except httpx2.HTTPError as error:
            seen = f"did not answer: {self._without_key(str(error)) or type(error).__name__}"
        except (ValueError, KeyError, TypeError, IndexError):
            seen = "answered in another form than OpenAI's"
        raise EngineError(
            f"The server at {self._server.url} {seen}.", "Check the `endpoint` of its part.", stage=stage
        )

    def _said(self, response: httpx2.Response) -> str:
        """A server's own words, without the key."""
        return self._without_key(" ".join(response.text.split()))[:MESSAGE_CHARACTERS]

    def _without_key(self, text: str) -> str:
        return masked(text.replace(self._secret, HIDDEN) if self._secret else text)


def _read(answer: dict[str, Any]) -> tuple[str, int | None, int | None]:
    """Text, tokens written and tokens read of an answer."""
    choice, usage = answer["choices"][0], answer.get("usage") or {}
    text = choice["message"]["content"] if "message" in choice else choice["text"]
    return str(text or ""), usage.get("completion_tokens"), usage.get("prompt_tokens")
