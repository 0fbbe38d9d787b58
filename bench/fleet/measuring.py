"""A plan on the nodes of a cluster: cases handed out, files taken in, and what is said meanwhile.

    with Cluster("auto", folder) as cluster:
        outcome = measure_on(cluster, plan, results, print)
        outcome.paths, outcome.given_up, outcome.exit_status

Each node has one case at a time. A record is written here as soon as its case has ended, so that what is
complete outlasts this process, the head and the nodes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.errors import PrerequisiteError
from bench.fleet.cluster import Cluster
from bench.fleet.dispatch import DispatchBoard
from bench.fleet.node import MeasuredFiles, NodeFacts, write
from bench.fleet.pace import Pace, SlowNode
from bench.measurement.case_plan import CasePlan, hashes
from bench.measurement.outcome import FAILED, INTERRUPTED, gravest

HEAD_LOOK_S = 5.0
HEAD_LOST_LOOKS = 4
"""Looks without an answer after which the head is given up: 20 s, as Ray ends this process after 60 s."""
HEAD_LOST = (
    "The head of the cluster no longer answers. Start it again and join its nodes; the same command goes on."
)


@dataclass
class FleetOutcome:
    """Paths of the records that were fetched, cases that were not measured, and the exit statuses."""

    paths: list[Path] = field(default_factory=list)
    given_up: dict[str, str] = field(default_factory=dict)
    """Reasons by the case's label."""
    too_large: dict[str, str] = field(default_factory=dict)
    """Reasons of points that a node's memory does not suffice for, by label."""
    errors: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    interrupted: bool = False

    @property
    def exit_status(self) -> int:
        """130 when interrupted, 1 where a case was not measured, else the gravest of the cases' own."""
        own = [INTERRUPTED] if self.interrupted else []
        own += [FAILED] if self.given_up or self.errors else []
        return gravest([*own, *self.statuses])


@dataclass
class _FleetRun:
    """What is under way: cases on nodes by what `Cluster.ready` answers for, their pace, the outcome."""

    cluster: Cluster
    plan: CasePlan
    results: Path
    say: Callable[[str], None]
    board: DispatchBoard
    pace: Pace = field(default_factory=Pace)
    outcome: FleetOutcome = field(default_factory=FleetOutcome)
    running: dict[Any, str] = field(default_factory=dict)
    _looked_s: float = field(default_factory=time.monotonic)
    _missed: int = 0

    def step(self) -> None:
        """Give free nodes their next cases, and take in what ends within a second."""
        self.running |= dict(self._started())
        self.take_in()
        for slow in self.pace.slow(time.monotonic()):
            self.say(self._remark(slow))

    def _started(self) -> Iterator[tuple[Any, str]]:
        """Give each free node its next case."""
        for node in list(self.board.nodes):
            case = self.board.next_case(node)
            if case is not None:
                self.pace.begins(node, case, time.monotonic())
                yield self.cluster.start(node, self.plan.alone(self.plan.cases[case])), node

    def take_in(self) -> None:
        """Take in what has ended within a second, and keep it."""
        for reference in self.cluster.ready(list(self.running)):
            node = self.running.pop(reference)
            measured = self.cluster.result(reference)
            if measured is None:
                self.board.lost(node)
                self.pace.lost(node)
                self.say(f"{node}: lost; its case starts anew elsewhere")
                continue
            if measured.error is not None:
                self._failed(node, measured)
                continue
            self.board.done(node)
            took_s = self.pace.ends(node, time.monotonic())
            self.outcome.paths += write(self.results, measured)
            self.outcome.statuses.append(measured.exit_status)
            self.outcome.too_large |= measured.too_large
            self.say(f"{node}: {measured.summary or 'done'}, {took_s:.0f} s")

    def _failed(self, node: str, measured: MeasuredFiles) -> None:
        """A case gave no record there: it is tried on another node, unless the run is being stopped."""
        error = str(measured.error)
        case = self.board.failed(node, error.rstrip("."))
        self.pace.lost(node)
        goes_on = "" if case in self.board.given_up else " It is tried elsewhere."
        self.say(f"{node}: {self.plan.cases[case].case.label} was not measured: {error}{goes_on}")

    def _remark(self, slow: SlowNode) -> str:
        label = self.plan.cases[slow.case].case.label
        beside = f"{slow.times:.1f} times the median of {slow.ended} that ended ({slow.usual_s:.0f} s)"
        doing = self.cluster.progress(slow.node) or "it does not answer at once"
        return f"{slow.node}: slow: {label} has taken {slow.elapsed_s:.0f} s, {beside}; {doing}"

    def head_lost(self) -> bool:
        """Whether the head has not answered for a while; looked at every few seconds."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= HEAD_LOOK_S:
            self._looked_s = now_s
            self._missed = 0 if self.cluster.head_answers() else self._missed + 1
        return self._missed >= HEAD_LOST_LOOKS


def measure_on(
    cluster: Cluster,
    plan: CasePlan,
    results: Path,
    say: Callable[[str], None],
    *,
    every_node: bool = False,
) -> FleetOutcome:
    """Measure all cases of a plan on the nodes, one at a time a node, and write their records to `results`.

    A node that is lost, or that cannot begin its case, costs that case a new start elsewhere, whole. Without
    its head no cluster goes on.
    """
    described = cluster.describe(plan)
    nodes = {name: facts for name, facts in described.items() if isinstance(facts, NodeFacts)}
    for name, facts in described.items():
        say(f"{name}: {facts if isinstance(facts, str) else facts.summary}")
    if not nodes:
        raise PrerequisiteError("No node of the cluster can measure.", "The lines above give the reasons.")
    plan = replace(plan, points=hashes(plan.cases))
    fleet = _FleetRun(
        cluster, plan, results, say, DispatchBoard(len(plan.cases), nodes, every_node=every_node)
    )
    outcome = fleet.outcome
    try:
        while not fleet.board.finished and not fleet.head_lost():
            fleet.step()
    except KeyboardInterrupt:
        outcome.interrupted = True
        for node in fleet.running.values():
            cluster.stop(node)
        while fleet.running and not fleet.head_lost():
            fleet.take_in()
    if fleet.head_lost():
        outcome.errors.append(HEAD_LOST)
    reasons = fleet.board.given_up.items()
    outcome.given_up = {plan.cases[case].case.label: reason for case, reason in reasons}
    for node, (cases, median_s) in fleet.pace.by_node().items() if len(nodes) > 1 else ():
        say(f"{node}: {cases} of the cases, median {median_s:.0f} s")
    return outcome
