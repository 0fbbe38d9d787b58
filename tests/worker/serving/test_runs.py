"""`bench run` of served cases beside a stand-in: joules by its truth, figures by the server's own pace."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.cli import cli, invoke
from bench.cli.export_formats import FORMATS
from bench.core.block import Block
from bench.core.record import Record
from bench.errors import UsageError
from bench.footprint.drafts.outputs import kept
from bench.store import results
from tests.standin import StandIn
from tests.support.processes import ROOT
from tests.support.served.server import IDLE_W, REQUEST_W, Manners, serving

CATALOGUE = ROOT / "tests/support/served/models.yaml"
KEY, TOKEN = "sk-planted-0123456789abcdef", "planted-hub-token-42"
GPU = "gpu:GPU-00000000-0000-4000-8000-000000000000"


class Run(NamedTuple):
    """What a command wrote and printed."""

    records: list[Record]
    folder: Path
    done: subprocess.CompletedProcess[str]


def unpacked(path: Path) -> bytes:
    """The content of a file; of a package, that of all its members."""
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as package:
        return b"".join(package.read(name) for name in package.namelist())


@pytest.fixture(scope="module")
def card(standin_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    standin = StandIn(standin_library, tmp_path_factory.mktemp("served") / "control")
    for gpu in (0, 1):
        standin.load(gpu, 0, IDLE_W)
    yield standin
    standin.close()


def run(card: StandIn, folder: Path, *arguments: str, models: Path = CATALOGUE) -> Run:
    variables = os.environ | card.environment() | {"TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
    variables |= {"SERVED_TEST_KEY": KEY, "HF_TOKEN": TOKEN}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    command = [sys.executable, "-m", "bench", "run", *arguments, "--models", str(models), "--debug"]
    done = subprocess.run(
        [*command, "--results", str(folder / "results"), "--device", "cpu"],
        check=False,
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=280,
    )
    records = [results.read(path) for path in sorted((folder / "results").glob("*/*.json"))]
    return Run(records, folder / "results", done)


@pytest.fixture(scope="module")
def windows(card: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Run:
    ran = run(card, tmp_path_factory.mktemp("windows"), "windows", "--gpus", "0", "--save-outputs")
    assert ran.done.returncode in {0, 3}, ran.done.stderr  # 3: a busy machine spoilt a block
    return ran


def measured(record: Record) -> list[Block]:
    """Blocks that are right but for what a busy machine does: a late client of a rate, wide edges."""
    return [
        block
        for block in record.blocks
        if not block.warmup
        and all(reason.startswith(("client late", "edges uncertain")) for reason in block.reasons)
    ]


def figured(windows: Run) -> list[Record]:
    """Records with figures: of the concurrency, and of the rate where the machine was free enough for it."""
    found = [record for record in windows.records if record.figures.served is not None]
    assert [record.case.workload.kind for record in found if record.case.workload][:1] == ["concurrency"]
    return found


@pytest.mark.slow
class TestMetered:
    """Servers that are started here, on a metered card."""

    def test_joules_of_each_window_are_the_truths(self, windows: Run, card: StandIn) -> None:
        for record in windows.records:
            assert len(measured(record)) >= 3, record.why
            for block in measured(record):
                energy, truth_j = block.energy[GPU], card.true_energy_j(0, block.start_ns, block.end_ns)
                assert energy.edge_u_j is not None
                assert energy.gross_j == pytest.approx(truth_j, abs=max(0.01 * truth_j, 3 * energy.edge_u_j))

    @pytest.mark.parametrize("window", ["single", "concurrency:4"])
    def test_windows_of_ten_seconds_are_within_one_percent_of_the_truth(
        self, window: str, card: StandIn, tmp_path: Path
    ) -> None:
        ran = run(card, tmp_path, "tiny", "--workload", window, "--gpus", "0", "--block-seconds", "10")
        (record,) = ran.records
        blocks = measured(record)
        assert len(blocks) >= 3, record.why
        for block in blocks:
            assert block.duration_s >= 10.0
            truth_j = card.true_energy_j(0, block.start_ns, block.end_ns)
            assert truth_j > 1.5 * IDLE_W * block.duration_s, "the server draws on this card"
            (energy,) = (each for name, each in block.energy.items() if name.startswith("gpu:"))
            assert energy.gross_j == pytest.approx(truth_j, rel=0.01)

    def test_idle_of_the_loaded_server_is_a_figure_of_its_own(self, windows: Run) -> None:
        for record in figured(windows):
            served, power = record.figures.served, record.figures.power_w["gpu"].gross
            assert served is not None
            assert power is not None
            assert served.idle_power_w["gpu"] == pytest.approx(IDLE_W, rel=0.05)
            assert served.idle_share["gpu"].value == pytest.approx(IDLE_W / power.value, rel=0.1)
            marginal = record.figures.energy_per_item_j["gpu"].net
            assert marginal is not None
            assert served.end_to_end_s is not None
            # The mean time of an answer is above the median where a busy machine holds some of them up.
            of_one_j = [
                REQUEST_W * each.value for each in (served.end_to_end_s.median, served.end_to_end_s.p99)
            ]
            low_j, high_j = marginal.low or marginal.value, marginal.high or marginal.value
            assert 0.7 * of_one_j[0] <= high_j, "each request adds its own watts"
            # A busy server draws on for a while after its last piece, which the client does not see.
            assert low_j <= 1.3 * of_one_j[1]

    def test_tokens_latencies_and_price_are_on_the_same_record(self, windows: Run) -> None:
        for record in figured(windows):
            figures, served = record.figures, record.figures.served
            assert served is not None
            tokens = figures.energy_per_token_j["gpu"].gross
            assert figures.tokens is not None
            total = figures.tokens.per_total_token_j["gpu"].gross
            read = figures.tokens.per_input_token_j["gpu"].gross
            assert tokens is not None
            assert total is not None
            assert read is not None
            assert 1 / total.value == pytest.approx(1 / tokens.value + 1 / read.value, rel=0.05)
            assert served.ttft_s is not None
            assert served.inter_token_s is not None
            assert served.ttft_s.median.value < served.ttft_s.p99.value
            # Of a client that is held up several pieces come at once, so their gaps are judged together.
            assert served.end_to_end_s is not None
            written_s = served.end_to_end_s.median.value - served.ttft_s.median.value
            assert written_s / 39 >= 0.0075
            assert served.price_per_request_usd is not None
            assert "energy_of_one_request_j" in served.absent
            assert record.engine is not None
            assert record.engine.used["server.version"] == "0.1-test"
            assert "{" not in record.label

    def test_the_key_is_in_nothing_that_was_written_or_printed(self, windows: Run) -> None:
        printed = windows.done.stdout + windows.done.stderr
        files = [path for path in windows.folder.rglob("*") if path.is_file()]
        assert {".log", ".json", ".parquet", ".txt"} <= {path.suffix for path in files}
        for secret in (KEY, TOKEN, "planted-pass"):
            assert secret not in printed
            assert [path.name for path in files if secret.encode() in path.read_bytes()] == []

    def test_no_report_and_no_export_has_a_secret(
        self, windows: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder, one = str(windows.folder), str(sorted(windows.folder.glob("*/*.json"))[0])
        of = {"model-card": [one], "junit": [folder, folder], "github-summary": [folder, folder]}
        formats = set(FORMATS) - (set() if find_spec("pyarrow") else {"parquet"})
        # Without a figure, as of a machine that was too busy, there is nothing to put in these.
        busy = any(record.status != "ok" for record in windows.records)
        refused = {"ai-energy-score", "model-card"} if busy else set()
        for name in formats:
            paths = of.get(name, [folder])
            status = invoke(["export", name, *paths, "-o", str(tmp_path / name)])
            assert status in {0, 1, 3} or (status == 2 and name in refused), name
        assert invoke(["report", folder, "--format", "md", "-o", str(tmp_path / "report.md")]) == 0
        for arguments in (["show", one], ["compare", "--across-hardware", folder, "--json"]):
            assert invoke(arguments) in {0, 3}
        printed = capsys.readouterr().out.encode()
        written = {path.name: unpacked(path) for path in tmp_path.iterdir()}
        assert written.keys() - refused == (formats | {"report.md"}) - refused
        for secret in (KEY, TOKEN, "planted-pass"):
            assert secret.encode() not in printed
            assert [name for name, content in written.items() if secret.encode() in content] == []

    def test_a_page_of_show_has_the_servers_load(self, windows: Run) -> None:
        (path, *_) = sorted(windows.folder.glob("*/*.json"))
        shown = subprocess.run(
            [sys.executable, "-m", "bench", "show", str(path)], capture_output=True, text=True, check=True
        ).stdout
        for words in (
            "Server's load",
            "time to first token",
            "idle share of the joules",
            "J per input token",
        ):
            assert words in shown


def test_a_server_on_another_machine_gives_tokens_and_no_joules(card: StandIn, tmp_path: Path) -> None:
    """Told by a tunnel's name, since a test has one machine; its joules are not those of this one."""
    with serving(Manners()) as url:
        models = tmp_path / "models.yaml"
        text = CATALOGUE.read_text(encoding="utf-8").replace("key: SERVED_TEST_KEY", "base: /v1")
        models.write_text(text.replace("block_seconds: 1", "block_seconds: 0.2"))
        hook = tmp_path / "hook" / "sitecustomize.py"
        hook.parent.mkdir()
        hook.write_text("from bench.worker.serving import address\naddress._is_own = lambda host: False\n")
        command = [sys.executable, "-m", "bench", "run", "tiny", "--workload", "single", "--endpoint", url]
        command += ["--models", str(models), "--results", str(tmp_path / "results"), "--device", "cpu"]
        ran = subprocess.run(
            command,
            env=os.environ | {"PYTHONPATH": f"{hook.parent}{os.pathsep}{ROOT}"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
    (path,) = (tmp_path / "results").glob("*/*.json")
    record = results.read(path)
    assert ran.returncode == 3, ran.stderr
    assert record.status == "ok"
    assert record.headline() is None
    assert all(block.energy == {} and block.codecarbon is None for block in record.blocks)
    assert record.figures.absent["energy_per_unit_j"] == "nothing was metered"
    assert all("is on another machine" in reason for reason in record.absent.values() if "server" in reason)
    assert "cpu-estimate" in record.absent
    assert record.idle == {}
    assert record.figures.served is not None
    assert record.figures.served.output_tokens_per_s is not None
    assert record.figures.served.price_per_request_usd is not None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["tiny", "--workload", "concurency:8"],
            'Unknown window "concurency". Did you mean "concurrency"?',
        ),
        (["tiny", "--workload", "rate"], 'The workload "rate" has no load.'),
        (["tiny", "--workload", "concurrency:2.5"], "the load of concurrency is a whole number"),
        (["tiny", "--workload", "single:4"], "single has no load"),
        (["tiny", "--endpoint", "http://localhost:1/v1"], "--endpoint has no effect"),
        (["tiny", "--restarts", "2"], "--restarts is for cases that a server makes"),
        (
            ["tiny", "--workload", "single", "--restarts", "2", "--endpoint", "http://localhost:1/v1"],
            "--restarts has no effect on a server that is up already",
        ),
        (["tiny", "--workload", "single", "--endpoint", f"http://x:{KEY}@h/v1"], "may hold a secret"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_measured(
    clocked: StandIn, tmp_path: Path, arguments: list[str], says: str
) -> None:
    del clocked  # the NVML of this process
    command = ["run", *arguments, "--models", str(CATALOGUE), "--results", str(tmp_path), "--dry-run"]
    with pytest.raises(UsageError) as caught:
        cli(command, standalone_mode=False)
    assert says in str(caught.value)
    assert KEY not in str(caught.value)
    assert list(tmp_path.glob("*/*.json")) == []


@pytest.mark.slow
def test_kept_answers_are_drafts_in_the_order_of_their_blocks(windows: Run) -> None:
    paths = sorted(windows.folder.glob("*/*.json"))
    found = [
        kept(record, path)
        for record, path in zip(windows.records, paths, strict=True)
        if any(block.valid and not block.warmup for block in record.blocks)
    ]
    assert found
    for drafts in found:
        assert drafts
        assert all(draft.text for draft in drafts)
        assert [draft.path.name for draft in drafts] == sorted(draft.path.name for draft in drafts)
