"""`scripts/bench-fleet`: scheduling's share of the wall time over 1, 2 and 4 nodes of Ray on loopback.

The wall time is from the moment when all nodes have described themselves to the last record on disk; what
comes before, Ray's start and that of a process a node, is a column of its own. The exit status is 1 where the
share is 5 % or more, or a case was lost or measured twice.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ray.cluster_utils import Cluster as LocalCluster

from bench.fleet.cluster import Cluster
from bench.fleet.measuring import measure_on
from bench.fleet.node import NodeFacts
from bench.measurement.case_plan import CasePlan
from tests.support.simulated_node import NAME, SECONDS, SimulatedNode, planned

MOST_SHARE = 0.05
ROOT = Path(__file__).parents[2]
HEAD = (
    f"{'nodes':>5} {'cases':>5} {'start s':>8} {'wall s':>8} {'in cases':>9} {'outside':>8} {'ms a case':>10}"
)


class Row(NamedTuple):
    """Times of one fleet. Outside is the share of nodes × wall time in which no case ran."""

    nodes: int
    cases: int
    start_s: float
    wall_s: float
    in_cases_s: float
    faults: tuple[str, ...]

    @property
    def outside(self) -> float:
        """Share of the nodes' time that is not a case's."""
        return 1 - self.in_cases_s / (self.nodes * self.wall_s)

    def __str__(self) -> str:
        per_case_ms = 1000 * self.outside * self.nodes * self.wall_s / self.cases
        return (
            f"{self.nodes:5} {self.cases:5} {self.start_s:8.1f} {self.wall_s:8.1f} {self.in_cases_s:9.1f} "
            f"{self.outside:8.1%} {per_case_ms:10.0f}"
        )


class TimedCluster(Cluster):
    """Remembers when all nodes had described themselves."""

    described_s = 0.0

    def describe(self, plan: CasePlan) -> dict[str, NodeFacts | str]:
        """What each node is."""
        facts = super().describe(plan)
        self.described_s = time.monotonic()
        return facts


def measured(nodes: int, cases: int, folder: Path) -> Row:
    """Start a cluster with that many nodes, let them share the cases, and end it."""
    begun_s = time.monotonic()
    local = LocalCluster()
    try:
        for number in range(nodes):
            local.add_node(num_cpus=1, env_vars={NAME: f"node-{number}"})
        cluster = TimedCluster(local.address, str(folder / "nodes"), SimulatedNode)
        with cluster:
            outcome = measure_on(cluster, planned(cases), folder / "here", lambda line: None)
            ended_s = time.monotonic()
            described_s = cluster.described_s
    finally:
        local.shutdown()
    spans = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("here/*/*.span")]
    times = Counter(path.stem for path in folder.glob("here/*/*.json"))
    faults = [f"{len(times)} of {cases} cases have a record"] if len(times) != cases else []
    faults += [f"{name} was measured {n} times" for name, n in times.items() if n > 1]
    faults += [f"not measured: {label}: {reason}" for label, reason in outcome.given_up.items()]
    in_cases_s = sum(span["ended_s"] - span["begun_s"] for span in spans)
    return Row(nodes, cases, described_s - begun_s, ended_s - described_s, in_cases_s, tuple(faults))


def main(arguments: list[str]) -> int:
    """Print a row a number of nodes."""
    parser = argparse.ArgumentParser(prog="scripts/bench-fleet")
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=2.0, help="simulated duration of a case")
    given = parser.parse_args(arguments)
    os.environ[SECONDS] = str(given.seconds)
    os.environ["PYTHONPATH"] = str(ROOT)
    print(
        f"cases of {given.seconds:g} s; load of the last minute: {os.getloadavg()[0]:.1f}\n{HEAD}", flush=True
    )
    rows = []
    for nodes in given.nodes:
        with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
            rows.append(measured(nodes, given.cases, Path(folder)))
        print("\n".join([str(rows[-1]), *rows[-1].faults]), flush=True)
    print(f"load of the last minute: {os.getloadavg()[0]:.1f}")
    return int(any(row.faults or row.outside >= MOST_SHARE for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
