"""Another vendor's cards are one file: measured, examined, watched and budgeted beside those of NVML."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pynvml
import pytest

from bench.core.domain import Domain
from bench.core.energy_result import EnergyResult
from bench.errors import MeterError
from bench.meters.gpu import NOT_OFFERED, Gpu
from bench.meters.gpus import GpuDrivers, nvml
from bench.stats import uncertainty
from tests.meters.toys.toy_gpu import POWER_W, TICK_NS
from tests.standin import Family, StandIn
from tests.support.processes import ROOT

TOY = Path(__file__).parent / "toys" / "toy_gpu.py"
NVIDIA_W = 200.0
TOYS = tuple(f"gpu:TOY-{number}" for number in range(len(POWER_W)))

MEASURED = """
import json, sys, time
from dataclasses import replace
from pathlib import Path
import bench
from bench.doctor import cards, drivers as checks
from bench.doctor.gpu_samples import watch
from bench.errors import BenchError
from bench.machine.placement import place
from bench.measurement.api import metering
from bench.meters import edges
from bench.meters.gpu import CardRefusal
from bench.meters.gpus import GpuDrivers

edges.ROOM_S, metering.SETTLE_S = 0.45, 0.0
with bench.Meter(unit="call", gpus="1,2,3", idle_seconds=1) as meter:
    for _ in range(5):
        with meter.window(units=1):
            time.sleep(0.5)
with GpuDrivers() as drivers:
    findings = [
        *checks.findings(drivers, container=False),
        *cards.findings(drivers, drivers.gpus, watch(drivers.gpus, 1.0, 1.0), Path("results")),
    ]
    try:
        refusal = place(drivers, "2", "cuda").device
    except BenchError as error:
        refusal = str(error)
    placed = [[gpu.index for gpu in place(drivers, asked, "auto").visible] for asked in (None, "1,3")]
    metered = place(drivers, "2", "auto")
    try:
        sliced = place(drivers, "SLICE-1", "auto").device
    except BenchError as error:
        sliced = str(error)
    # The second card of the driver, as if engines worked on it, and the first, as if it were split.
    toy = type(drivers.gpus[2])
    toy.facts = replace(toy.facts, visible_by="TOY_VISIBLE", torch_device="toy")
    toy.refusal = lambda self: None if self.number else CardRefusal("It is split.", "Name another.")
    work = place(drivers, "1,3", "cuda")
    try:
        refused = place(drivers, "2", "cuda").device
    except BenchError as error:
        refused = str(error)
print(json.dumps({
    "package": bench.__file__, "result": meter.result().as_dict(), "refusal": refusal, "placed": placed,
    "sliced": sliced, "refused": refused, "work": [work.torch_devices, work.environment],
    "metered": [metered.device, [gpu.index for gpu in metered.named]],
    "findings": [[each.subject, each.name, each.state, each.meaning, each.command] for each in findings],
}))
"""


class Answers(NamedTuple):
    """What a program's own windows, doctor and placement came to, and a look of `bench watch`."""

    measured: dict[str, Any]
    look: dict[str, Any]

    @property
    def result(self) -> EnergyResult:
        return EnergyResult.model_validate(self.measured["result"])

    def finding(self, subject: str, name: str) -> list[Any]:
        (found,) = [each[2:] for each in self.measured["findings"] if each[:2] == [subject, name]]
        return list(found)


@pytest.fixture(scope="module")
def answers(standin_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """Those of a copy of the package with one more file in it, and nothing else touched."""
    folder = tmp_path_factory.mktemp("with-toy-gpu")
    shutil.copytree(ROOT / "bench", folder / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOY, folder / "bench/meters/gpus/toy_gpu.py")
    standin = StandIn(standin_library, folder / "control")
    standin.load(1, 0, NVIDIA_W)
    variables = os.environ | standin.environment() | {"PYTHONPATH": str(folder), "TMPDIR": str(folder)}
    commands = (["-c", MEASURED], ["-m", "bench", "watch", "--once", "--json"])
    started = [
        subprocess.Popen(
            [sys.executable, *command], cwd=folder, env=variables, stdout=subprocess.PIPE, text=True
        )
        for command in commands
    ]
    said = [process.communicate(timeout=240)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    measured, look = (json.loads(text.splitlines()[-1]) for text in said)
    assert Path(measured["package"]).is_relative_to(folder)
    yield Answers(measured, look)
    standin.close()


@pytest.mark.slow
class TestToyCards:
    def test_they_are_numbered_after_those_of_nvml(self, answers: Answers) -> None:
        machine = answers.result.machine
        assert [(gpu.index, str(gpu.uuid)[:3]) for gpu in machine.gpus] == [
            (0, "GPU"),
            (1, "GPU"),
            (2, "TOY"),
            (3, "TOY"),
        ]
        assert machine.lost_gpus == {"4": "it does not answer"}
        assert machine.driver == "580.95.05, 1.0"

    def test_their_joules_are_true_within_one_percent(self, answers: Answers) -> None:
        blocks = answers.result.blocks
        assert len(blocks) == 5
        for block in blocks:
            for domain, power_w in zip(TOYS, POWER_W, strict=True):
                energy = block.energy[domain]
                assert energy.source == "counter-padded"
                assert energy.gross_j is not None
                assert energy.gross_j / block.work_s == pytest.approx(power_w, rel=0.01)

    def test_cards_of_nvml_are_read_beside_them(self, answers: Answers) -> None:
        for block in answers.result.blocks:
            (domain,) = set(block.energy) - set(TOYS) - {"cpu-estimate", "ram-estimate"}
            assert Domain.parse(domain).is_gpu
            assert (block.energy[domain].gross_j or 0.0) / block.work_s == pytest.approx(NVIDIA_W, rel=0.03)

    def test_each_has_the_prior_of_its_own_driver_in_the_budget(self, answers: Answers) -> None:
        result = answers.result
        sources = result.machine.energy_sources
        assert sources["toy-gpu"].domains == list(TOYS)
        assert sources["toy-gpu"].gain is not None
        assert sources["nvml"].gain is None
        budget = uncertainty.of(result).gross
        assert budget is not None
        lines = {line.name: line for line in budget.inputs}

        def mean_j(source: str) -> float:
            """Joules of a window that the source read."""
            domains = sources[source].domains
            return sum(block.energy[name].gross_j or 0.0 for block in result.blocks for name in domains) / 5

        assert lines["gain of toy-gpu"].source == "±3%: its data sheet"
        assert lines["gain of toy-gpu"].contribution_j == pytest.approx(
            mean_j("toy-gpu") * 0.03 / 3**0.5, rel=1e-6
        )
        assert lines["sensor gain"].contribution_j == pytest.approx(mean_j("nvml") * 0.0507, rel=1e-6)
        assert budget.absolute is not None

    def test_doctor_examines_driver_and_cards(self, answers: Answers) -> None:
        assert answers.finding("Toy", "driver") == [
            "ok",
            "Driver 1.0 answers through a clock; 2 cards.",
            None,
        ]
        assert answers.finding("gpu 4", "card")[0] == "missing"
        assert answers.finding("gpu 2", "energy counter")[0] == "ok"
        ticks = re.search(r"every (\d+) ms", answers.finding("gpu 3", "counter tick")[1])
        assert ticks is not None
        assert int(ticks[1]) == pytest.approx(TICK_NS / 1e6, abs=2)
        watts = float(answers.finding("gpu 2", "power now")[1].split()[0])
        assert watts == pytest.approx(POWER_W[0], rel=0.02)
        assert answers.finding("gpu 3", "temperature")[2] == "toy-smi --card 1"
        assert answers.finding("gpu 3", "throttling")[1].startswith("The card is held back now (power-cap)")
        assert "within ±3 % (its data sheet)" in answers.finding("gpu 2", "calibration")[1]
        assert not [each for each in answers.measured["findings"] if each[:2] == ["gpu 2", "MIG"]]

    def test_watch_shows_their_power_and_state(self, answers: Answers) -> None:
        for domain, power_w in zip(TOYS, POWER_W, strict=True):
            shown = answers.look["domains"][domain]
            assert shown["power_w"] == pytest.approx(power_w, rel=0.02)
            assert shown["card"]["throttle"] == ["power-cap"]
            assert shown["card"]["note"] == f"processes cannot be listed: {NOT_OFFERED}"

    def test_no_case_is_placed_on_cards_that_no_variable_shows(self, answers: Answers) -> None:
        assert answers.measured["placed"] == [[0], [1]]
        assert answers.measured["metered"] == ["cpu", [2]]
        assert "no NVIDIA or Toy GPU can be used: Toy 0 can be metered" in answers.measured["refusal"]

    def test_the_work_has_torchs_names_of_each_vendors_cards(self, answers: Answers) -> None:
        devices, environment = answers.measured["work"]
        assert devices == ["cuda:0", "toy:0"]
        assert environment["TOY_VISIBLE"] == "TOY-1"
        assert environment["CUDA_VISIBLE_DEVICES"].startswith("GPU-")

    def test_what_its_driver_does_not_count_is_refused_by_name(self, answers: Answers) -> None:
        assert "names the toy slice SLICE-1, which has no energy counter" in answers.measured["sliced"]

    def test_a_card_that_its_driver_refuses_takes_no_work(self, answers: Answers) -> None:
        assert answers.measured["refused"].startswith("It is split.")


def test_a_card_of_which_its_file_says_nothing_has_reasons() -> None:
    gpu = Gpu(1, "X-1", "a card", first_index=2)
    assert (gpu.index, gpu.domain) == (3, "gpu:X-1")
    assert (gpu.read().energy_j, gpu.read().reason) == (None, NOT_OFFERED)
    assert gpu.users() == gpu.compute_processes() == gpu.busy_shares(0.0) == (None, NOT_OFFERED)
    assert gpu.identity().as_mapping() == {"index": 3, "uuid": "X-1", "name": "a card"}
    assert (gpu.snapshot().temperature_c, gpu.memory_free_bytes(), gpu.counts_more()) == (None, None, None)
    assert gpu.versions().absent == {"driver": NOT_OFFERED}


def test_the_reason_for_no_cards_is_each_drivers(clocked: StandIn) -> None:
    clocked.fail(Family.INIT, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
    with GpuDrivers() as drivers:
        assert drivers.absent == "the NVIDIA driver is not loaded"
        drivers.opened.append(nvml.open_driver(0))
        assert drivers.absent == "; ".join(["NVIDIA: the NVIDIA driver is not loaded"] * 2)
        assert drivers.vendors == "NVIDIA or NVIDIA"
        with pytest.raises(MeterError, match="cannot be used: NVIDIA: the NVIDIA driver is not loaded"):
            drivers.find("0")
