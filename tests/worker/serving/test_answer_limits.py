"""Answers that no server should send: endless, packed, nested without end; each is one reason code."""

from __future__ import annotations

import asyncio
import gzip
import time

import pytest

from bench.worker.serving import client as client_module
from bench.worker.serving.apis import Api
from bench.worker.serving.client import Answer, ServerClient
from bench.worker.serving.secrets import ApiKey

EVENT = b'data: {"choices": [{"delta": {"content": "One\xe2\x80\xa8"}, "finish_reason": "stop"}]}\n\n'


def asked(api: Api, body: bytes, head: str = "", status: int = 200, times: int = 1) -> Answer:
    """The answer of a server on loopback that sends a head and a body, the body several times."""

    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            writer.write(f"HTTP/1.1 {status} X\r\nConnection: close\r\n{head}\r\n".encode())
            for _ in range(times):
                writer.write(body)
                await writer.drain()
        except ConnectionError:
            pass  # the client had enough
        writer.close()
        ended.set()

    async def ask() -> Answer:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        client = ServerClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", ApiKey(), 20.0)
        try:
            return await client.ask(api, {"stream": True}, Answer(0, time.monotonic_ns()))
        finally:
            await client.close()
            await asyncio.wait_for(ended.wait(), 20)
            server.close()

    return asyncio.run(ask())


def test_an_event_is_a_line_whatever_its_text_has() -> None:
    answer = asked("chat", EVENT)
    assert answer.whole
    assert answer.text == "One\u2028", "a line separator inside of a text ends no line"
    assert asked("chat", EVENT.strip()).whole, "also without an end of its last line"


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_without_end_is_given_up(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MOST_TEXT_BYTES", 300_000)
    answer = asked("chat", b"x" * 100_000, status=status, times=100)
    assert (answer.failure, answer.message) == ("too-large", "an answer of more than 0 MB")


def test_an_answer_that_unpacks_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MOST_MEDIA_BYTES", 1_000_000)
    packed = gzip.compress(bytes(50_000_000))
    assert len(packed) < 100_000
    assert asked("speech", packed, "Content-Encoding: gzip\r\n").failure == "too-large"
    assert asked("speech", b"no gzip", "Content-Encoding: gzip\r\n").failure == "stream-cut"


@pytest.mark.parametrize(("api", "body"), [("chat", b"data: %s\n\n"), ("images", b"%s")])
def test_an_answer_nested_without_end_is_not_openais(api: Api, body: bytes) -> None:
    assert asked(api, body % (b"[" * 100_000)).failure == "not-openai"


def test_an_error_nested_without_end_keeps_its_status() -> None:
    assert asked("chat", b"[" * 100_000, status=503).failure == "http-503"


def test_a_page_of_metrics_without_end_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def looked() -> int | None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n" + b"a 1\n" * 1000)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = ServerClient(url, ApiKey(), 20.0)
        try:
            response = await client.get(f"{url}/metrics")
            return None if response is None else len(response.text)
        finally:
            await client.close()
            server.close()

    assert asyncio.run(looked()) == 4000
    monkeypatch.setattr(client_module, "MOST_TEXT_BYTES", 3000)
    assert asyncio.run(looked()) is None
