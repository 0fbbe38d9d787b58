"""Pace of the nodes of a fleet: how long cases take on each, and which node is slow beside the others.

    pace.begins("a", 0, now_s=0.0); pace.ends("a", now_s=30.0)
    for slow in pace.slow(now_s=100.0): print(slow.node, slow.elapsed_s, slow.usual_s)

A running case is compared with the same case on other nodes where they had it (`every_node`), else with all
cases that have ended: these are unlike, so it is a remark and no verdict, and nothing follows from it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

SLOW = 3.0
"""Times the usual duration from which a node is called slow; again at each doubling of that."""
FEWEST_ENDED = 3
"""Ended cases of other kinds that make a usual duration."""


class SlowNode(NamedTuple):
    """A node whose case takes long: its seconds so far, and the median of `ended` others."""

    node: str
    case: int
    elapsed_s: float
    usual_s: float
    ended: int

    @property
    def times(self) -> float:
        """Elapsed over usual."""
        return self.elapsed_s / self.usual_s


@dataclass
class Pace:
    """Begin of each running case by node, and durations of those that ended."""

    _begun: dict[str, tuple[int, float]] = field(default_factory=dict)
    _by_case: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    _by_node: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _said: dict[str, float] = field(default_factory=dict)
    """Factor at which a node's running case is remarked on next."""

    def begins(self, node: str, case: int, now_s: float) -> None:
        """A node begins a case."""
        self._begun[node] = case, now_s
        self._said[node] = SLOW

    def ends(self, node: str, now_s: float) -> float:
        """A node's case ended; returns its seconds."""
        case, begun_s = self._begun.pop(node)
        took_s = now_s - begun_s
        self._by_case[case].append(took_s)
        self._by_node[node].append(took_s)
        return took_s

    def lost(self, node: str) -> None:
        """A node is gone; what it took counts for nothing."""
        self._begun.pop(node, None)

    def slow(self, now_s: float) -> list[SlowNode]:
        """Nodes to be remarked on now: each once, and again where its case has taken twice as long."""
        found = []
        for node, (case, begun_s) in self._begun.items():
            usual = self._by_case.get(case) or self._elsewhere(node)
            if not usual or median(usual) <= 0:
                continue
            slow = SlowNode(node, case, now_s - begun_s, median(usual), len(usual))
            if slow.times >= self._said[node]:
                self._said[node] = 2 * slow.times
                found.append(slow)
        return found

    def _elsewhere(self, node: str) -> list[float]:
        """Durations on other nodes, if there are enough."""
        others = [took_s for other, took in self._by_node.items() if other != node for took_s in took]
        return others if len(others) >= FEWEST_ENDED else []

    def by_node(self) -> dict[str, tuple[int, float]]:
        """Number of cases that ended on each node, and the median of their seconds."""
        return {node: (len(took), median(took)) for node, took in self._by_node.items()}
