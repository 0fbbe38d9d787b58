"""Nodes of a server as they are named on the command line.

parse(("prefill=10.0.0.5:9200", "decode=10.0.0.6:9200", "decode=none"))     # `none`: without a meter
# NodeAddress("prefill", "prefill", "10.0.0.5", 9200), NodeAddress("decode-1", "decode", ...), ...
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.errors import UsageError

NODE, UNMETERED = "node", "none"
ROLE = re.compile(r"[a-z][a-z0-9-]{0,31}")
EXAMPLE = "For example: --node prefill=10.0.0.5:9200, or --node decode=none for a node without a meter."


@dataclass(frozen=True)
class NodeAddress:
    """One node: its name in records, its role, and where its agent listens; without a port, no meter."""

    name: str
    role: str | None
    host: str = ""
    port: int | None = None

    @property
    def text(self) -> str:
        """`10.0.0.5:9200`."""
        return f"{self.host}:{self.port}" if self.port is not None else "no meter"


def parse(texts: Sequence[str]) -> tuple[NodeAddress, ...]:
    """The nodes; those of one role are numbered. Raises UsageError."""
    asked = [_split(text) for text in texts]
    where = [place for _, place in asked if place != UNMETERED]
    if twice := [place for place, count in Counter(where).items() if count > 1]:
        raise UsageError(f"--node names {twice[0]} twice.", "Name each node's agent once.")
    of_role = Counter(role or NODE for role, _ in asked)
    numbers: Counter[str] = Counter()
    found = []
    for role, place in asked:
        kind = role or NODE
        numbers[kind] += 1
        name = kind if of_role[kind] == 1 and role else f"{kind}-{numbers[kind]}"
        where_it_is = ("", None) if place == UNMETERED else host_and_port(place, "--node")
        found.append(NodeAddress(name, role, *where_it_is))
    return tuple(found)


def _split(text: str) -> tuple[str | None, str]:
    role, separator, place = text.rpartition("=")
    if not separator:
        return None, text
    if not ROLE.fullmatch(role) or role == NODE:
        raise UsageError(f'--node: "{role}" is not a role of small letters, digits and dashes.', EXAMPLE)
    return role, place


def host_and_port(place: str, option: str, *, free: bool = False) -> tuple[str, int]:
    """An address such as `10.0.0.5:9200` or `[::1]:9200`; port 0 where `free`. Raises UsageError."""
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    known = host and (port or (free and port == 0))
    if not known or parts.path or parts.username or parts.password or parts.query:
        raise UsageError(f'{option}: "{place}" is not HOST:PORT.', f"For example: {option} 10.0.0.5:9200.")
    return str(host), port or 0
