"""Answers of a cluster's nodes: a fault of a node's code is not a lost node."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import bench
from bench.doctor.examine import DoctorReport
from bench.doctor.findings import Finding
from bench.errors import INTERNAL_FAULT, PrerequisiteError
from bench.fleet.cluster import Cluster
from bench.fleet.meter_agent import listening
from bench.fleet.node import MeasuredFiles, NodeFacts, NodeRunner
from bench.measurement.case_plan import CasePlan
from bench.view import terminal
from bench.view.fleet import Found, sections

exceptions = pytest.importorskip("ray.exceptions", reason="the extra `fleet` is not installed")
SECRET, BEARER = "planted-token-0123", "Bearer a-token-of-the-tests"
FAULT = "A fault in joulebench on this node: KeyError: 'planted'."


def answering(error: Exception) -> Cluster:
    """A cluster whose nodes answer with this error."""

    def get(*_: object, **__: object) -> None:
        raise error

    cluster = Cluster.__new__(Cluster)
    cluster._ray = SimpleNamespace(get=get, exceptions=exceptions)
    cluster._actors = {}
    return cluster


def task_error(cause: Exception) -> Exception:
    """As Ray raises it for a method that raised."""
    return exceptions.RayTaskError("describe()", "a traceback", cause).as_instanceof_cause()  # type: ignore[no-any-return]


def test_a_fault_of_a_nodes_code_has_its_own_sentence() -> None:
    cluster = answering(task_error(KeyError("planted")))
    assert cluster._facts(None) == FAULT
    assert cluster._found([]) == FAULT
    measured = cluster.result(None)
    assert measured is not None, "the node is there"
    assert (measured.error, measured.exit_status) == (FAULT, INTERNAL_FAULT)


def test_a_node_without_drivers_says_so_in_its_own_words() -> None:
    cluster = answering(task_error(PrerequisiteError("There is no driver.", "Install one.")))
    assert cluster._facts(None) == "There is no driver."


def test_a_node_that_is_gone_is_lost() -> None:
    cluster = answering(exceptions.RayActorError())
    assert cluster.result(None) is None
    assert str(cluster._facts(None)).startswith("it was lost: ")
    assert str(cluster._found([])).startswith("it was lost: ")
    slow = answering(exceptions.GetTimeoutError())
    assert slow._facts(None) == slow._found([]) == "it did not answer within 120 s"


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("0.0.1", f"its joulebench is 0.0.1, and this one {bench.__version__}"),
        (bench.__version__, f"its joulebench {bench.__version__} has other code than this one"),
    ],
)
def test_a_node_with_other_code_takes_no_part(version: str, why: str) -> None:
    cluster = answering(AssertionError("not asked"))
    facts = NodeFacts("l4", ("NVIDIA L4",), version, "other", {}, frozenset())
    cluster._ray = SimpleNamespace(get=lambda *_, **__: facts, exceptions=exceptions)
    assert cluster._facts(None) == why


def test_a_fault_while_it_measures_is_an_answer(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("planted")

    monkeypatch.setattr("bench.fleet.node.run", broken)
    assert NodeRunner(str(tmp_path)).measure(CasePlan(())) == MeasuredFiles(
        error=FAULT, exit_status=INTERNAL_FAULT
    )


def test_the_list_of_nodes_goes_on_beside_one_that_does_not_answer() -> None:
    described = {name: NodeFacts(name, ("NVIDIA L4",), "0", "s", {}, frozenset()) for name in ("one", "two")}
    report = DoctorReport((Finding("host", "cpu", "ok", "It is read."),), {"gpu": "measured"})
    found: Found = {"one": FAULT, "two": (report, {"0": "a run", "cpu": "a run"})}
    wide = terminal.lines(sections(described, found, findings=True), terminal.Room(180, 180, False))
    lines = [" ".join(line.split()) for line in wide]
    assert any(line.startswith(f"one one {FAULT}") for line in lines), lines
    assert any(
        line.startswith("two two 1 NVIDIA L4 gpu measured") and line.endswith(" a run") for line in lines
    )


def test_a_nodes_fault_is_masked_with_its_own_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who asks has another environment, and would not know the secret for one."""
    monkeypatch.setenv("NODE_TOKEN", SECRET)
    node, plan = NodeRunner(str(tmp_path)), CasePlan(())
    asked: tuple[Callable[[], object], ...] = (
        lambda: node.describe(plan),
        lambda: node.findings(None),
        node.holders,
    )
    for error, said in (
        (KeyError(SECRET), "A fault in joulebench on this node: KeyError: '***'."),
        (PrerequisiteError(f"No driver {SECRET}.", f"Ask {SECRET}."), "No driver ***. Ask ***."),
    ):
        for name in ("GpuDrivers", "examine", "run"):
            monkeypatch.setattr(f"bench.fleet.node.{name}", Mock(side_effect=error))
        for ask in asked:
            with pytest.raises(PrerequisiteError) as caught:
                ask()
            assert str(caught.value) == said
            assert SECRET not in "".join(traceback.format_exception(caught.value))
        assert node.measure(plan).error == said


def test_a_metering_agents_fault_is_masked_with_its_own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_TOKEN", SECRET)
    meter = Mock(description=Mock(side_effect=RuntimeError(f"no card {SECRET}")))
    with listening(meter, "127.0.0.1", 0, "a-token-of-the-tests") as agent:
        asks = Request(f"http://127.0.0.1:{agent.port}/meter", headers={"Authorization": BEARER})
        with pytest.raises(HTTPError) as caught:
            urlopen(asks)
        said = caught.value.read()
        caught.value.close()
    assert json.loads(said) == {"error": "a fault of its agent: RuntimeError: no card ***"}
