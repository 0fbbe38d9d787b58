"""Faults of a fleet: its head is killed and started again, a node is slow, a node's clock is wrong."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import bench
from bench.fleet import measuring
from bench.fleet.cluster import Cluster
from bench.fleet.measuring import HEAD_LOST, measure_on
from bench.fleet.node import MeasuredFiles, NodeFacts
from bench.measurement.case_plan import CasePlan
from tests.support.simulated_node import NAME, SECONDS, planned

ROOT = Path(__file__).parents[2]


class FakeCluster(Cluster):
    """Nodes that are threads, each with its seconds a case."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds, self._ended = seconds, queue.Queue[str]()
        self.took: Counter[str] = Counter()
        self.silent = False
        self.broken: dict[str, str] = {}

    def describe(self, plan: CasePlan) -> dict[str, NodeFacts | str]:
        """All of them, which have measured nothing."""
        return {
            node: NodeFacts(node, ("a card",), bench.__version__, "", {}, frozenset())
            for node in self._seconds
        }

    def start(self, node: str, plan: CasePlan) -> str:
        """Let a node sleep."""
        self.took[node] += 1
        timer = threading.Timer(self._seconds[node], self._ended.put, (node,))
        timer.daemon = True
        timer.start()
        return node

    def ready(self, references: list[Any]) -> list[Any]:
        """Those that have ended, soon."""
        try:
            return [self._ended.get(timeout=0.01)]
        except queue.Empty:
            return []

    def result(self, reference: Any) -> MeasuredFiles:
        """Nothing was written; the error of a node that is broken."""
        if reference in self.broken:
            return MeasuredFiles(error=self.broken[reference], exit_status=2)
        return MeasuredFiles(summary=f"measured on {reference}")

    def progress(self, node: str) -> str:
        """What a node does now."""
        return f"block 2 of at least 5 on {node}"

    def head_answers(self) -> bool:
        """Whether the head is there."""
        return not self.silent


def test_beside_a_slow_node_others_go_on_and_the_view_names_it(tmp_path: Path) -> None:
    cluster, lines = FakeCluster({"a": 0.03, "b": 0.03, "c": 0.03, "slow": 1.5}), list[str]()
    outcome = measure_on(cluster, planned(20), tmp_path, lines.append)
    assert outcome.exit_status == 0
    assert cluster.took["slow"] == 1
    assert sum(cluster.took.values()) == 20
    remarks = [line for line in lines if ": slow: " in line]
    assert remarks
    assert all(line.startswith("slow: slow: tiny-bloom ") for line in remarks)
    assert remarks[0].endswith("block 2 of at least 5 on slow")
    assert len(remarks) <= 5, "once, and again at each doubling"
    assert lines[-1].startswith(("a: ", "b: ", "c: ", "slow: 1 of the cases, median "))


def test_a_broken_node_costs_the_others_no_case(tmp_path: Path) -> None:
    """It ends its cases within moments, so it would take nearly all of them."""
    cluster, lines = FakeCluster({"a": 0.05, "b": 0.05, "broken": 0.0}), list[str]()
    cluster.broken = {"broken": "GPU 0 is used by another run. Wait for it."}
    outcome = measure_on(cluster, planned(12), tmp_path, lines.append)
    assert (outcome.given_up, outcome.errors, outcome.exit_status) == ({}, [], 0)
    assert cluster.took["a"] + cluster.took["b"] == 12
    failed = [line for line in lines if line.startswith("broken: tiny-bloom")]
    assert failed[0].endswith(
        "was not measured: GPU 0 is used by another run. Wait for it. It is tried elsewhere."
    )
    assert len(failed) == cluster.took["broken"]
    assert not any("lost" in line for line in lines)


def test_a_case_that_no_node_can_begin_has_every_reason(tmp_path: Path) -> None:
    cluster = FakeCluster({"a": 0.0, "b": 0.0})
    cluster.broken = dict.fromkeys("ab", "GPU 0 is used by another run. Wait for it.")
    outcome = measure_on(cluster, planned(1), tmp_path, list[str]().append)
    (reason,) = outcome.given_up.values()
    assert sorted(reason.split("; ")) == [
        f"{node}: GPU 0 is used by another run. Wait for it" for node in "ab"
    ]
    assert outcome.exit_status == 1


def test_a_head_that_is_lost_ends_the_fleet_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "HEAD_LOOK_S", 0.05)
    cluster, lines = FakeCluster({"a": 0.02, "b": 3600.0}), list[str]()
    cluster.silent = True
    begun_s = time.monotonic()
    outcome = measure_on(cluster, planned(1000), tmp_path, lines.append)
    assert time.monotonic() - begun_s < 30
    assert (outcome.errors, outcome.exit_status) == ([HEAD_LOST], 1)


def local_cluster(names: Iterable[str]) -> Any:
    """A head without cards that measures nothing of note, and nodes of these names."""
    ray_cluster = pytest.importorskip("ray.cluster_utils", reason="the extra `fleet` is not installed")
    os.environ[SECONDS] = "1"
    cluster = ray_cluster.Cluster()
    for name in names:
        cluster.add_node(num_cpus=1, env_vars={NAME: name})
    return cluster


def driver(address: str, folder: Path, cases: int) -> subprocess.Popen[str]:
    """The command on a cluster."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fleet.driver", address, str(folder), str(cases)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def records_of(folder: Path) -> dict[str, int]:
    """By case: how often it was measured to its end, on whatever node."""
    spans = Counter(path.name.partition(".")[0] for path in (folder / "nodes").glob("*/*.span"))
    return dict(spans)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_same_command_goes_on_after_the_head_was_killed_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv(SECONDS, "1")
    names, cases = ("head", "node-1", "node-2"), 30
    cluster = local_cluster(names)
    try:
        process = driver(cluster.address, tmp_path, cases)
        assert process.stdout is not None
        for _ in process.stdout:
            if len(list((tmp_path / "here").glob("*/*.json"))) >= 4:
                cluster.remove_node(cluster.head_node, allow_graceful=False)
                break
        said = process.communicate(timeout=200)[0]
    finally:
        cluster.shutdown()
    assert HEAD_LOST in said
    assert process.returncode == 1
    kept = {path.stem for path in (tmp_path / "here").glob("*/*.json")}
    assert 4 <= len(kept) < cases

    cluster = local_cluster(names)
    try:
        again = driver(cluster.address, tmp_path, cases)
        said = again.communicate(timeout=200)[0]
    finally:
        cluster.shutdown()
    assert again.returncode == 0, said
    found = Counter(path.stem for path in (tmp_path / "here").glob("*/*.json"))
    assert len(found) == cases, "no case is lost"
    assert set(found.values()) == {1}, "none is doubled"
    assert all(times == 1 for case, times in records_of(tmp_path).items() if case in kept)
