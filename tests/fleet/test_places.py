"""Places of cases, from the catalogue to the node that is given them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalog.cases import Overrides, Planned, plan
from bench.catalog.loading import load
from bench.errors import CatalogError
from bench.fleet.dispatch import DispatchBoard
from bench.fleet.node import NodeFacts, NodeRunner
from bench.measurement.case_plan import CasePlan
from bench.view import fleet, terminal
from tests.standin import StandIn
from tests.support.places import catalogue


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return catalogue(tmp_path)


def planned(models: Path, *names: str) -> list[Planned]:
    return plan(load(models), list(names), Overrides(weights="random"))


def test_a_cases_place_is_in_its_suites_stead_and_in_no_hash(models: Path) -> None:
    first, second, third = planned(models, "racks")
    assert first.place is not None
    assert second.place is not None
    assert third.place is not None
    assert (first.place.gpu, second.place.gpu, third.place.gpu) == ("h100:2", "l4", None)
    assert third.place.labels == {"rack": "a"}
    (alone,) = planned(models, "tiny-bloom")
    assert alone.place is None
    assert alone.case.as_mapping()["hash"] == first.case.as_mapping()["hash"]


@pytest.mark.parametrize("place", ['{gpu: ""}', '{gpu: "h100:0"}', "{gpus: h100}", "{labels: {rack: 1}}"])
def test_what_is_no_place_is_refused_with_its_line(models: Path, place: str) -> None:
    text = models.read_text(encoding="utf-8").replace('{gpu: "h100:2"}', place)
    models.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError, match=r"models\.yaml:\d+: suites\.racks\.place"):
        load(models)


def test_a_fleet_gives_each_case_to_nodes_of_its_place(models: Path) -> None:
    cases = CasePlan(tuple(planned(models, "racks")))
    big = NodeFacts("big", ("NVIDIA H100",) * 2, "0", "s", {1: "it is for l4"}, frozenset({0, 2}))
    nodes = {"big": big.labelled(cases, {"rack": "b"})}
    small = NodeFacts("small", ("NVIDIA L4",), "0", "s", {0: "it is for h100:2"}, frozenset())
    nodes["small"] = small.labelled(cases, {"rack": "a"})
    board = DispatchBoard(3, nodes)
    assert [board.waiting(case) for case in range(3)] == [["big"], ["small"], ["small"]]
    del nodes["small"]
    alone = DispatchBoard(3, nodes)
    assert alone.given_up[2] == "big: it is for a node with rack=a, and this one has rack=b"
    shown = terminal.text([fleet.cases(["one", "two", "three"], alone)])
    assert "one    big\n" in shown
    assert "big: it is for a node with rack=a" in " ".join(shown.split())


def test_a_node_refuses_cases_for_other_cards(
    models: Path, tmp_path: Path, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.attach()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for gpu in (0, 1):
        standin.change(gpu, name=b"NVIDIA H100")
    facts = NodeRunner(str(tmp_path)).describe(CasePlan(tuple(planned(models, "racks"))))
    assert set(facts.refusals) == {1}
    assert facts.refusals[1].startswith("it is for l4, and 2 NVIDIA H100 can be used")
