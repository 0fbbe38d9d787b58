"""Planted secrets: a key, a password in a URL, a variable of the environment; none is in what is kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from bench.errors import EngineError
from bench.machine.placement import Placement
from bench.worker import producers
from bench.worker.producer import ProducerSetup, WorkRequest
from bench.worker.serving.secrets import key_from
from tests.support.served.producing import case, producer
from tests.support.served.server import Manners, serving

KEY, OTHER = "sk-planted-0123456789abcdef", "planted-hub-token-42"


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVED_TEST_KEY", KEY)
    monkeypatch.setenv("HF_TOKEN", OTHER)


def test_a_server_that_writes_its_key_everywhere_gives_it_to_nothing_that_is_kept(tmp_path: Path) -> None:
    spec = {
        "key": "SERVED_TEST_KEY",
        "extra": {"ignore_eos": True, "api_key": KEY, "user": f"me {OTHER}", "hf_token": "short"},
    }
    of = case(spec)
    with serving(Manners(key=KEY, echoes_key=True)) as url:
        setup = ProducerSetup(Placement("cpu"), endpoint=url)
        with producers.of(of.workload).create(setup) as made:
            loaded = made.load(of)
            produced = made.produce(WorkRequest(0.1, batches=1))
            checked = made.check(tmp_path, "x")
    assert produced.served is not None
    kept = [json.dumps(asdict(loaded)), produced.served.model_dump_json(), repr(checked)]
    kept += [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()]
    assert "***" in kept[0], "the model's name and the version had the key"
    assert any("***" in text for text in kept[3:]), "as had the answers"
    for text in kept:
        assert KEY not in text
        assert OTHER not in text
    assert '"hf_token": "***"' in kept[0]


def test_an_endpoint_is_sent_the_key_that_the_catalogue_names_and_nothing_else_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No other key, no name of user or host, and no proxy's password; a .netrc is not asked either."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-other")
    monkeypatch.setenv("HTTP_PROXY", "http://me:planted-pass@127.0.0.1:9")
    of = case({"key": "SERVED_TEST_KEY"})
    manners = Manners(key=KEY)
    with serving(manners) as url, producer(of, url) as made:
        made.produce(WorkRequest(0.1, batches=1))
    assert manners.headers
    for headers in manners.headers:
        assert headers.keys() <= {"host", "accept", "accept-encoding", "connection", "user-agent",
                                  "authorization", "content-length", "content-type"}  # fmt: skip
        assert headers["user-agent"].startswith("python-httpx")
        assert headers.get("authorization", f"bearer {KEY}") == f"bearer {KEY}"


def test_what_looks_like_a_secret_is_hidden_and_the_rest_of_a_text_stays() -> None:
    key = key_from("SERVED_TEST_KEY")
    for text, shown in (
        ("http://localhost:8000/v1 is up", "http://localhost:8000/v1 is up"),
        ("see https://me:pass@host/v1", "see https://***@host/v1"),
        ("--api-key abc --port 8000", "--api-key *** --port 8000"),
        ("Authorization: Bearer xyz", "Authorization: Bearer ***"),
        (f"env has {OTHER}", "env has ***"),
        ("max_tokens=20", "max_tokens=20"),
    ):
        assert key.scrubbed(text) == shown
    assert key.hidden({"max_tokens": 20, "a": [{"Password": "x"}]}) == {
        "max_tokens": 20,
        "a": [{"Password": "***"}],
    }
    assert KEY not in repr(key)


def test_a_model_that_changes_to_a_name_with_the_key_ends_the_case_without_it() -> None:
    of = case({"key": "SERVED_TEST_KEY"})
    manners = Manners(key=KEY, echoes_key=True, other_model_from=4)
    with serving(manners) as url, producer(of, url) as made, pytest.raises(EngineError) as caught:
        made.produce(WorkRequest(5.0, batches=1))
    assert "The server answered as model other***" in str(caught.value)
