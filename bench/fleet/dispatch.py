"""Dispatch of cases to the machines of a fleet: plain bookkeeping, without any cluster.

    board = DispatchBoard(cases=6, nodes={"a": facts, "b": facts})
    board.next_case("a")          # 0; None where nothing is left for it
    board.done("a"); board.lost("b")     # the lost machine's case starts anew elsewhere
    board.failed("a", "its card is used")     # and so does one that could not begin

A machine has one case at a time. A case that was measured goes to a machine that has its record. One whose
machine was lost begins again whole, and is given up after the second loss: a case that kills machines would
otherwise take the fleet down.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.fleet.node import NodeFacts

MOST_LOSSES = 2
LOST = "it was lost while it measured"


@dataclass
class DispatchBoard:
    """Cases by their place in the plan: waiting, on a machine, done, and given up with the reason."""

    cases: int
    nodes: dict[str, NodeFacts]
    every_node: bool = False
    """Whether each machine measures every case, to compare machines."""
    _waiting: dict[int, set[str]] = field(default_factory=dict)
    """By case: the machines that may take it."""
    _on: dict[str, int] = field(default_factory=dict)
    _losses: Counter[int] = field(default_factory=Counter)
    _failures: dict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """By case: the machines that could not begin it, with the reason."""
    given_up: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for case in range(self.cases):
            may = {name for name, facts in self.nodes.items() if case not in facts.refusals}
            has = {name for name, facts in self.nodes.items() if case in facts.measured}
            if not may | has:
                self.given_up[case] = self._why_nowhere(case)
            else:  # a machine that has measured it answers with that record at once
                self._waiting[case] = may | has if self.every_node else has or may

    def _why_nowhere(self, case: int) -> str:
        reasons = {name: facts.refusals[case] for name, facts in self.nodes.items() if case in facts.refusals}
        return "; ".join(f"{name}: {reason}" for name, reason in reasons.items()) or "no machine is there"

    def waiting(self, case: int) -> list[str]:
        """The machines that may take a case; none once it is on one, done or given up."""
        return sorted(self._waiting.get(case, ()))

    def next_case(self, node: str) -> int | None:
        """The case that this machine takes now: of those that it may take, the one that fewest others may."""
        if node in self._on or node not in self.nodes:
            return None
        may = [case for case, nodes in self._waiting.items() if node in nodes]
        if not may:
            return None
        case = min(may, key=lambda each: (len(self._waiting[each]), each))
        if self.every_node:
            self._waiting[case].discard(node)
            if not self._waiting[case]:
                del self._waiting[case]
        else:
            del self._waiting[case]
        self._on[node] = case
        return case

    def done(self, node: str) -> int:
        """The machine is free; returns its case."""
        return self._on.pop(node)

    def failed(self, node: str, reason: str) -> int:
        """The machine is free without a record; its case waits for others. Returns the case."""
        case = self._on.pop(node)
        self._failures[case][node] = reason
        if self.every_node:
            self.given_up[case] = self._why_failed(case)
        else:
            self._begin_anew(case)
        return case

    def _begin_anew(self, case: int) -> None:
        """Let a case wait for the machines that may still take it, or give it up."""
        failed = self._failures[case]
        may = {
            name for name, facts in self.nodes.items() if case not in facts.refusals and name not in failed
        }
        if may:
            self._waiting[case] = may
        else:
            self.given_up[case] = self._why_failed(case)

    def _why_failed(self, case: int) -> str:
        return "; ".join(f"{node}: {reason}" for node, reason in self._failures[case].items())

    def lost(self, node: str) -> int | None:
        """The machine is gone; its case, if it had one, waits for another. Returns the case."""
        self.nodes.pop(node, None)
        case = self._on.pop(node, None)
        for other, may in list(self._waiting.items()):
            may.discard(node)
            if not may:
                del self._waiting[other]
                if not self.every_node:
                    self.given_up[other] = f"{node}, the last machine that could measure it, was lost"
        if case is None:
            return None
        self._failures[case][node] = LOST
        self._losses[case] += 1
        if self.every_node:
            self.given_up[case] = self._why_failed(case)
        elif self._losses[case] >= MOST_LOSSES:
            self.given_up[case] = f"{MOST_LOSSES} machines were lost while they measured it"
        else:
            self._begin_anew(case)
        return case

    @property
    def finished(self) -> bool:
        """Whether nothing is waiting and nothing is measured."""
        return not self._waiting and not self._on

    @property
    def busy(self) -> Mapping[str, int]:
        """The case that each busy machine measures."""
        return self._on
