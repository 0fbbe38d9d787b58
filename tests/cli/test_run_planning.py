"""Planning of a run: `--endpoint` and `--restarts` go by a producer's facts, cases by their places."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bench.catalog.cases import Planned
from bench.cli.run_options import RunOptions
from bench.cli.run_planning import check_endpoint, check_restarts
from bench.core.workload import Workload
from bench.errors import UsageError
from bench.worker import producers
from tests.cli.conftest import Typed
from tests.support.places import catalogue

URL = "http://localhost:8000/v1"


def cases_of(monkeypatch: pytest.MonkeyPatch, *, asks: bool, starts: bool) -> list[Planned]:
    """A case, and a producer of another name with these facts."""
    monkeypatch.setattr(
        producers, "of", lambda workload: SimpleNamespace(ASKS_SERVER=asks, STARTS_SERVER=starts)
    )
    return [cast("Planned", SimpleNamespace(case=SimpleNamespace(workload=Workload())))]


def test_an_endpoint_is_for_any_producer_that_asks_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = RunOptions(endpoint=URL)
    check_endpoint(cases_of(monkeypatch, asks=True, starts=False), asked)
    with pytest.raises(UsageError, match="none of the chosen cases asks a server"):
        check_endpoint(cases_of(monkeypatch, asks=False, starts=False), asked)


def test_restarts_are_for_any_producer_that_starts_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = RunOptions(restarts=2)
    check_restarts(cases_of(monkeypatch, asks=True, starts=True), asked)
    with pytest.raises(UsageError, match="--restarts is for cases that a server makes"):
        check_restarts(cases_of(monkeypatch, asks=True, starts=False), asked)


def test_one_machine_leaves_cases_for_others_out(typed: Typed, tmp_path: Path) -> None:
    models = catalogue(tmp_path)
    done = typed("run", "racks", "--models", models, "--device", "cpu", "--dry-run")
    assert done.status == 0
    said = " ".join(done.err.split())
    assert "Left out: tiny-bloom random weights" in said
    assert "it is for h100:2, and no card can be used. Run it there." in said
    assert "batch 3" in done.out
    assert "batch 2" not in done.out
    named = typed(
        "run", "tiny-bloom", "--weights", "random", "--models", models, "--device", "cpu", "--dry-run"
    )
    assert named.status == 0
