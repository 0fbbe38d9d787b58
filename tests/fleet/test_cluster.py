"""Two nodes of a Ray cluster on loopback, cards of unlike power: joules of each, and a node that is lost."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bench.catalog.case_place import CasePlace
from bench.core.record import Record
from bench.errors import PrerequisiteError
from bench.fleet.cluster import Cluster
from bench.fleet.measuring import measure_on
from bench.measurement.case_plan import CasePlan
from bench.store import results
from tests.fleet.metered_node import MeteredNode
from tests.fleet.one_node import planned
from tests.standin import StandIn
from tests.support.main_job import running
from tests.support.main_job.metered import GPU_VARIABLE, IDLE_W, WORK_VARIABLE

ray_cluster = pytest.importorskip("ray.cluster_utils", reason="the extra `fleet` is not installed")
FOLDER = "$TMPDIR/results"
WATTS = {"fast": 330, "slow": 120}


@dataclass
class Fleet:
    """A cluster of two nodes, each with a stand-in of its own."""

    cluster: Any
    nodes: dict[str, Any]
    standins: dict[str, StandIn]
    folder: Path

    @property
    def address(self) -> str:
        """Address of the head."""
        return str(self.cluster.address)


@pytest.fixture(scope="module")
def fleet(standin_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A head without cards, and two nodes whose work draws unlike power."""
    folder = tmp_path_factory.mktemp("fleet")
    cluster = ray_cluster.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes, standins = {}, {}
    for name, watts in WATTS.items():
        standins[name] = standin = StandIn(standin_library, folder / f"{name}.control")
        for gpu in (0, 1):
            standin.change(gpu, name=f"NVIDIA {name}".encode())
            standin.load(gpu, 0, IDLE_W)
        (folder / name).mkdir()
        work = {WORK_VARIABLE: f"{watts}:0:0.5:1", GPU_VARIABLE: "0", "TMPDIR": str(folder / name)}
        variables = {**standin.environment(), **running.THREADS, **work}
        nodes[name] = cluster.add_node(num_cpus=1, env_vars=variables, labels={"site": "here"})
    yield Fleet(cluster, nodes, standins, folder)
    cluster.shutdown()
    for standin in standins.values():
        standin.close()


def check(record: Record, standin: StandIn) -> None:
    """The blocks that count have the joules that the card drew in them."""
    (domain,) = [name for name in record.blocks[0].energy if name.startswith("gpu:")]
    counted = [block for block in record.blocks if block.valid and not block.warmup]
    assert counted, record.why
    drawn = sum(standin.true_energy_j(0, block.start_ns, block.end_ns) for block in counted)
    measured = sum(block.energy[domain].with_rests_j or 0.0 for block in counted)
    print(f"{record.machine.name}: {measured:.1f} J, truth {drawn:.1f} J")
    assert measured == pytest.approx(drawn, rel=0.01)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_node_measures_its_own_card_and_a_lost_one_costs_its_case_a_new_start(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    here, lines = fleet.folder / "here", list[str]()
    with Cluster(fleet.address, FOLDER, MeteredNode) as cluster:
        plan = placed(planned(1, 10), CasePlace(labels={"site": "here"}))
        outcome = measure_on(cluster, plan, here, lines.append, every_node=True)
        again = measure_on(cluster, plan, here, lines.append, every_node=True)
    assert any("no NVIDIA driver library" in line for line in lines), "the head has no card, and says so"
    records = {path.parent.name.split("-")[2]: results.read(path) for path in outcome.paths}
    assert set(records) == set(WATTS), lines
    for name, record in records.items():
        check(record, fleet.standins[name])
        assert (here / outcome.paths[0].parent.name / "traces").is_dir()
    assert sorted(again.paths) == sorted(outcome.paths), "what was measured is not measured again"

    measured = threading.Event()
    losing = threading.Thread(target=_lose_the_busy_one, args=(fleet, measured))
    losing.start()
    try:
        with Cluster(fleet.address, FOLDER, MeteredNode) as cluster:
            outcome = measure_on(cluster, planned(2, 10), here, lines.append)
    finally:
        measured.set()
        losing.join()
    assert any("lost; its case starts anew elsewhere" in line for line in lines), lines
    assert "raylet" not in capsys.readouterr().out, "stdout is for results"
    (path,) = outcome.paths
    record = results.read(path)
    survivor = path.parent.name.split("-")[2]
    check(record, fleet.standins[survivor])
    assert outcome.given_up == {}


def placed(plan: CasePlan, place: CasePlace) -> CasePlan:
    """The plan with its case for such nodes."""
    (item,) = plan.cases
    return replace(plan, cases=(replace(item, place=place),))


def _lose_the_busy_one(fleet: Fleet, measured: threading.Event) -> None:
    """Kill the node that has measured a block of the case with seed 2, unless all has been measured."""
    while not measured.wait(0.1):
        for name, node in fleet.nodes.items():
            for partial in (fleet.folder / name / "results").glob("*/.partial/*.json"):
                with contextlib.suppress(OSError):
                    if '"seed": 2' in partial.read_text(encoding="utf-8"):
                        fleet.cluster.remove_node(node, allow_graceful=False)
                        return


def test_a_cluster_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(PrerequisiteError, match=r"No Ray cluster answers at 127\.0\.0\.1:9: .*refused"):
        Cluster("127.0.0.1:9", FOLDER)
