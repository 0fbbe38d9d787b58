"""Windows and presets by name, and what they mean for a case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.catalog.cases import Overrides, plan
from bench.catalog.identity import differing
from bench.catalog.loading import load
from bench.catalog.served_loads import keys_of
from bench.core.workload import Workload
from bench.errors import CatalogError, UsageError
from tests.support.processes import ROOT

CATALOGUE = ROOT / "tests/support/served/models.yaml"


@pytest.mark.parametrize(
    ("text", "workload", "tokens"),
    [
        ("single", Workload(kind="single", producer="endpoint"), None),
        ("concurrency:8", Workload(kind="concurrency", load=8, producer="endpoint"), None),
        ("rate:2.5", Workload(kind="rate", load=2.5, producer="endpoint"), None),
        ("saturated:64", Workload(kind="saturated", load=64, producer="endpoint", requests=1024), None),
        ("saturated:8:99", Workload(kind="saturated", load=8, producer="endpoint", requests=99), None),
        (
            "mlenergy-v3:512",
            Workload(kind="saturated", load=512, producer="endpoint", requests=2048, ends="model"),
            4096,
        ),
        (
            "mlenergy-v3:768",
            Workload(kind="saturated", load=768, producer="endpoint", requests=3072, ends="model"),
            4096,
        ),
        (
            "inferencex-8k1k:4",
            Workload(kind="concurrency", load=4, producer="endpoint", prompt_tokens=8192),
            1024,
        ),
    ],
)
def test_a_windows_name_is_a_workload(text: str, workload: Workload, tokens: int | None) -> None:
    keys = keys_of(text)
    assert keys["workload"] == workload
    assert keys.get("new_tokens") == tokens


def test_windows_that_differ_are_never_the_same_case() -> None:
    names = ["single", "concurrency:1", "rate:1", "saturated:1", "mlenergy-v3:1", "inferencex-1k1k:1"]
    identities = [str(keys_of(name)["workload"].identity()) for name in names]
    assert len(set(identities)) == len(names)


def test_a_workload_is_written_and_read_again_as_it_was() -> None:
    for name in ("single", "rate:3", "mlenergy-v3:8", "inferencex-1k1k:8"):
        workload = keys_of(name)["workload"]
        assert Workload.model_validate(workload.model_dump()) == workload
    assert Workload(kind="concurrency", load=8, producer="endpoint").model_dump() == {
        "kind": "concurrency",
        "load": 8.0,
        "producer": "endpoint",
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "key: SERVED_TEST_KEY",
            "key: sk-planted-01234",
            "expected the name of a variable, such as OPENAI_API_KEY",
        ),
        ("{port}", "{prt}", "unknown place prt"),
        ("{port}", "8000", "the command needs {port}"),
        ("{{", "{", "its braces do not match"),
        ("answer_seconds: 30", "answer_seconds: 0", "serve.answer_seconds"),
        ("price: {input_usd: 0.5, ", "price: {", "serve.price.input_usd: this key is missing"),
        ("load: 4, producer", "producer", "`concurrency` needs a `load`"),
        ("kind: rate, load: 6", "kind: saturated, load: 20", "`saturated` needs `requests`"),
        ("kind: rate, load: 6", "kind: saturated, load: 20, requests: 30", "more than twice its `load`"),
        ("kind: rate, load: 6", "kind: rate, load: 6, requests: 30", "`rate` has no `requests`"),
    ],
)
def test_a_mistake_is_shown_where_it_is_and_a_key_is_not_shown(
    old: str, new: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "models.yaml"
    text = CATALOGUE.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(CatalogError) as caught:
        load(path)
    assert says in str(caught.value)
    assert f"{path}:" in str(caught.value)
    assert "sk-planted" not in str(caught.value)


def test_a_number_of_requests_that_is_none_is_refused() -> None:
    for text, says in (
        ("saturated:8:many", "has no number of requests"),
        ("saturated:8:10", "more than twice"),
    ):
        with pytest.raises(UsageError, match=says):
            keys_of(text)
    with pytest.raises(UsageError, match="has no load"):
        keys_of("concurrency:8:99")


def test_what_starts_a_server_is_in_its_cases_identity_and_an_attached_one_has_none(tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    text = CATALOGUE.read_text(encoding="utf-8")

    def mapping(text: str, name: str = "windows", *, attached: bool = False) -> dict[str, Any]:
        path.write_text(text)
        return plan(load(path), [name], Overrides(attached=attached))[0].case.as_mapping()

    first, slower = mapping(text), mapping(text.replace("0.008", "0.009"))
    assert differing(first, slower) == ["server.command_sha256"]
    assert first["hash"] != slower["hash"]
    assert mapping(text.replace("server {port}\n", "server  {port}\n")) == first  # blanks change nothing
    alone = mapping(text, attached=True)
    assert "server" not in alone
    assert "server" not in mapping(text, "tiny")  # batch after batch of a worker
    assert "from the environment" not in str(first)


def test_a_catalogue_of_models_alone_is_one(tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(CATALOGUE.read_text(encoding="utf-8").split("suites:")[0])
    assert load(path).suites == {}
