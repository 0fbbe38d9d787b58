"""Metering agent of one node: answers over HTTP for windows of its own clock (`bench fleet meter`).

    with listening(windows, "127.0.0.1", 0, token) as server:
        server.port

Every request needs the token, is small and has a time limit; every answer is typed JSON or the recorder's
rows. Nothing is executed, nothing is unpickled, and no request changes anything here.
"""

from __future__ import annotations

import hmac
import http
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol, TypeVar

from pydantic import ValidationError

from bench.core.model import SchemaModel
from bench.core.secrets import masked
from bench.errors import PrerequisiteError
from bench.meters.nodes.messages import (
    LARGEST_REQUEST,
    LARGEST_SAMPLES,
    LATEST_END_S,
    SHORTEST_TOKEN,
    TOKEN_VARIABLE,
    ClockReply,
    MeterDescription,
    Refusal,
    SamplesQuery,
    WindowQuery,
    WindowReply,
)

IDLE_S = 600.0
"""A connection on which nothing is asked for so long is closed; the client opens another one."""
MOST_CONNECTIONS = 16
FAULT = "a fault of its agent"
Query = TypeVar("Query", bound=SchemaModel)


class NodeMeter(Protocol):
    """What an agent answers from."""

    @property
    def session(self) -> str:
        """Of this start."""

    def description(self) -> MeterDescription:
        """What is metered."""

    def window(self, query: WindowQuery) -> WindowReply:
        """Joules of a window."""

    def samples(self, query: SamplesQuery) -> bytes:
        """Rows of a domain."""


class AgentServer(ThreadingHTTPServer):
    """Listens for one meter; a thread a connection, of which there are few."""

    daemon_threads = True
    request_queue_size = MOST_CONNECTIONS

    def __init__(self, meter: NodeMeter, host: str, port: int, token: str, clock: Callable[[], int]) -> None:
        self.meter, self.clock, self._token = meter, clock, token.encode()
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((host, port), _Handler)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self.server_address[1])

    def admits(self, header: str | None) -> bool:
        """Whether a request has the token; the time that this takes is the same for all wrong ones."""
        return hmac.compare_digest((header or "").encode(), b"Bearer " + self._token)

    def process_request_thread(self, request: object, client_address: object) -> None:
        """Answer one connection, unless too many are open."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)  # type: ignore[arg-type]
            return
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            self._room.release()


class _Handler(BaseHTTPRequestHandler):
    """One connection; stamps are taken when a request's head has come, and right before the answer."""

    server: AgentServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "joulebench", ""
    timeout = IDLE_S
    disable_nagle_algorithm = True  # a reply in two segments would wait 40 ms for an acknowledgement

    def do_GET(self) -> None:
        """What is metered here."""
        if self._admitted() and self._found("/meter"):
            self._answer(self.server.meter.description)

    def do_POST(self) -> None:
        """Stamps, joules or samples."""
        received_ns = self.server.clock()
        if not self._admitted() or not self._found("/clock", "/window", "/samples"):
            return
        body = self._body()
        if body is None:
            return
        if self.path == "/clock":
            sent_ns = self.server.clock()
            session = self.server.meter.session
            self._send(ClockReply(session=session, received_ns=received_ns, sent_ns=sent_ns))
        elif self.path == "/window":
            self._window(body)
        else:
            self._samples(body)

    def _window(self, body: bytes) -> None:
        query = self._query(body, WindowQuery)
        if query is not None and query.end_ns > self.server.clock() + LATEST_END_S * 1e9:
            self._refuse(http.HTTPStatus.BAD_REQUEST, "the window ends in the future")
        elif query is not None:
            self._answer(lambda: self.server.meter.window(query))

    def _samples(self, body: bytes) -> None:
        query = self._query(body, SamplesQuery)
        if query is not None:
            self._answer(lambda: self.server.meter.samples(query))

    def _answer(self, ask: Callable[[], SchemaModel | bytes]) -> None:
        """Send what the meter answers, or the fault that it raises: its end would look like a lost node."""
        try:
            answer = ask()
        except Exception as error:  # noqa: BLE001 - the boundary: the client gets a sentence, the agent goes on
            said = masked(f"{FAULT}: {type(error).__name__}: {error}")
            self._refuse(http.HTTPStatus.INTERNAL_SERVER_ERROR, said)
            return
        if isinstance(answer, SchemaModel):
            self._send(answer)
        elif len(answer) > LARGEST_SAMPLES:
            self._refuse(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "there are too many samples")
        else:
            self._send_bytes(http.HTTPStatus.OK, "application/octet-stream", answer)

    def _query(self, body: bytes, kind: type[Query]) -> Query | None:
        """The request's content; `None` once a wrong one is refused."""
        try:
            return kind.model_validate_json(body)
        except ValidationError as error:
            self._refuse(http.HTTPStatus.BAD_REQUEST, str(error.errors()[0]["msg"]))
            return None

    def _admitted(self) -> bool:
        if self.server.admits(self.headers.get("Authorization")):
            return True
        self.close_connection = True
        time.sleep(0.1)  # guessing stays slow
        self._refuse(http.HTTPStatus.UNAUTHORIZED, f"the token is not that of {TOKEN_VARIABLE} at the node")
        return False

    def _found(self, *paths: str) -> bool:
        if self.path not in paths:
            self._refuse(http.HTTPStatus.NOT_FOUND, "nothing is there")
        return self.path in paths

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_REQUEST:
            self.close_connection = True
            self._refuse(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the request is too long")
            return None
        return self.rfile.read(int(length))

    def _send(self, message: SchemaModel) -> None:
        self._send_bytes(http.HTTPStatus.OK, "application/json", message.model_dump_json().encode())

    def _refuse(self, status: http.HTTPStatus, error: str) -> None:
        self._send_bytes(status, "application/json", Refusal(error=error).model_dump_json().encode())

    def _send_bytes(self, status: http.HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: a line a request would be hundreds, and headers hold the token."""


@contextmanager
def listening(
    meter: NodeMeter, host: str, port: int, token: str, clock: Callable[[], int] = time.monotonic_ns
) -> Iterator[AgentServer]:
    """An agent that answers in threads until the block ends. Raises PrerequisiteError."""
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable():
        raise PrerequisiteError(
            f"{TOKEN_VARIABLE} is not set, or has fewer than {SHORTEST_TOKEN} printable characters.",
            f"Set the same on all machines: export {TOKEN_VARIABLE}=$(openssl rand -hex 16).",
        )
    try:
        server = AgentServer(meter, host, port, token, clock)
    except OSError as error:
        raise PrerequisiteError(
            f"{host}:{port} cannot be listened on: {error.strerror or error}.",
            "Choose another with --listen.",
        ) from error
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
