"""A real server, `transformers serve`, with a tiny random model on the CPU, asked in each window."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.catalog.cases import Case
from bench.core.modalities.text import TextOptions
from bench.core.weights import Weights
from bench.worker.producer import Producer, WorkRequest
from tests.support.served.producing import case, producer

pytest.importorskip("fastapi", reason="`transformers serve` needs fastapi")
pytest.importorskip("uvicorn", reason="`transformers serve` needs uvicorn")
pytest.importorskip("openai", reason="`transformers serve` needs openai")
pytestmark = pytest.mark.slow
TOKENS = 12
LENGTH = '{"max_new_tokens": {new_tokens}, "min_new_tokens": {new_tokens}, "do_sample": false}'


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model of random weights and its tokenizer."""
    from bench.engines.base import EngineSpec
    from bench.engines.language import text_loading

    folder = tmp_path_factory.mktemp("tiny-llama")
    options = TextOptions(new_tokens=TOKENS)
    weights = Weights(kind="random", architecture="tiny-llama")
    loaded = text_loading.load(EngineSpec("tiny-llama", weights, options, "float32", 1), options)
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    return folder


def served(model: Path, **window: Any) -> Case:
    """The case of that model: random weights, whose text is not split again into what it was made of."""
    spec = {
        "command": f"{sys.executable} -m transformers.cli.transformers serve {model} "
        "--host {host} --port {port} --device cpu --dtype {dtype}",
        "name": str(model),
        "extra": {"generation_config": LENGTH, "temperature": None, "stream_options": None},
        "answer_seconds": 60.0,
    }
    made = case(spec, TOKENS, **window)
    return Case(
        made.name,
        made.model,
        Weights(kind="random", architecture="tiny-llama"),
        made.dtype,
        made.batch,
        made.seed,
        made.options,
        workload=made.workload,
    )


@pytest.fixture(scope="module")
def started(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Producer]:
    """One server for all windows; each is asked by a producer of its own, to which it is up already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("OMP_NUM_THREADS", "1")
        with producer(served(model, kind="single"), None, tmp_path_factory.mktemp("log")) as made:
            yield made


def url_of(started: Producer) -> str:
    """Where it listens."""
    (port,) = {
        connection.laddr.port
        for pid in started.pids
        for connection in psutil.Process(pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    return f"http://127.0.0.1:{port}/v1"


def test_a_started_server_is_asked_one_request_after_another(started: Producer) -> None:
    found = started.produce(WorkRequest(0.5, batches=1)).served
    checked = started.check(None, "x")
    assert found is not None
    assert found.finished >= 1
    assert found.stated_tokens == TOKENS * found.finished
    assert found.output_tokens_by == "server usage"
    assert found.input_tokens
    assert not any(check.problems for check in checked.found)


@pytest.mark.parametrize(
    "window",
    [
        {"kind": "concurrency", "load": 2},
        {"kind": "rate", "load": 4},
        {"kind": "saturated", "load": 2, "requests": 12},
    ],
    ids=lambda window: str(window["kind"]),
)
def test_the_server_that_is_up_is_asked_in_each_window(
    started: Producer, model: Path, window: dict[str, Any]
) -> None:
    with producer(served(model, **window), url_of(started)) as made:
        assert set(made.pids) & set(started.pids), "found by its port"
        found = made.produce(WorkRequest(0.5, batches=1)).served
    assert found is not None
    assert found.finished >= 2
    assert found.failed == {}
    assert found.stated_tokens == TOKENS * found.finished
