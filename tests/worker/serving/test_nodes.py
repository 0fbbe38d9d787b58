"""`bench run` of a server over two nodes beside stand-in cards, one of which is lost in mid-run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.cli import invoke
from bench.core.record import Record
from bench.store import results
from bench.worker.serving.address import free_port
from tests.standin import StandIn
from tests.support.processes import ROOT
from tests.support.served.server import IDLE_W

TOKEN = "planted-meter-token-0123"
DECODE_W = 250.0
PREFILL, DECODE = (f"gpu:GPU-00000000-0000-4000-8000-00000000000{number}" for number in (0, 1))
LOST_AFTER = "block 2:"


class Lost(NamedTuple):
    """A run whose second node ended after the second block."""

    record: Record
    path: Path
    printed: str
    standin: StandIn


@contextmanager
def started(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process of this test, ended with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.communicate()


def agent_port(agent: subprocess.Popen[str]) -> str:
    assert agent.stderr is not None
    line = agent.stderr.readline()
    found = re.search(r"listening on 127\.0\.0\.1:(\d+)", line)
    assert found, line + agent.stderr.read()
    return found[1]


@pytest.fixture(scope="module")
def lost(standin_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lost]:
    folder = tmp_path_factory.mktemp("nodes")
    standin = StandIn(standin_library, folder / "control")
    standin.load(0, 0, IDLE_W)
    standin.load(1, 0, DECODE_W)
    environment = os.environ | standin.environment() | {"TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
    environment["JOULEBENCH_METER_TOKEN"] = TOKEN
    catalogue = (ROOT / "tests/support/served/models.yaml").read_text()
    (folder / "models.yaml").write_text(catalogue.replace("      key: SERVED_TEST_KEY\n", ""))
    port, meter = free_port(), ("bench", "fleet", "meter", "--listen", "127.0.0.1:0", "--results")
    served = ("tests.support.served.server", str(port), '{"token_s": 0.008}')
    with (
        started(environment, *served),
        started(environment, *meter, str(folder / "a"), "--gpus", "0") as first,
        started(environment, *meter, str(folder / "b"), "--gpus", "1") as second,
    ):
        nodes = [f"--node=prefill=127.0.0.1:{agent_port(first)}"]
        nodes.append(f"--node=decode=127.0.0.1:{agent_port(second)}")
        of_server = ("--workload", "concurrency:4", "--endpoint", f"http://127.0.0.1:{port}/v1")
        files = ("--models", str(folder / "models.yaml"), "--results", str(folder / "results"))
        with started(environment, "bench", "run", "tiny", *of_server, *nodes, *files, "--debug") as run:
            printed = []
            killed = threading.Event()
            assert run.stderr is not None
            for line in run.stderr:
                printed.append(line)
                if LOST_AFTER in line and not killed.is_set():
                    killed.set()
                    second.kill()
            assert killed.is_set(), "".join(printed)
    (path,) = (folder / "results").glob("*/*.json")
    yield Lost(results.read(path), path, "".join(printed), standin)
    standin.close()


@pytest.mark.slow
class TestLost:
    """The first blocks have both nodes, the later ones the one that is left."""

    def test_joules_of_both_nodes_are_the_truths_while_both_are_there(self, lost: Lost) -> None:
        blocks = [block for block in lost.record.blocks if not block.warmup]
        assert len(blocks) >= 5
        for number, block in enumerate(blocks):
            for gpu, (domain, node) in enumerate(((PREFILL, "prefill"), (DECODE, "decode"))):
                energy = block.energy[domain]
                assert energy.node == node
                if node == "decode" and number >= 2:
                    assert energy.gross_j is None
                    assert str(energy.reason).startswith("node-lost: no answer")
                    continue
                truth_j = lost.standin.true_energy_j(gpu, block.start_ns, block.end_ns)
                assert energy.edge_u_j is not None
                assert energy.clock_u_j is not None
                off_j = max(0.01 * truth_j, 3 * energy.edge_u_j + 3 * energy.clock_u_j)
                assert energy.gross_j == pytest.approx(truth_j, abs=off_j)
            served = block.observed.served
            assert served is not None
            assert ("node-lost" in served.reason_codes) == (number >= 2)

    def test_the_sum_is_absent_and_the_other_node_keeps_its_own(self, lost: Lost) -> None:
        figures = lost.record.figures
        assert lost.record.headline() is None
        assert "node-lost" in str(figures.energy_per_unit_j["gpu"].reason)
        assert figures.served is not None
        assert figures.served.per_role_j["decode"]["gpu"].gross is None
        prefill = figures.served.per_role_j["prefill"]["gpu"].gross
        assert prefill is not None
        assert prefill.n == len([block for block in lost.record.blocks if block.valid and not block.warmup])
        assert any("node-lost" in reason and "decode" in reason for reason in lost.record.reasons)
        assert "Node decode: node-lost" in lost.printed

    def test_the_machine_of_the_record_is_its_nodes(self, lost: Lost) -> None:
        machine = lost.record.machine
        assert set(machine.nodes) == {"prefill", "decode"}
        assert machine.metered == [PREFILL[4:], DECODE[4:]]
        assert "over 2 nodes" in str(machine.name)
        clock = machine.nodes["prefill"].clock
        assert clock is not None
        assert abs(clock.offset_s) <= clock.uncertainty_s + 0.001, "both are on this machine's clock"
        assert machine.nodes["prefill"].sync is not None

    def test_show_validate_and_package_go_by_it_and_the_token_is_nowhere(
        self, lost: Lost, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def printed(*arguments: str) -> str:
            assert invoke([*arguments]) == 0, capsys.readouterr().err
            return capsys.readouterr().out

        shown = printed("show", str(lost.path))
        assert "role prefill, gpu" in shown
        assert "clock, ± ms" in shown
        assert "1 whole record" in printed("validate", str(lost.path))
        package = lost.path.with_suffix(".zip")
        printed("export", "package", str(lost.path), "-o", str(package))
        assert "1 as their files and samples say" in printed("validate", str(package))
        kept = [path.read_bytes() for path in lost.path.parents[1].rglob("*") if path.is_file()]
        assert not any(TOKEN.encode() in content for content in (*kept, lost.printed.encode()))
