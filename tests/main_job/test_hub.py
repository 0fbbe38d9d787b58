"""Whole runs of published models from a hub on loopback, some of which it refuses or sends in part."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.core.modalities.text import TextOptions
from bench.core.record import Record
from bench.core.weights import Weights
from bench.engines.base import EngineSpec
from bench.engines.language import text_loading
from bench.store import results as store
from tests.support.hub import COMMIT, Answer, Asked, Hub, Once, model_files, serving_hub
from tests.support.main_job.running import CATALOGUE, THREADS
from tests.support.processes import ROOT
from tests.support.sockets import SocketWatch

TOKEN = "hf_planted_for_this_test"
MODELS = ("gated", "whole")
GATED = {"X-Error-Code": "GatedRepo"}
LIMITS = ["--max-seconds", "2", "--block-seconds", "0.4", "--target", "95%"]
ENTRY = """  {name}:
    {{engine: text, unit: page, family: Llama, licence: mit, gated: false, parameters_b: 0.001,
     memory_gb: 0.01, hub_id: own/{name}, revision: {commit}}}
"""


@dataclass(frozen=True)
class Place:
    """The hub and the folder of runs that share a cache."""

    hub: Hub
    folder: Path
    watch: SocketWatch

    @property
    def models(self) -> Path:
        return self.folder / "models.yaml"

    def addresses(self) -> set[str]:
        """What a run may connect to and look up."""
        hub, storage = urlsplit(self.hub.url), urlsplit(self.hub.storage_url)
        return {
            hub.netloc,
            f"127.0.0.1:{storage.port}",
            f"lookup {hub.hostname}",
            f"lookup {storage.hostname}",
        }


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    text: str
    took_s: float

    def record(self, place: Place, results: str, model: str) -> Record:
        (found,) = (place.folder / results).glob(f"*/*{model}*.json")
        return store.read(found)


def bench(place: Place, *words: str, **variables: str) -> Ended:
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    variables = {
        **kept,
        **THREADS,
        **place.watch.environment(),
        **{"HF_ENDPOINT": place.hub.url, "HF_HOME": str(place.folder / "home"), "HF_TOKEN": TOKEN},
        **{"PYTHONPATH": str(ROOT), "TMPDIR": str(place.folder / "temporary")},
        **variables,
    }
    begun_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words, "--models", str(place.models)],
        cwd=place.folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    text = " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in text
    assert TOKEN not in text
    return Ended(done.returncode, text, time.monotonic() - begun_s)


def run(place: Place, results: str, *models: str, **variables: str) -> Ended:
    words = ("run", *models, "--device", "cpu", *LIMITS, "--results", results)
    return bench(place, *words, **variables)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, saved = tmp_path_factory.mktemp("hub"), tmp_path_factory.mktemp("tiny-llama")
    options = TextOptions(new_tokens=12)
    random = Weights(kind="random", architecture="tiny-llama")
    made = text_loading.load(EngineSpec("tiny", random, options, "float32", 1), options)
    made.model.save_pretrained(saved)
    made.tokenizer.save_pretrained(saved)
    head = CATALOGUE.read_text(encoding="utf-8").partition("\nmodels:\n")[0]
    entries = "".join(ENTRY.format(name=name, commit=COMMIT) for name in MODELS)
    (folder / "models.yaml").write_text(f"{head}\nmodels:\n{entries}", encoding="utf-8")
    (folder / "temporary").mkdir()
    with serving_hub({f"own/{name}": model_files(saved) for name in MODELS}) as served:
        yield Place(served, folder, SocketWatch(folder))


@pytest.fixture(scope="module")
def first(place: Place) -> Ended:
    """A run of both, of which the hub refuses the weights of one; then the other is in the cache."""

    def refused(asked: Asked) -> Answer | None:
        of_gated = asked.path.startswith("/own/gated/") and asked.path.endswith("/model.safetensors")
        return Answer(403, GATED) if of_gated else None

    short = Once(lambda asked: Answer(503) if asked.path.startswith("/api/models/own/whole/") else None)
    place.hub.fault = lambda asked: short(asked) or refused(asked)
    try:
        return run(place, "first", *MODELS)
    finally:
        place.hub.fault = lambda _: None


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_model_that_the_hub_does_not_give_costs_its_case_alone(place: Place, first: Ended) -> None:
    assert first.status == 2, first.text
    failure = first.record(place, "first", "gated").failure
    assert failure is not None
    assert failure.missing
    assert (
        failure.message == "own/gated is gated: its licence has to be accepted before it can be downloaded."
    )
    assert failure.message in first.text
    assert first.record(place, "first", "whole").failure is None
    assert first.record(place, "first", "whole").case.weights.revision == COMMIT
    assert "The model hub answers 503 (trouble of its own): waiting 1 s, at most 15 s in all." in first.text


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_run_asks_hub_and_storage_alone_and_tells_nobody_what_it_is(place: Place, first: Ended) -> None:
    assert first.status == 2
    asked = place.watch.asked()
    assert urlsplit(place.hub.url).netloc in asked
    assert asked <= place.addresses()
    assert place.hub.paths("storage")
    assert "/api/agent-harnesses" not in place.hub.paths()
    assert all("agent/" not in request.headers["user-agent"] for request in place.hub.asked)
    assert all(
        "authorization" not in request.headers for request in place.hub.asked if request.server == "storage"
    )
    stored = [path for path in (place.folder / "first").rglob("*") if path.is_file()]
    assert not [path for path in stored if TOKEN.encode() in path.read_bytes()]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_hub_that_is_down_leaves_a_run_its_complete_copy(place: Place, first: Ended) -> None:
    assert first.status == 2
    place.hub.fault = lambda _: Answer(503)
    place.hub.asked.clear()
    try:
        down = run(place, "down", "whole")
    finally:
        place.hub.fault = lambda _: None
    assert down.status in (0, 3), down.text
    assert "own/whole is out of reach. Its complete local copy is used." in down.text
    assert set(place.hub.paths()) == {f"/api/models/own/whole/revision/{COMMIT}"}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_offline_a_run_asks_nobody_and_names_what_is_not_there(
    place: Place, first: Ended, tmp_path: Path
) -> None:
    assert first.status == 2
    watch = SocketWatch(tmp_path)
    offline = run(place, "offline", "gated", "whole", HF_HUB_OFFLINE="1", **watch.environment())
    assert watch.asked() == set()
    assert offline.status == 2, offline.text
    assert offline.record(place, "offline", "whole").failure is None
    assert "own/gated" in offline.text
    failure = offline.record(place, "offline", "gated").failure
    assert failure is not None
    assert failure.missing
    assert "own/gated" in failure.message


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_doctor_asks_the_hub_alone(place: Place, tmp_path: Path) -> None:
    watch = SocketWatch(tmp_path)
    place.hub.asked.clear()
    done = bench(place, "doctor", **watch.environment())
    assert done.status in (0, 2)
    assert watch.asked() <= place.addresses()
    assert set(place.hub.paths()) <= {f"/api/models/own/gated/revision/{COMMIT}"}
    assert f"{place.hub.url} answers." in done.text or "no answer within" in done.text
