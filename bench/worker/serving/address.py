"""Address of a server: on this machine, and then in which process, or on another one.

address = parse("http://localhost:8000/v1")
address.elsewhere()        # None, or why its cards are not those of this machine
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from bench.errors import UsageError

TUNNELS = ("ssh", "autossh", "kubectl", "cloudflared", "ngrok", "socat", "chisel")
"""Programs that listen here for a server that is on another machine."""
PORTS = {"http": 80, "https": 443}
EXAMPLE = "Write it like http://localhost:8000/v1."


@dataclass(frozen=True)
class Address:
    """A server's base URL, host and port."""

    url: str
    host: str
    port: int

    @property
    def root(self) -> str:
        """The URL without its path, for health, versions and metrics."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def elsewhere(self) -> str | None:
        """Why this server's cards are not those of this machine; `None` where it runs here."""
        if not _is_own(self.host):
            return f"the server at {self.host} is on another machine, which has no meter of this one"
        for pid in self.listening_pids():
            with contextlib.suppress(psutil.Error):
                name = psutil.Process(pid).name()
                if name.split(".")[0] in TUNNELS:
                    return f"port {self.port} is a tunnel of {name} to another machine"
        return None

    def listening_pids(self) -> tuple[int, ...]:
        """Processes that listen on its port, with their children; none where this may not be read."""
        try:
            connections = psutil.net_connections("tcp")
        except (psutil.Error, OSError):
            return ()
        owners = {
            connection.pid
            for connection in connections
            if connection.status == psutil.CONN_LISTEN
            and connection.pid is not None
            and connection.laddr
            and connection.laddr.port == self.port
        }
        return tuple(sorted(owners.union(*(_children(pid) for pid in owners)))) if owners else ()


def parse(url: str, given: str = "--endpoint") -> Address:
    """An endpoint's address, which `given` names. Raises UsageError without a URL that may hold a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError(f"{given}: this is not a URL.", EXAMPLE) from None
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            f"{given}: a URL with a user, a password or a query may hold a secret.",
            "Name the key's variable in models.yaml: `serve: {key: VARIABLE}`.",
        )
    if parts.scheme not in PORTS or not parts.hostname:
        raise UsageError(f'{given}: "{url}" is not an http or https URL.', EXAMPLE)
    return Address(url.rstrip("/"), parts.hostname, port or PORTS[parts.scheme])


def free_port() -> int:
    """A port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> set[int]:
    with contextlib.suppress(psutil.Error):
        return {child.pid for child in psutil.Process(pid).children(recursive=True)}
    return set()


def _is_own(host: str) -> bool:
    """Whether a host is this machine: loopback, or the address of one of its interfaces."""
    try:
        found = {str(entry[4][0]).split("%")[0] for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    own = {
        address.address.split("%")[0]
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in (socket.AF_INET, socket.AF_INET6)
    }
    return any(address in own or ipaddress.ip_address(address).is_loopback for address in found)
