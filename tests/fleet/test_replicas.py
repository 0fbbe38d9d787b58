"""Replicas on a fleet's node: measured as on one machine, or refused in a sentence before anything starts."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from bench.fleet.dispatch import DispatchBoard
from bench.fleet.node import MeasuredFiles, NodeFacts, NodeRunner, write
from bench.store import results
from tests.fleet.one_node import replicated
from tests.standin import StandIn, uuid_of
from tests.support.main_job.metered import IDLE_W
from tests.support.main_job.running import environment
from tests.support.processes import ROOT

BUSY_W = {0: 210.0, 1: 360.0}


@pytest.mark.parametrize(
    ("replicas", "gpus", "seen"), [(2, "0,1", None), (2, "0", "is 1"), (3, "0,1", "are 2")]
)
def test_a_node_with_fewer_cards_than_replicas_refuses_the_case(
    standin_library: Path, tmp_path: Path, replicas: int, gpus: str, seen: str | None
) -> None:
    standin = StandIn(standin_library, tmp_path / "two.control", gpu_count=2)
    standin.attach()
    facts = NodeRunner(str(tmp_path / "node")).describe(replicated(replicas, gpus))
    standin.close()
    expected = (
        {} if seen is None else {0: f"{replicas} replicas need at least {replicas} cards, and there {seen}."}
    )
    assert facts.refusals == expected
    board = DispatchBoard(1, {"a": facts})
    assert board.next_case("a") == (0 if seen is None else None), "nothing is sent to a node that refused"
    assert board.given_up == ({} if seen is None else {0: f"a: {expected[0]}"})
    assert not (tmp_path / "node").exists()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_node_measures_replicas_on_each_of_their_cards(standin_library: Path, tmp_path: Path) -> None:
    standin = StandIn(standin_library, tmp_path / "two.control", gpu_count=2)
    for gpu in BUSY_W:
        standin.load(gpu, standin.now_ns(), IDLE_W)
    sent = tmp_path / "sent"
    variables = environment(standin.environment(), cards=BUSY_W, pretend=True)
    arguments = [str(tmp_path / "node"), str(sent), "2", "0,1"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fleet.one_node", *arguments],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    facts, measured = pickle.loads(sent.read_bytes())
    assert isinstance(facts, NodeFacts)
    assert isinstance(measured, MeasuredFiles)
    assert (facts.refusals, measured.error) == ({}, None)
    (path,) = write(tmp_path / "here", measured)
    record = results.read(path)
    assert record.case.replicas == 2
    blocks = [block for block in record.blocks if not block.warmup]
    assert len(blocks) >= 5, record.why
    for gpu in BUSY_W:
        domain = f"gpu:{uuid_of(gpu)}"
        metered_j = sum(float(block.energy[domain].gross_j or 0.0) for block in blocks)
        true_j = sum(
            standin.true_energy_j(gpu, block.start_ns, block.end_ns) - IDLE_W * block.domain_rest_s(domain)
            for block in blocks
        )
        assert metered_j == pytest.approx(true_j, rel=0.01)
    standin.close()
