"""The client of a server: one streamed request, with the moment at which each piece of its answer came.

    client = ServerClient(url, key, 120.0)
    answer = await client.ask("chat", {"model": ..., "stream": True}, Answer(0, time.monotonic_ns()))
    answer.first_ns, answer.pieces_ns, answer.usage, answer.failure

A request that fails is an answer with a reason code, since others go on meanwhile; nothing is raised for it.
"""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from bench.core.untrusted import json_of
from bench.worker.serving.apis import MEDIA, PATHS, Api
from bench.worker.serving.secrets import ApiKey

CONNECT_S = 10.0
MESSAGE_CHARACTERS = 300
MOST_TEXT_BYTES = 64_000_000
"""Of one stream or error, unpacked: 100,000 tokens with their events are 30 MB."""
MOST_MEDIA_BYTES = 256_000_000
"""Of one picture, clip or film."""

OF_TRANSFER = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that no longer hold of a body that was read and unpacked."""


class AnswerTooLargeError(Exception):
    """A server that sends more than an answer can be; its message has the limit."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one answer, as the server states them."""

    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None = None


@dataclass
class Answer:
    """One request on its way, and what came of it. Times are CLOCK_MONOTONIC of this process."""

    number: int
    sent_ns: int
    due_ns: int | None = None
    pieces_ns: list[int] = field(default_factory=list)
    stated: list[int] = field(default_factory=list)
    """The server's own running count of tokens after each piece, where it states one with every piece."""
    texts: list[str] = field(default_factory=list)
    content: bytes = b""
    """Of a picture or a clip: its file."""
    usage: Usage | None = None
    finish: str | None = None
    models: set[str] = field(default_factory=set)
    end_ns: int | None = None
    failure: str | None = None
    """Reason code: `http-429`, `stream-cut`, `no-connection`, `silent`, `refused-in-stream`, ..."""
    message: str = ""

    @property
    def first_ns(self) -> int | None:
        """When its first piece came."""
        return self.pieces_ns[0] if self.pieces_ns else None

    @property
    def whole(self) -> bool:
        """Whether all of it came."""
        return self.end_ns is not None and self.failure is None

    @property
    def text(self) -> str:
        """Everything that was written."""
        return "".join(self.texts)


class ServerClient:
    """Connections to one server, as many as there are requests."""

    def __init__(self, url: str, key: ApiKey, answer_s: float) -> None:
        self._url, self._key, self._answer_s = url, key, answer_s
        self.heard_ns = time.monotonic_ns()
        """When the last event of any request came."""
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        # A proxy of the environment would be measured too, and a .netrc would send a key that was not named.
        self._http = httpx2.AsyncClient(
            headers=key.headers, limits=limits, trust_env=False, follow_redirects=False
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def ask(self, api: Api, body: dict[str, Any], answer: Answer, *, queued: bool = False) -> Answer:
        """Send a request and follow its stream to the end; what came so far is in `answer` all the time.

        One that is `queued` behind many others may wait as long as it must for its turn.
        """
        # Thousands that begin at once also wait for their connections: the load as a whole is looked after.
        timeout = httpx2.Timeout(None if queued else self._answer_s, connect=None if queued else CONNECT_S)
        try:
            async with self._http.stream(
                "POST", self._url + PATHS[api], json=body, timeout=timeout
            ) as response:
                if response.status_code != httpx2.codes.OK:
                    told = b"".join([piece async for piece in _bounded(response, MOST_TEXT_BYTES)])
                    return self._failed(answer, f"http-{response.status_code}", _said(response, told))
                if api in MEDIA:
                    await self._receive(answer, response)
                else:
                    await self._follow(answer, response)
        except httpx2.ConnectError as error:
            return self._failed(answer, "no-connection", str(error))
        except httpx2.ConnectTimeout:
            return self._failed(answer, "no-connection", f"none within {CONNECT_S:g} s")
        except httpx2.TimeoutException:
            return self._failed(answer, "silent", f"nothing came for {self._answer_s:g} s")
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            return self._failed(answer, "stream-cut", str(error) or type(error).__name__)
        except AnswerTooLargeError as error:
            return self._failed(answer, "too-large", str(error))
        if answer.failure is not None:
            return answer
        if api == "images":
            return self._unpack(answer)
        if api not in MEDIA and answer.finish is None:
            return self._failed(answer, "stream-cut", "the stream ended before the answer did")
        if not answer.pieces_ns:
            return self._failed(answer, "empty", "the answer has nothing in it")
        answer.end_ns = time.monotonic_ns()
        return answer

    async def _follow(self, answer: Answer, response: httpx2.Response) -> None:
        """Events of a stream of text, each with the moment at which it came."""
        rest = bytearray()
        async for piece in _bounded(response, MOST_TEXT_BYTES):
            rest += piece
            if b"\n" not in piece:
                continue
            *lines, left = bytes(rest).split(b"\n")
            rest = bytearray(left)
            for line in lines:
                if line.startswith(b"data:") and not self._take(
                    answer, line[5:].decode(errors="replace").strip()
                ):
                    return
        if rest.startswith(b"data:"):
            self._take(answer, rest[5:].decode(errors="replace").strip())

    async def _receive(self, answer: Answer, response: httpx2.Response) -> None:
        """A file, piece by piece."""
        pieces = []
        async for piece in _bounded(response, MOST_MEDIA_BYTES):
            self.heard_ns = time.monotonic_ns()
            answer.pieces_ns.append(self.heard_ns)
            pieces.append(piece)
        answer.content = b"".join(pieces)

    def _unpack(self, answer: Answer) -> Answer:
        """The picture in an answer's JSON; it is there when all of it has come."""
        answer.end_ns = time.monotonic_ns()
        try:
            (picture, *_) = json_of(answer.content)["data"] or [{"b64_json": ""}]
            if picture.get("b64_json") is None and picture.get("url"):
                return self._failed(answer, "no-picture", "the answer has a URL in place of a picture")
            answer.content = base64.b64decode(picture["b64_json"], validate=True)
        except (ValueError, KeyError, TypeError, AttributeError):
            shown = answer.content[:80].decode("utf-8", "replace")
            return self._failed(answer, "not-openai", f"an answer that no such API has: {shown}")
        answer.pieces_ns = [answer.end_ns]
        return answer

    def _take(self, answer: Answer, data: str) -> bool:
        """Note one event of the stream; whether more may come."""
        self.heard_ns = now_ns = time.monotonic_ns()
        if data == "[DONE]":
            return False
        try:
            event = json_of(data)
            self._note(answer, event, now_ns)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            self._failed(answer, "not-openai", f"an event that no such API has: {data[:80]}")
        return answer.failure is None

    def _note(self, answer: Answer, event: dict[str, Any], now_ns: int) -> None:
        if "error" in event:
            self._failed(answer, "refused-in-stream", str(event["error"]))
            return
        if isinstance(event.get("model"), str):
            answer.models.add(self._key.without(event["model"]))
        usage = event.get("usage")
        if usage:
            details = usage.get("prompt_tokens_details") or {}
            answer.usage = Usage(
                usage.get("prompt_tokens"), usage.get("completion_tokens"), details.get("cached_tokens")
            )
        for choice in event.get("choices") or ():
            text = _text_of(choice)
            if text:
                answer.pieces_ns.append(now_ns)
                answer.texts.append(text)
                if usage and usage.get("completion_tokens") is not None:
                    answer.stated.append(int(usage["completion_tokens"]))
            if finish := choice.get("finish_reason"):
                answer.finish = self._key.without(str(finish))

    def _failed(self, answer: Answer, code: str, message: str) -> Answer:
        answer.failure = code
        answer.message = self._key.scrubbed(message)[:MESSAGE_CHARACTERS]
        answer.end_ns = time.monotonic_ns()
        return answer

    async def get(self, url: str) -> httpx2.Response | None:
        """What a URL answers; `None` where nothing answers, or more than an answer can be."""
        try:
            async with self._http.stream("GET", url, timeout=CONNECT_S) as response:
                told = b"".join([piece async for piece in _bounded(response, MOST_TEXT_BYTES)])
                kept = {name: of for name, of in response.headers.items() if name.lower() not in OF_TRANSFER}
                return httpx2.Response(response.status_code, headers=kept, content=told)
        except (httpx2.TransportError, httpx2.DecodingError, AnswerTooLargeError):
            return None


async def _bounded(response: httpx2.Response, most_bytes: int) -> AsyncIterator[bytes]:
    """The body as it comes, unpacked. Raises AnswerTooLargeError where it is larger."""
    total = 0
    async for piece in response.aiter_bytes():
        total += len(piece)
        if total > most_bytes:
            raise AnswerTooLargeError(f"an answer of more than {most_bytes / 1e6:.0f} MB")
        yield piece


def _said(response: httpx2.Response, told: bytes) -> str:
    """A server's own words, but for a refused key, of which they may repeat a part."""
    if response.status_code in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
        return "the server refuses the key"
    try:
        content = json_of(told)
        error = content.get("error", content.get("detail", content))
        return str(error.get("message", error) if isinstance(error, dict) else error)
    except (ValueError, AttributeError):
        return told.decode(errors="replace")


def _text_of(choice: dict[str, Any]) -> str:
    """The text of a piece; also what a model thinks aloud counts, as its tokens do."""
    delta = choice.get("delta")
    if delta is None:
        return str(choice.get("text") or "")
    thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
    return str(thought) + str(delta.get("content") or "")
