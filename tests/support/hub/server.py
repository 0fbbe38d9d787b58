"""The two servers of the hub: one answers for models and small files, the other has the large files.

Questions and headers are those of huggingface.co as its client asks and reads them: `api/models/ID/revision`
and `/tree`, `ID/resolve/REVISION/FILE` with `X-Repo-Commit`, `X-Linked-ETag` and `X-Linked-Size`, a redirect
to this host for files of git and to another host for stored ones, ranges, and `X-Error-Code` for what is
refused. Both also answer as a proxy for the other. Xet is left out.
"""

from __future__ import annotations

import http.server
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.support.hub.models import COMMIT, Published, PublishedFile

REVISIONS = (COMMIT, "main")


@dataclass(frozen=True)
class Asked:
    """One request. `server` is `hub` or `storage`; header names are in lower case."""

    server: str
    method: str
    path: str
    headers: Mapping[str, str]

    def is_file(self, name: str) -> bool:
        """Whether the hub is asked for this file."""
        return self.server == "hub" and "/resolve" in self.path and self.path.endswith(f"/{name}")


@dataclass(frozen=True)
class Answer:
    """What a server answers. `cut_at` bytes of the body are sent before the connection is closed."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    cut_at: int | None = None
    byte_pause_s: float = 0.0
    """Pause after each byte of the body."""
    silent_s: float = 0.0
    """Pause before anything is sent."""


Fault = Callable[[Asked], Answer | None]


class Once:
    """A fault that happens the first few times alone."""

    def __init__(self, fault: Fault, times: int = 1) -> None:
        self._fault, self._left = fault, times

    def __call__(self, asked: Asked) -> Answer | None:
        answer = self._fault(asked) if self._left else None
        self._left -= answer is not None
        return answer


class Hub:
    """The hub of these models. A `fault` answers in its place where it returns an answer."""

    def __init__(self, models: Mapping[str, Published]) -> None:
        self.models = models
        self.fault: Fault = lambda _: None
        self.asked: list[Asked] = []
        self.url = self.storage_url = ""

    def paths(self, server: str = "hub") -> list[str]:
        """What a server was asked for, in order."""
        return [asked.path for asked in self.asked if asked.server == server]

    def answer(self, asked: Asked) -> Answer:
        """The answer to a request, which is noted."""
        self.asked.append(asked)
        if (fault := self.fault(asked)) is not None:
            return fault
        if asked.server == "storage":
            return self._stored(asked)
        if found := re.fullmatch(
            r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+)(?:/(.*))?)?", asked.path
        ):
            return self._about(*found.groups())
        if found := re.fullmatch(
            r"(?:/api/resolve-cache/models)?/([^/]+/[^/]+?)(/resolve)?/([^/]+)/(.+)", asked.path
        ):
            return self._file(*found.groups())
        return Answer(200 if asked.path == "/api/agent-harnesses" else 404)

    def whole(self, model: str, name: str) -> Answer:
        """The answer of the server that has this file, to a request for all of it."""
        return Answer(200, {"Accept-Ranges": "bytes"}, self.models[model][name].content)

    def _about(self, model: str, what: str | None, revision: str | None, folder: str | None) -> Answer:
        if (refused := self._refused(model, revision or "main")) is not None:
            return refused
        files = self.models[model]
        if what != "tree":
            siblings = [{"rfilename": name} for name in files]
            return _json({"id": model, "modelId": model, "sha": COMMIT, "siblings": siblings})
        inside = {name: file for name, file in files.items() if name.startswith(folder or "")}
        return (
            _json([file.entry(name) for name, file in inside.items()]) if inside else _error("EntryNotFound")
        )

    def _file(self, model: str, resolve: str | None, revision: str, name: str) -> Answer:
        if (refused := self._refused(model, revision)) is not None:
            return refused
        file = self.models[model].get(name)
        if file is None:
            return _error("EntryNotFound", {"X-Repo-Commit": COMMIT})
        return self._resolved(model, name, file) if resolve else _whole(file)

    def _resolved(self, model: str, name: str, file: PublishedFile) -> Answer:
        headers = {
            "X-Repo-Commit": COMMIT,
            "X-Linked-ETag": f'"{file.announced}"',
            "X-Linked-Size": str(len(file.content)),
        }
        if file.stored:
            signed = f"{self.storage_url}/{file.announced}?X-Amz-Signature=0"
            return Answer(302, {**headers, "Location": signed})
        return Answer(307, {**headers, "Location": f"/api/resolve-cache/models/{model}/{COMMIT}/{name}"})

    def _refused(self, model: str, revision: str) -> Answer | None:
        if model not in self.models:
            return _error("RepoNotFound")
        return None if revision in REVISIONS else _error("RevisionNotFound")

    def _stored(self, asked: Asked) -> Answer:
        if "authorization" in asked.headers:
            return Answer(400, {}, b"<Error>Only one auth mechanism allowed</Error>")
        digest = asked.path.removeprefix("/")
        stored = (
            file for files in self.models.values() for file in files.values() if file.announced == digest
        )
        file = next(stored, None)
        if file is None:
            return Answer(403)
        begun = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
        if begun is None:
            return _whole(file)
        first, size = int(begun[1]), len(file.content)
        return Answer(206, {"Content-Range": f"bytes {first}-{size - 1}/{size}"}, file.content[first:])


def _whole(file: PublishedFile) -> Answer:
    headers = {"ETag": f'"{file.announced}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
    return Answer(200, headers, file.content)


def _json(value: Any) -> Answer:
    return Answer(200, {"Content-Type": "application/json"}, json.dumps(value).encode())


def _error(code: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(404, {"X-Error-Code": code, "X-Error-Message": code, **(headers or {})})


def _handler(hub: Hub, server: str) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            url = urlsplit(self.path)
            # As a proxy, this server is asked for whole addresses.
            wanted = "storage" if url.netloc == urlsplit(hub.storage_url).netloc else server
            answer = hub.answer(Asked(wanted, self.command, unquote(url.path), headers))
            time.sleep(answer.silent_s)
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            with suppress(OSError):  # the client has had enough
                self.end_headers()
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            if self.command == "HEAD":
                return
            if answer.byte_pause_s:
                for byte in answer.body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(answer.byte_pause_s)
            else:
                self.wfile.write(answer.body[: answer.cut_at])
            self.close_connection = self.close_connection or answer.cut_at is not None

        do_HEAD = do_GET  # noqa: N815 - the base's name

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    return Handler


class _Server(http.server.ThreadingHTTPServer):
    block_on_close = False  # of a connection that the client keeps, or to which bytes trickle

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no fault of this server."""


@contextmanager
def serving_hub(models: Mapping[str, Published]) -> Iterator[Hub]:
    """A hub and its storage while the block lasts: on 127.0.0.1, and on localhost by its name."""
    hub = Hub(models)
    servers = [_Server(("127.0.0.1", 0), _handler(hub, name)) for name in ("hub", "storage")]
    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        for server in servers
    ]
    hub.url = f"http://127.0.0.1:{servers[0].server_address[1]}"
    hub.storage_url = f"http://localhost:{servers[1].server_address[1]}"
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
