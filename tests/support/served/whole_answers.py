"""A server of whole answers, not streamed, in a thread of a test: it writes words and keeps requests."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answers:
    """How it answers, and the bodies and headers that it saw."""

    text: str = ""
    """Beginning of each answer, in words that are tokens."""
    short_by: int = 0
    usage: bool = True
    status: int = 200
    error: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    url: str = ""


@contextmanager
def answering(answers: Answers) -> Iterator[Answers]:
    """Serve for the life of the block; `answers.url` is its base."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answers.seen.append(body)
            answers.keys.append(self.headers.get("authorization"))
            content = json.dumps(_answer(answers, body)) if answers.status == 200 else answers.error
            self.send_response(answers.status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    answers.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(answers: Answers, body: dict[str, Any]) -> dict[str, Any]:
    prompt = body["messages"][-1]["content"]
    count = body["max_tokens"] - answers.short_by
    words = [*answers.text.split(), *(f"word{n}" for n in range(count))][:count]
    usage = {"completion_tokens": len(words), "prompt_tokens": len(prompt.split())}
    found: dict[str, Any] = {"choices": [{"message": {"content": " ".join(words)}}]}
    return found | ({"usage": usage} if answers.usage else {})
