"""`python -m tests.worker.toys.server LOG`: a server that 'generates' on a stand-in's card, with known watts.

Each open request draws `REQUEST_W` on top of `IDLE_W`. The log has a line a request: when it began and ended.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.standin import draw

CARD = "GPU-00000000-0000-4000-8000-000000000000"
IDLE_W, REQUEST_W = 60.0, 80.0
LEAST_S, MOST_S = 0.06, 0.14


class Handler(BaseHTTPRequestHandler):
    """Answers `/model` and `/generate`."""

    log = Path()
    guard = threading.Lock()
    running = 0

    def do_GET(self) -> None:
        self._answer({"card": CARD, "parameters": 1_000_000})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        begun_ns = self._count(1)
        time.sleep(random.uniform(LEAST_S, MOST_S))
        ended_ns = self._count(-1)
        with self.guard, self.log.open("a") as file:
            file.write(f"{begun_ns} {ended_ns}\n")
        self._answer({"tokens": asked["tokens"], "begun_ns": begun_ns, "ended_ns": ended_ns})

    @classmethod
    def _count(cls, more: int) -> int:
        with cls.guard:
            cls.running += more
            return draw(0, IDLE_W + REQUEST_W * cls.running)

    def _answer(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """It says nothing."""


if __name__ == "__main__":
    Handler.log = Path(sys.argv[1])
    draw(0, IDLE_W)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
