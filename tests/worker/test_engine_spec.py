"""Parts of a case at servers: only where their joules are metered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.catalog.cases import Case, Overrides, plan
from bench.catalog.loading import load
from bench.errors import EngineError
from bench.machine.placement import Placement
from bench.meters.gpus import GpuDrivers
from bench.worker.engine_spec import engine_spec
from tests.support.processes import ROOT

HERE, ELSEWHERE = "http://127.0.0.1:8000/v1", "http://203.0.113.7:8000/v1"


@pytest.fixture(scope="module")
def council() -> Case:
    (planned,) = plan(load(Path(ROOT, "models.yaml")), ["council-of-four"], Overrides())
    return planned.case


def at(case: Case, url: str) -> Case:
    return replace(case, parts={**case.parts, "second": replace(case.parts["second"], endpoint=url)})


def test_a_server_of_this_machine_is_asked_by_its_models_name(council: Case, drivers: GpuDrivers) -> None:
    placement = Placement("cpu", tuple(drivers.gpus))
    parts = engine_spec(at(council, HERE), placement, frozenset()).parts
    assert parts["second"].server is not None
    assert (parts["second"].server.url, parts["second"].server.name) == (
        HERE,
        "meta-llama/Llama-3.1-8B-Instruct",
    )
    assert parts["first"].server is None


def test_a_servers_url_is_not_in_the_hash_and_that_it_is_one_is(council: Case) -> None:
    hashes = [at(council, url).as_mapping()["hash"] for url in (HERE, "http://localhost:9000/v1")]
    assert hashes[0] == hashes[1] != council.as_mapping()["hash"]


def test_only_the_named_models_of_a_chain_run_code_of_their_own(council: Case) -> None:
    for named in (frozenset[str](), frozenset({"llama-3.1-8b-instruct"}), frozenset({council.name})):
        spec = engine_spec(council, Placement("cpu"), named)
        assert spec.trust_remote_code is (council.name in named)
        trusted = {key for key, part in spec.parts.items() if part.trust_remote_code}
        assert trusted == {key for key, part in council.parts.items() if part.case.name in named}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (ELSEWHERE, "joules of llama-3.1-8b-instruct are not metered here: the server at 203.0.113.7"),
        (HERE, "llama-3.1-8b-instruct is at a server, whose cards are not known. Name them with --gpus."),
    ],
)
def test_a_server_whose_joules_would_be_missing_is_refused(council: Case, url: str, says: str) -> None:
    with pytest.raises(EngineError) as raised:
        engine_spec(at(council, url), Placement("cpu"), frozenset())
    assert says in str(raised.value)
