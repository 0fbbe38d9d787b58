"""Client of one metering agent: what it meters, its clock, and joules of windows on our clock.

    client = NodeClient(address, token)
    client.connect()                              # NodeError: nothing answers there
    client.compare_clocks()
    client.window(start_ns, end_ns)               # after another comparison

The standard library's HTTP client: stamps of an exchange are taken right around one write and one read.
"""

from __future__ import annotations

import http.client
import time
from contextlib import suppress
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from bench.core.model import SchemaModel
from bench.meters.nodes.address import NodeAddress
from bench.meters.nodes.clock import Exchange, HalfWidths, OffsetTrack, exchanged, quickest
from bench.meters.nodes.messages import (
    LARGEST_REPLY,
    LARGEST_SAMPLES,
    ClockReply,
    MeterDescription,
    Refusal,
    SamplesQuery,
    WindowQuery,
    WindowReply,
)

CONNECT_S, ANSWER_S = 5.0, 60.0
"""Longest wait for a connection and for stamps, and for joules: an agent waits for samples after a window."""
EXCHANGES = 8
Message = TypeVar("Message", bound=SchemaModel)


class NodeError(Exception):
    """What an agent did in place of the answer, in a few words."""


class NodeRefusalError(NodeError):
    """An agent that answers and does not give what was asked for: a refusal, or a fault of its own."""


class NodeClient:
    """One connection to an agent, opened anew where it was lost."""

    def __init__(self, address: NodeAddress, token: str) -> None:
        self.address = address
        self._token = token
        self._connection: http.client.HTTPConnection | None = None
        self._description: MeterDescription | None = None
        self.track = OffsetTrack()

    @property
    def description(self) -> MeterDescription:
        """What the agent meters, once it is connected."""
        assert self._description is not None, "connected before it is asked"
        return self._description

    def connect(self) -> None:
        """See what the agent meters, and its clock a first time. Raises NodeError."""
        self._description = self._message("GET", "/meter", None, MeterDescription)
        self.track = OffsetTrack()
        self.compare_clocks()

    def compare_clocks(self) -> None:
        """Keep the quickest of several exchanges. Raises NodeError."""
        self.track.add(quickest([self._exchange() for _ in range(EXCHANGES)]))

    def off_by(self, start_ns: int, end_ns: int) -> HalfWidths:
        """By how much the edges of a window of our clock may be off at the node."""
        return self.track.off_by(start_ns, end_ns)

    def window(self, start_ns: int, end_ns: int) -> WindowReply:
        """Joules of a window of our clock. Raises NodeError."""
        query = WindowQuery(
            start_ns=self.track.there_ns(start_ns),
            end_ns=self.track.there_ns(end_ns),
            clock_u_s=self.off_by(start_ns, end_ns).total_s,
        )
        reply = self._message("POST", "/window", query, WindowReply)
        self._same_session(reply.session)
        return reply

    def samples(self, domain: str, start_ns: int, end_ns: int) -> bytes:
        """The recorder's rows of a domain between two moments of the agent's clock. Raises NodeError."""
        query = SamplesQuery(domain=domain, start_ns=max(0, start_ns), end_ns=max(0, end_ns))
        return self._answer("POST", "/samples", query, LARGEST_SAMPLES)

    def now_there_ns(self) -> int:
        """The agent's clock now, by the offset of the last exchange."""
        return self.track.there_ns(time.monotonic_ns())

    def stamps_here(self, there_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Stamps of samples on our clock."""
        return self.track.here_ns(there_ns)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self) -> Exchange:
        sent_ns = time.monotonic_ns()
        content = self._answer("POST", "/clock", None, LARGEST_REPLY, CONNECT_S)
        back_ns = time.monotonic_ns()
        reply = _parsed(content, ClockReply)
        self._same_session(reply.session)
        return exchanged(sent_ns, reply.received_ns, reply.sent_ns, back_ns)

    def _same_session(self, session: str) -> None:
        """Raise NodeError where the agent was started anew: its clock and samples are others."""
        if session != self.description.session:
            self.connect()
            raise NodeError("its agent was started anew")

    def _message(self, method: str, path: str, query: SchemaModel | None, kind: type[Message]) -> Message:
        return _parsed(self._answer(method, path, query, LARGEST_REPLY), kind)

    def _answer(
        self, method: str, path: str, query: SchemaModel | None, largest: int, patience_s: float = ANSWER_S
    ) -> bytes:
        """The content of an answer of status 200. Raises NodeError."""
        body = query.model_dump_json().encode() if query is not None else b""
        try:
            status, content = self._asked_again(method, path, body, largest, patience_s)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise NodeError(f"no answer ({reason})") from error
        if len(content) > largest:
            self.close()
            raise NodeError(f"its answer is longer than {largest} bytes")
        if status != http.HTTPStatus.OK:
            raise NodeRefusalError(_refusal(content, status))
        return content

    def _asked_again(
        self, method: str, path: str, body: bytes, largest: int, patience_s: float
    ) -> tuple[int, bytes]:
        """Ask once more where the other side had closed a connection that was kept open since the last time.

        No request changes anything at the agent.
        """
        if self._connection is not None:
            with suppress(ConnectionError, http.client.HTTPException):
                return self._asked(self._connection, method, path, body, largest, patience_s)
            self.close()
        self._connection = self._connected()
        return self._asked(self._connection, method, path, body, largest, patience_s)

    def _asked(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes,
        largest: int,
        patience_s: float,
    ) -> tuple[int, bytes]:
        connection.sock.settimeout(patience_s)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read(largest + 1)

    def _connected(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=CONNECT_S)
        connection.connect()
        return connection


def _parsed(content: bytes, kind: type[Message]) -> Message:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise NodeError(f"its answer is not a {kind.__name__} of this version") from error


def _refusal(content: bytes, status: int) -> str:
    with suppress(ValidationError):
        return Refusal.model_validate_json(content).error[:200]
    return f"it answered with status {status}"
