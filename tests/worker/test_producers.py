"""A new producer is a file of the folder: procedure, meters and record go by what it answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from bench.catalog.cases import Overrides, plan
from bench.catalog.loading import load
from bench.core.record import Record
from bench.core.workload import CLOSED, Workload
from bench.errors import CatalogError, UsageError
from bench.store import results
from bench.worker import producers
from bench.worker.messages import Batch
from bench.worker.producer import Produced
from tests.standin import StandIn
from tests.support.main_job.running import CATALOGUE
from tests.support.processes import ROOT
from tests.worker.toys.server import CARD, IDLE_W, LEAST_S, MOST_S, REQUEST_W

TOYS = Path(__file__).parent / "toys"
LANES = 3


class Served(NamedTuple):
    """A record of the served model, when each request began and ended, and how the command was answered."""

    record: Record
    requests_ns: np.ndarray
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def card(standin_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    standin = StandIn(standin_library, tmp_path_factory.mktemp("served") / "control")
    for gpu in (0, 1):
        standin.load(gpu, 0, IDLE_W)
    yield standin
    standin.close()


@pytest.fixture(scope="module")
def served(card: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """`bench run served` of a copy of the package with one more file in it, and nothing else touched."""
    folder = tmp_path_factory.mktemp("with-endpoint")
    shutil.copytree(ROOT / "bench", folder / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    assert not (folder / "bench/worker/producers/toy_endpoint.py").exists()
    shutil.copy(TOYS / "toy_endpoint.py", folder / "bench/worker/producers/toy_endpoint.py")
    shutil.copy(TOYS / "models.yaml", folder / "models.yaml")
    variables = os.environ | card.environment() | {"TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.worker.toys.server", str(folder / "log")]
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        try:
            done = subprocess.run(
                [sys.executable, "-m", "bench", "run", "served", "--weights", "random", "--device", "cpu"],
                check=False,
                cwd=folder,
                env=variables | {"PYTHONPATH": str(folder), "TOY_ENDPOINT": url},
                capture_output=True,
                text=True,
                timeout=240,
            )
        finally:
            server.kill()
    assert done.returncode in {0, 3}, done.stderr + done.stdout  # 3: a busy machine spoilt a block
    (path,) = (folder / "results").glob("*/*.json")
    return Served(results.read(path), np.loadtxt(folder / "log", dtype=np.int64), done)


pytestmark = pytest.mark.slow


def test_joules_of_each_stretch_are_within_one_percent_of_the_truth(served: Served, card: StandIn) -> None:
    """Of 2 s: an edge is known to a few joules, whatever the length. On a busy one it says so."""
    measured = [block for block in served.record.blocks if not block.warmup and block.valid]
    assert len(measured) >= 3, served.record.why
    for block in measured:
        energy = block.energy[f"gpu:{CARD}"]
        truth_j = card.true_energy_j(0, block.start_ns, block.end_ns)
        assert energy.source == "counter-padded"
        assert energy.edge_u_j is not None
        assert energy.gross_j == pytest.approx(truth_j, abs=max(0.01 * truth_j, 3 * energy.edge_u_j))
        assert energy.plain_j == pytest.approx(truth_j, rel=0.2), "up to a tick and a sample old"
        assert 2.0 <= block.duration_s < 3.0
        assert IDLE_W + REQUEST_W < truth_j / block.duration_s <= IDLE_W + LANES * REQUEST_W


def test_units_are_the_work_between_the_edges_and_a_request_across_one_counts_in_part(served: Served) -> None:
    record = served.record
    assert record.case.tokens_per_word is not None
    begun_ns, ended_ns = served.requests_ns.T
    for block in record.blocks:
        inside_ns = np.minimum(ended_ns, block.end_ns) - np.maximum(begun_ns, block.start_ns)
        requests = float(np.sum(np.maximum(inside_ns, 0) / (ended_ns - begun_ns)))
        assert block.units is not None
        made = block.units * 250 * record.case.tokens_per_word / 48
        assert made == pytest.approx(requests, rel=1e-6)
        assert abs(block.items - requests) <= LANES
        assert block.items == block.batches
        assert block.observed.batch_s is not None
        assert LEAST_S / LANES / 2 < block.observed.batch_s.median < MOST_S


def test_the_rest_of_the_record_is_as_of_any_case(served: Served) -> None:
    record = served.record
    assert record.label.endswith("batch 1 48 tokens concurrency 3 by toy_endpoint")
    assert record.case.workload == Workload(kind="concurrency", load=3, producer="toy_endpoint")
    assert record.machine.metered == [CARD]
    assert record.idle[f"gpu:{CARD}"].power_w == pytest.approx(IDLE_W, rel=0.05)
    headline = record.headline()
    assert headline is not None
    assert headline.n >= 3
    for block in record.blocks:
        assert block.observed.foreign_pids == []
        assert block.codecarbon is not None
        assert block.codecarbon.absent["disagreement"].startswith("the window is a stretch")
        assert block.codecarbon.duration_s > block.duration_s
        for domain in ("cpu-estimate", "ram-estimate"):
            if domain in block.energy:
                of_task_j = {"cpu": block.codecarbon.cpu_j, "ram": block.codecarbon.ram_j}[domain[:3]]
                assert of_task_j is not None
                share = block.duration_s / block.codecarbon.duration_s
                assert block.energy[domain].gross_j == pytest.approx(of_task_j * share)
    assert "served" in served.done.stdout


def test_a_case_that_is_asked_for_otherwise_is_another_case_and_older_ones_are_what_they_were() -> None:
    (closed,) = plan(load(CATALOGUE), ["tiny-bloom"], Overrides(weights="random"))
    assert closed.case.workload == CLOSED
    assert "workload" not in closed.case.as_mapping()
    (other,) = plan(load(TOYS / "models.yaml"), ["served"], Overrides(weights="random"))
    mapping = other.case.as_mapping()
    assert mapping["workload"] == {"kind": "concurrency", "load": 3.0, "producer": "toy_endpoint"}
    plain = json.loads(json.dumps(mapping | {"model": "tiny-bloom"}))
    del plain["workload"], plain["hash"]
    assert plain == {key: value for key, value in closed.case.as_mapping().items() if key != "hash"}
    assert mapping["hash"] != closed.case.as_mapping()["hash"]


@pytest.mark.parametrize(
    ("workload", "says"),
    [
        (Workload(producer="worke"), 'Unknown producer "worke". Did you mean "worker"?'),
        (Workload(kind="rate", load=2), 'producer "worker" cannot do the workload `rate`. Use closed.'),
    ],
)
def test_what_nothing_here_can_do_is_refused(workload: Workload, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        producers.of(workload)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("workload", "says"),
    [
        ("{kind: closed, load: 3}", "workload: found {'kind': 'closed', 'load': 3}, `closed` has no `load`."),
        ("{kind: rate}", "`rate` needs a `load`."),
        ("{kind: concurrency, load: 2.5}", "the `load` of `concurrency` is a whole number."),
        ("{kind: rate, load: 0}", "workload.load: found 0, "),
        (
            "{kind: rat, load: 2}",
            'one of closed, saturated, concurrency, rate, single. Did you mean "rate"?',
        ),
        ("{knd: rate}", 'workload.knd: unknown key. Did you mean "kind"?'),
        ("concurrency", "workload: found 'concurrency', expected keys with their values."),
    ],
)
def test_a_mistake_in_a_workload_is_shown_where_it_is(workload: str, says: str, tmp_path: Path) -> None:
    plain = (TOYS / "models.yaml").read_text(encoding="utf-8")
    path = tmp_path / "models.yaml"
    path.write_text(plain.replace("{kind: concurrency, load: 3, producer: toy_endpoint}", workload))
    with pytest.raises(CatalogError) as caught:
        load(path)
    assert f"{path}:27: models.served.defaults.workload" in str(caught.value)
    assert says in str(caught.value)


def test_shares_of_batches_between_the_edges() -> None:
    batches = (Batch(0, 100, 1, ()), Batch(100, 300, 2, ()), Batch(150, 250, 1, ()), Batch(290, 400, 1, ()))
    produced = Produced(50, 300, batches)
    assert [produced.share(batch) for batch in batches] == [0.5, 1.0, 1.0, pytest.approx(10 / 110)]
    assert produced.done == (batches[0], batches[2], batches[1])
    assert Produced(0, 100, (Batch(50, 50, 1, ()),)).share(Batch(50, 50, 1, ())) == 1.0
