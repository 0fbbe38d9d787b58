"""Samples of one node as far as they were fetched, stamped by our clock.

They are fetched after each window, so that a node that is lost later leaves those of its blocks.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from bench.meters.nodes.client import NodeClient, NodeError
from bench.meters.sample_buffer import ROW

STILL_WRITTEN_NS = 200_000_000
"""Rows that are younger may still be on their way into the recorder's file."""


class KeptSamples:
    """Rows of every domain of a node, in time."""

    def __init__(self, client: NodeClient) -> None:
        self._client = client
        self._session = client.description.session
        self._until_ns = client.now_there_ns()
        self._rows: dict[str, list[NDArray[np.void]]] = {domain: [] for domain in client.description.domains}

    def fetch(self) -> None:
        """Add what came since the last time. Where the node is lost, nothing."""
        with suppress(NodeError):  # the windows have the reason
            until_ns = self._client.now_there_ns() - STILL_WRITTEN_NS
            if self._client.description.session != self._session:  # another clock
                self._session, self._until_ns = self._client.description.session, until_ns
            found = {domain: self._fetched(domain, until_ns) for domain in self._rows}
            for domain, rows in found.items():
                self._rows[domain].append(rows)
            self._until_ns = until_ns

    def between(self, domain: str, start_ns: int, end_ns: int) -> NDArray[np.void]:
        """A domain's rows between two moments of our clock."""
        rows = np.concatenate([np.empty(0, ROW), *self._rows[domain]])
        return rows[(rows["t_ns"] >= start_ns) & (rows["t_ns"] <= end_ns)]

    def _fetched(self, domain: str, until_ns: int) -> NDArray[np.void]:
        content = self._client.samples(domain, self._until_ns + 1, until_ns)
        rows = np.frombuffer(content[: len(content) // ROW.itemsize * ROW.itemsize], ROW).copy()
        if len(rows):
            rows["t_ns"] = self._client.stamps_here(rows["t_ns"])
        return rows
