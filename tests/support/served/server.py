"""A server with OpenAI's interface that writes words at a known pace, and misbehaves where it is told to.

`python -m tests.support.served.server PORT '{"token_s": 0.002}'` serves in a process of its own, with known
watts on a stand-in's card: `IDLE_W`, and `REQUEST_W` more for each request that runs. `serving(Manners())` is
the same in a thread of a test, without watts.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.standin import CONTROL_VARIABLE, draw
from tests.support.served.media import images_answer, speech_answer

IDLE_W, REQUEST_W = 60.0, 80.0
PATHS = ("/v1/chat/completions", "/v1/completions", "/v1/images/generations", "/v1/audio/speech")
WORDS = ("oak", "ash", "elm", "fir", "yew")


@dataclass
class Manners:
    """How the server behaves: well, where nothing else is said."""

    model: str = "tiny"
    key: str | None = None
    token_s: float = 0.002
    first_s: float = 0.005
    running: int = 1000
    """How many requests run at a time; the others wait."""
    unhealthy: bool = False
    usage: bool = True
    usage_factor: float = 1.0
    input_tokens: float = 1.0
    """Tokens a word of a prompt."""
    eos_after: int | None = None
    """Whatever it is asked for, an answer ends after so many tokens."""
    status: int = 200
    status_from: int = 1
    """The request, counted from 1, from which on it answers `status`."""
    drops_every: int = 0
    """Each such request's stream is cut in the middle."""
    other_model_from: int = 0
    dies_at: int = 0
    silent_from: int = 0
    echoes_key: bool = False
    """Whether it writes the key that it was sent into its answers, its version and the model's name."""
    says: str = ""
    """Text of errors."""
    start_w: float = 0.0
    """Watts more a request with each start of the server, of those in the folder of temporary files."""
    metrics: str = ""
    """Whose names its metrics have: vllm, sglang or llamacpp; none without."""
    media: str = ""
    """What is wrong with pictures and clips: see `tests/support/served/media.py`."""
    media_from: int = 1
    """The request, counted from 1, from which on it is."""
    media_every: int = 1
    """Of those, each such request alone."""
    clip_s: float = 1.5
    cached_share: float = 0.0
    """Share of the prompt tokens that its metrics count as cached."""
    seen: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of each request, in small letters."""


class Server:
    """Answers requests one connection each."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._more_w = manners.start_w * (_starts() - 1) if manners.start_w else 0.0
        self._numbers = itertools.count(1)
        self._active = self._read = self._made = 0
        self._room: asyncio.Semaphore | None = None
        self.stop: Callable[[], object] = lambda: None

    async def serve(
        self, port: int, ready: threading.Event | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._room = asyncio.Semaphore(self.manners.running)
        listening = await asyncio.start_server(self._accept, "127.0.0.1", port, backlog=4096, ssl=tls)
        self.port = listening.sockets[0].getsockname()[1]
        loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        self.stop = lambda: loop.call_soon_threadsafe(self._stopped.set)
        if ready is not None:
            ready.set()
        async with listening:
            await self._stopped.wait()
            for writer in tuple(self._writers):  # also of those whose task has not begun
                writer.close()
            await asyncio.sleep(0.01)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.create_task(self._connection(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._writers.discard(writer))

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if (first := await reader.readexactly(1)) == b"\x16":  # TLS
                return await _json(writer, 400, {"error": {"message": "speak HTTP"}})
            head = (first + await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
            self.manners.headers.append(headers)
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            await self._answer(head[0].split()[1], headers, body, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            """The client went away."""
        finally:
            writer.close()

    async def _answer(
        self, path: str, headers: dict[str, str], body: bytes, writer: asyncio.StreamWriter
    ) -> None:
        manners = self.manners
        if path == "/health":
            return await _json(writer, 503 if manners.unhealthy else 200, {"status": "?"})
        if path == "/version" and manners.echoes_key:
            return await _json(writer, 200, {"version": headers.get("authorization", "")})
        if path == "/version":
            return await _json(writer, 200, {"version": "0.1-test", "api_key": manners.key})
        if path == "/metrics" and manners.metrics:
            return await _text(writer, self._metrics())
        if path == "/v1/models":
            return await _json(writer, 200, {"data": [{"id": manners.model}]})
        if path not in PATHS:
            return await _json(writer, 404, {"error": {"message": "no such path"}})
        if manners.key and headers.get("authorization") != f"bearer {manners.key.lower()}":
            return await _json(writer, 401, {"error": {"message": f"wrong key: not {manners.key}"}})
        self._sent = headers.get("authorization", "").removeprefix("bearer ")
        asked = json.loads(body)
        if asked["model"] != manners.model:
            status = 404 if manners.status == 200 else manners.status
            return await _json(writer, status, {"error": {"message": f"no model {asked['model']}"}})
        number = next(self._numbers)
        manners.seen.append(asked)
        if number == manners.dies_at:
            os._exit(3)
        if manners.status != 200 and number >= manners.status_from:
            return await _json(writer, manners.status, {"error": {"message": manners.says or "trouble"}})
        assert self._room is not None
        async with self._room:
            self._running(1)
            try:
                await self._made_by(path)(number, asked, writer)
            finally:
                self._running(-1)

    def _metrics(self) -> str:
        """A page of metrics with the names and labels of the server that it plays."""
        running, read, made = self._active, self._read, self._made
        label = '{engine="0",model_name="tiny"}'
        cached = read * self.manners.cached_share
        lines = {
            "vllm": f"""# HELP vllm:num_requests_running Number of requests.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{label} {running:.1f}
vllm:num_requests_waiting{label} 0.0
vllm:prompt_tokens_total{label} {read:.1f}
vllm:generation_tokens_total{label} {made:.1f}
vllm:prefix_cache_queries_total{label} {read:.1f}
vllm:prefix_cache_hits_total{label} {cached:.1f}
vllm:time_to_first_token_seconds_bucket{{le="+Inf"}} NaN
""",
            "sglang": f"""sglang:num_running_reqs{label} {running}
sglang:num_queue_reqs{label} 0
sglang:prompt_tokens_total{label} {read}
sglang:cached_tokens_total{label} {cached}
sglang:generation_tokens_total{label} {made}
""",
            "llamacpp": f"""# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing {running}
llamacpp:requests_deferred 0
llamacpp:prompt_tokens_total {read - cached}
llamacpp:prompt_tokens_cached_total {cached}
llamacpp:tokens_predicted_total {made}
""",
        }
        return lines[self.manners.metrics]

    def _running(self, more: int) -> None:
        self._active += more
        if CONTROL_VARIABLE in os.environ:
            draw(0, IDLE_W + (REQUEST_W + self._more_w) * self._active)

    def _made_by(self, path: str) -> Callable[..., Coroutine[Any, Any, None]]:
        return {PATHS[2]: self._picture, PATHS[3]: self._clip}.get(path, self._stream)

    def _manner(self, number: int) -> str:
        manners = self.manners
        wrong = number >= manners.media_from and number % manners.media_every == 0
        return manners.media if wrong else ""

    async def _picture(self, number: int, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.manners.first_s)
        manner = self._manner(number)
        await _json(writer, 200, images_answer(asked, manner))

    async def _clip(self, number: int, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        del asked
        await asyncio.sleep(self.manners.first_s)
        manner = self._manner(number)
        content = speech_answer(self.manners.clip_s, manner)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nConnection: close\r\n\r\n")
        for at in range(0, len(content), 4096):
            writer.write(content[at : at + 4096])
            await writer.drain()
            await asyncio.sleep(self.manners.token_s)

    async def _stream(self, number: int, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        manners, chat = self.manners, "messages" in asked
        prompt = asked["messages"][0]["content"] if chat else asked["prompt"]
        self._read += round(len(prompt.split()) * manners.input_tokens)
        tokens = min(asked["max_tokens"], manners.eos_after or asked["max_tokens"])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        if manners.silent_from and number >= manners.silent_from:
            await asyncio.sleep(60)
        await asyncio.sleep(manners.first_s)
        echoed = self._sent if manners.echoes_key else ""
        named = "other" if manners.other_model_from and number >= manners.other_model_from else manners.model
        for at in range(tokens):
            if manners.drops_every and number % manners.drops_every == 0 and at == tokens // 2:
                return
            text = WORDS[(number + at) % len(WORDS)] + " " + (f"{echoed} " if echoed else "")
            part = {"delta": {"content": text}} if chat else {"text": text}
            finish = ("length" if tokens == asked["max_tokens"] else "stop") if at == tokens - 1 else None
            _event(writer, {"model": named + echoed, "choices": [part | {"finish_reason": finish}]})
            self._made += 1
            await writer.drain()
            await asyncio.sleep(manners.token_s)
        if manners.usage:
            read = round(len(prompt.split()) * manners.input_tokens)
            usage = {"prompt_tokens": read, "completion_tokens": round(tokens * manners.usage_factor)}
            _event(writer, {"model": named + echoed, "choices": [], "usage": usage})
        writer.write(b"data: [DONE]\n\n")
        await writer.drain()


def _starts() -> int:
    """How many servers were started with this folder of temporary files, this one included."""
    with open(f"{tempfile.gettempdir()}/starts", "a+b") as book:
        book.write(b".")
        return book.tell()


def _event(writer: asyncio.StreamWriter, value: dict[str, Any]) -> None:
    writer.write(b"data: " + json.dumps(value).encode() + b"\n\n")


async def _json(writer: asyncio.StreamWriter, status: int, value: dict[str, Any]) -> None:
    await _whole(writer, status, "application/json", json.dumps(value).encode())


async def _text(writer: asyncio.StreamWriter, text: str) -> None:
    await _whole(writer, 200, "text/plain", text.encode())


async def _whole(writer: asyncio.StreamWriter, status: int, kind: str, body: bytes) -> None:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
    await writer.drain()


@contextmanager
def serving(manners: Manners, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL of such a server, for the time of a `with` block."""
    server, ready = Server(manners), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(0, ready, tls)))
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.port}/v1"
    finally:
        server.stop()
        thread.join(10)


if __name__ == "__main__":
    given = Manners(**json.loads(sys.argv[2]))
    if given.key == "from the environment":
        given.key = os.environ["SERVED_TEST_KEY"]
        print(f"serving with api_key={given.key}", flush=True)
        print(f"environment: {os.environ.get('HF_TOKEN')} https://me:planted-pass@host/v1", flush=True)
    if CONTROL_VARIABLE in os.environ:
        draw(0, IDLE_W)
    asyncio.run(Server(given).serve(int(sys.argv[1])))
