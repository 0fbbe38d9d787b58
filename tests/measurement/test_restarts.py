"""A case whose server is started several times: the order of things, and what the record has of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench.catalog.cases import Planned
from bench.catalog.models import Measure
from bench.compare.metrics import METRICS
from bench.core.machine import Machine
from bench.core.observed import Observed
from bench.core.provenance import Provenance
from bench.core.record import Record
from bench.errors import EngineError
from bench.measurement import build_record, procedure
from bench.measurement.build_record import CaseFacts
from bench.measurement.case_state import CaseState
from bench.measurement.idle import IdlePower
from bench.measurement.setup import RunSetup
from tests.support import factory
from tests.support.served.producing import case

JOULES = {1: 300.0, 2: 330.0, 3: 360.0}
"""Of a page, by the server's start."""
IDLE = IdlePower({factory.GPU: 2.0}, {factory.GPU: 0.1}, {factory.GPU: "measured"}, {})


class FakeCase:
    """A loaded case whose joules depend on the server's start alone."""

    def __init__(self, state: CaseState, order: list[str]) -> None:
        self.state, self._order = state, order

    def first_round(self) -> None:
        self._order.append("first round")

    def idle(self) -> IdlePower:
        self._order.append("idle")
        return IDLE

    def warm_up(self) -> None:
        self._order.append("warm-up")
        assert self.state.warmup_by is None, "each start is warmed up"
        self.state.warmup_by = "steady"

    def block(self) -> None:
        start = self.state.start_number
        count = len(self.state.measured)
        window = factory.served_window(start)
        joules = JOULES[start or 1] * (1 + 0.002 * (count % 3 - 1))
        self.state.blocks.append(factory.block(joules, observed=Observed(served=window)))


def measured(
    monkeypatch: pytest.MonkeyPatch, restarts: int | None, *, endpoint: str | None = None, fails_at: int = 0
) -> tuple[Record, list[str]]:
    """The record of such a case, and the order of what was done."""
    order: list[str] = []
    loads = iter(range(1, 10))

    @contextmanager
    def loaded(planned: Planned, setup: Any, gpu_processes: Any, state: CaseState) -> Iterator[Any]:
        order.append("load")
        if next(loads) == fails_at:
            raise EngineError("The server ended with exit status 3.", stage="load")
        yield FakeCase(state, order)
        order.append("unload")

    monkeypatch.setattr(procedure, "loaded", loaded)
    listener = SimpleNamespace(block_done=lambda done: None)
    setup = SimpleNamespace(
        instruments=SimpleNamespace(drivers=SimpleNamespace(gpus=())),
        placement=SimpleNamespace(device="cpu"),
        context=SimpleNamespace(listener=listener),
        endpoint=endpoint,
        stage=lambda text: None,
        note=order.append,
    )
    measure = Measure(target=0.05, max_seconds=60.0, min_blocks=5, quick=False, restarts=restarts)
    planned = Planned(case(), measure)
    state, failure = CaseState(planned.case), None
    try:
        procedure.measure_case(planned, cast("RunSetup", setup), state, lambda: None)
    except EngineError as error:
        failure = error
    facts = CaseFacts("2026-01-31T12:00:00Z", "run", Machine(), Provenance())
    return build_record.record(planned, state, factory.CARBON, facts, failure), order


def test_each_start_is_loaded_warmed_up_and_measured_and_idle_is_looked_at_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record, order = measured(monkeypatch, 3)
    assert [each for each in order if each.startswith("Start")] == [
        f"Start {number} of 3 of the server." for number in (1, 2, 3)
    ]
    assert [order.count(each) for each in ("load", "unload", "warm-up", "idle")] == [3, 3, 3, 2]
    assert [b.observed.served.start for b in record.blocks if b.observed.served] == [1] * 5 + [2] * 5 + [
        3
    ] * 5
    restarts = record.figures.served.restarts if record.figures.served else None
    assert restarts is not None
    assert restarts.starts == 3
    assert restarts.between_share == pytest.approx(30 / 330, rel=0.02)
    scope = record.figures.headline_scope
    assert scope is not None
    headline = record.figures.energy_per_unit_j[scope].gross
    assert headline == restarts.energy_per_unit_j  # three starts are three values, not fifteen
    assert headline.n == 3
    budget = record.figures.uncertainty.gross if record.figures.uncertainty else None
    assert budget is not None
    assert budget.value == headline.value
    (run_to_run,) = [each for each in budget.inputs if each.name == "run to run"]
    assert (run_to_run.dof, run_to_run.source) == (2.0, "spread of 3 starts of the server")
    assert METRICS["energy"].read(record).values == pytest.approx([300.0, 330.0, 360.0], rel=0.02)


def test_a_server_that_is_up_is_measured_once_and_one_start_has_no_such_figure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for restarts, endpoint in ((3, "http://localhost:1/v1"), (None, None)):
        record, order = measured(monkeypatch, restarts, endpoint=endpoint)
        assert order.count("load") == 1
        assert record.figures.served is not None
        assert record.figures.served.restarts is None
        assert record.reasons == []


def test_a_start_that_fails_keeps_the_blocks_of_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    record, _ = measured(monkeypatch, 3, fails_at=2)
    assert record.status == "failed"
    assert len(record.blocks) == 5
    assert record.failure is not None
    assert record.failure.message == "The server ended with exit status 3."
