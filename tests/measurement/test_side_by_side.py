"""Cases side by side without their processes: who waits for the host's memory, and what a run ends with."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing import Pipe
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bench.catalog.axes import SweepAxes
from bench.catalog.cases import Case, Overrides, Planned, plan
from bench.catalog.loading import load
from bench.catalog.models import Work
from bench.machine.host_memory import HostMemory
from bench.machine.placement import Placement, place
from bench.measurement import fitting, forecast, side_by_side
from bench.measurement.case_plan import CasePlan, hashes
from bench.measurement.case_process import CaseProcess
from bench.measurement.context import RunContext
from bench.measurement.outcome import GivenUp, RunOutcome
from bench.meters.gpus import GpuDrivers
from tests.measurement.spawned import Quiet
from tests.standin import StandIn
from tests.support import factory
from tests.support.main_job.running import CATALOGUE

GB = 10**9
HOST_GB = {1: 60, 2: 60, 4: 30}
"""Forecast need by the batch of a case."""


class PretendProcess:
    """A case that ends as soon as it is looked at."""

    begun: ClassVar[list[int]] = []
    at_once: ClassVar[list[set[int]]] = []
    running: ClassVar[set[int]] = set()

    def __init__(self, at: int, label: str, cards: tuple[Any, ...], plan: CasePlan, *_: object) -> None:
        self.at, self.label, self.cards = at, label, cards
        (item,) = plan.cases
        self._batch = item.case.batch
        self.connection, theirs = Pipe()
        theirs.send("done")
        self.begun.append(self._batch)
        self.running.add(self._batch)
        self.at_once.append(set(self.running))

    def report_to(self, _: object) -> RunOutcome:
        self.running.discard(self._batch)
        return RunOutcome()

    def interrupt(self) -> None:
        """It has ended."""

    def end(self) -> None:
        """It has ended."""


def planned() -> tuple[Planned, ...]:
    sweep = SweepAxes.model_validate({"batch": list(HOST_GB)})
    return tuple(plan(load(CATALOGUE), ["tiny-bloom"], Overrides(weights="random", sweep=sweep)))


def need_bytes(case: Case) -> int:
    return HOST_GB[case.batch] * GB


@pytest.fixture
def three_cards(standin_library: Path, tmp_path: Path) -> Iterator[Placement]:
    standin = StandIn(standin_library, tmp_path / "three.control", gpu_count=3)
    standin.attach()
    with GpuDrivers() as drivers:
        yield place(drivers, "0,1,2", "cuda")
    standin.close()


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> type[PretendProcess]:
    for name in ("begun", "at_once"):
        monkeypatch.setattr(PretendProcess, name, [])
    monkeypatch.setattr(PretendProcess, "running", set())
    monkeypatch.setattr(side_by_side, "CaseProcess", PretendProcess)
    monkeypatch.setattr(side_by_side, "host_bytes", need_bytes)
    monkeypatch.setattr(side_by_side, "HostMemory", lambda _: HostMemory(100 * GB))
    return PretendProcess


def test_cases_that_need_more_memory_together_than_the_host_has_wait_for_one_another(
    three_cards: Placement, pretended: type[PretendProcess], tmp_path: Path
) -> None:
    listener = Quiet()
    of_run = side_by_side._SideBySideRun(
        CasePlan(planned()), three_cards, RunContext(tmp_path, listener), [1, 1, 1]
    )
    outcome = of_run.measured()
    assert outcome.exit_status == 0
    assert pretended.begun == [1, 4, 2], "each has a card at once, and the second waits for memory"
    assert max(sum(HOST_GB[batch] for batch in at_once) for at_once in pretended.at_once) == 90
    (said,) = [note for note in listener.notes if "waits" in note]
    assert said.endswith(
        "waits: it needs about 60 GB of the host's memory, and the cases at work about 60 of 100 GB."
    )


def test_the_forecast_counts_with_the_wait_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "host_bytes", need_bytes)
    room, little = (
        forecast.forecast_side_by_side(planned(), [1, 1, 1], 3, HostMemory(gb * GB)).longest_s
        for gb in (1000, 100)
    )
    assert little == pytest.approx(2 * room)


def test_quantised_weights_pass_through_the_hosts_memory_and_others_do_not() -> None:
    quantised, plain = (
        plan(
            load(CATALOGUE),
            ["tiny-bloom"],
            Overrides(
                weights="random", work=Work.model_validate({} if method is None else {"quantization": method})
            ),
        )[0].case
        for method in ("bnb-4bit", None)
    )
    assert fitting.host_bytes(plain) == fitting.BASE_BYTES
    assert fitting.host_bytes(quantised) > fitting.host_bytes(plain)


def test_a_case_alone_keeps_of_the_runs_points_the_one_that_memory_could_ask_for() -> None:
    whole = planned()
    plan = CasePlan(whole, points=hashes(whole))
    kept = [plan.alone(item).points for item in whole]
    assert kept == [frozenset(), hashes(whole[:1]), hashes(whole[1:2])], "of 1, 2 and 4: none, 1 and 2"


def test_a_case_that_lacks_something_ends_the_run_as_it_does_alone(standin: StandIn, tmp_path: Path) -> None:
    standin.attach()
    process = CaseProcess(0, "a", (), CasePlan(planned()[:1], gpus="7", device="cuda"), tmp_path)
    ended = process.report_to(Quiet())
    assert isinstance(ended, GivenUp)
    assert ended.exit_status == 2
    assert RunOutcome(given_up={"a": ended}).exit_status == 2
    failed = factory.record(status="failed", blocks=[], failure={"stage": "load", "message": "No."})
    assert RunOutcome([(failed, Path("b.json"))], given_up={"a": ended}).exit_status == 1
    assert (
        RunOutcome(given_up={"a": ended, "b": GivenUp("its process ended with status -9")}).exit_status == 1
    )
