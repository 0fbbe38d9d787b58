"""Stretches of a load that goes on before and after them, in virtual time: their joules are the truth's."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from bench.core.workload import Workload
from bench.engines.base import LoadedModel, OutputCheck
from bench.worker import producers
from bench.worker.messages import Batch, CheckedOutput
from bench.worker.producer import Produced, Producer, WorkRequest
from scripts.faults.machine import IDLE_W, Ending, Machine
from tests.standin import StandIn
from tests.support.metering import MS

STRETCH_S, REQUEST_S, RAMP_S = 10.0, 0.25, 0.4
SPREAD_W = 20.0


class Held(Producer):
    """A load of changing watts on GPU 0, held around a stretch; four requests a second end in turn."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._chance = random.Random(1)
        self._batches = 0
        self.margins_s: list[float] = []

    def load(self, case: Any) -> LoadedModel:
        return LoadedModel({"model": 1}, {}, {}, None, (), None, 0.0)

    def produce(self, request: WorkRequest) -> Produced:
        clock = self._machine.clock
        self.margins_s.append(request.margin_s)
        self._hold(RAMP_S + request.margin_s)
        start_ns = clock.monotonic_ns()
        batches = self._hold(STRETCH_S)
        end_ns = clock.monotonic_ns()
        self._hold(request.margin_s)
        self._machine.standin.load(0, clock.monotonic_ns(), IDLE_W)
        self._batches = len(batches)
        return Produced(start_ns, end_ns, tuple(batches), steady=True)

    def _hold(self, seconds: float) -> list[Batch]:
        clock, batches = self._machine.clock, []
        ends = clock.monotonic() + seconds
        while clock.monotonic() < ends - 1e-6:
            begun_ns = clock.monotonic_ns()
            watts = self._machine.watts() + self._chance.uniform(-SPREAD_W, SPREAD_W)
            self._machine.standin.load(0, begun_ns, watts)
            clock.sleep(min(REQUEST_S, ends - clock.monotonic()))
            batches.append(Batch(begun_ns, clock.monotonic_ns(), 1, ()))
        return batches

    def check(self, save_to: Path | None, stem: str) -> CheckedOutput:
        return CheckedOutput(tuple(OutputCheck(tokens=(48,)) for _ in range(self._batches)), ())

    def unload(self, *, gently: bool) -> None:
        """There is nothing to free."""


class Folder:
    """In place of a file of producers."""

    WORKLOADS = frozenset({"concurrency"})
    LOADS_HERE = False
    ASKS_SERVER = True
    STARTS_SERVER = False

    def __init__(self, machine: Machine) -> None:
        self.held = Held(machine)

    def packages(self, case: Any) -> tuple[str, ...]:
        return ()

    def create(self, setup: Any) -> Producer:
        return self.held


def measured(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> tuple[Ending, Held]:
    """A whole run with a producer that holds a load."""
    folder = Folder(machine)

    def of(workload: Workload) -> Folder:
        return folder

    monkeypatch.setattr(producers, "of", of)
    with machine:
        return machine.run(), folder.held


@pytest.mark.parametrize(
    ("settings", "within"),
    [
        ({}, 0.001),
        ({"counter_late_ns": 50 * MS}, 0.001),
        (
            {"tick_ns": 20 * MS},
            0.005,
        ),  # a sample a tick at most: no grid is found, and each edge is a sample old
        ({"tick_ns": 500 * MS}, 0.003),
    ],
    ids=["usual", "late", "quick", "slow"],
)
def test_joules_of_ten_seconds_are_those_between_the_edges(
    standin: StandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, int],
    within: float,
) -> None:
    standin.change(0, **settings)
    ending, held = measured(Machine(standin, tmp_path), monkeypatch)
    assert ending.record is not None
    assert (ending.status, ending.outcome) == (0, "ok"), ending.record.why
    assert min(held.margins_s) >= 0.35
    (domain,) = (name for name in ending.record.blocks[0].energy if name.startswith("gpu:"))
    for block in ending.measured:
        truth_j = standin.true_energy_j(0, block.start_ns, block.end_ns)
        energy = block.energy[domain]
        assert block.duration_s == pytest.approx(STRETCH_S, abs=1e-3)
        assert energy.gross_j == pytest.approx(truth_j, rel=within)
        assert energy.edge_u_j is not None
        assert energy.edge_u_j < 0.005 * truth_j
        assert (block.items, block.batches, block.rest_s) == (40, 40, 0.0)
        assert block.observed.counter_delay[domain].starts == 0, "no start from rest lies in it"


def test_a_card_without_a_counter_is_integrated_between_the_edges(
    standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.gpu(0).counter_supported = False
    machine = Machine(standin, tmp_path)
    package = machine.add_package()
    ending, _ = measured(machine, monkeypatch)
    assert ending.record is not None
    for block in ending.measured:
        (domain,) = (name for name in block.energy if name.startswith("gpu:"))
        truth_j = standin.true_energy_j(0, block.start_ns, block.end_ns)
        assert block.energy[domain].source == "power-integration-instant"
        assert block.energy[domain].gross_j == pytest.approx(truth_j, rel=0.02)
        package_j = block.energy["cpu:package-0"].gross_j
        assert package_j == pytest.approx(package.watts * STRETCH_S, rel=0.01)
