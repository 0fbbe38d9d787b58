"""Files of a model from a hub that speaks the real protocol, and what may go wrong on the way."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import _http
from huggingface_hub.utils._headers import build_hf_headers

from bench.core.weights import Weights
from bench.engines import create
from bench.engines.base import EngineSpec
from bench.engines.weights import hub, hub_pauses, hub_request, hub_use
from bench.errors import EngineError
from tests.engines.conftest import TEXT
from tests.support.hub import COMMIT, Answer, Asked, Hub, Once, PublishedFile, model_files, serving_hub

WEIGHTS, TOKEN = "model.safetensors", "hf_planted_for_this_test"
SPEC = EngineSpec("m", Weights(kind="hub", hub_id="own/tiny", revision=COMMIT), TEXT, "float32", 1)
GATED = {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to model own/tiny is restricted."}
LOST = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, text_folder: Path) -> Iterator[Hub]:
    with serving_hub({"own/tiny": model_files(text_folder)}) as served:
        yield served


@pytest.fixture
def served(whole: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """The hub without faults, an empty cache, a planted token, and pauses that take no time."""
    whole.asked.clear()
    whole.fault = lambda _: None
    monkeypatch.setattr(constants, "ENDPOINT", whole.url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", whole.url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr("transformers.utils.hub._hf_api", None)  # it keeps the address of its first use
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    _http.close_session()
    yield whole
    _http.close_session()


@dataclass
class Waited:
    """Seconds of pauses, which tests do not sleep."""

    slept: list[float]

    @property
    def total_s(self) -> float:
        return sum(self.slept)


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> Waited:
    pauses = Waited([])
    monkeypatch.setattr(
        hub_pauses.Pauses.__init__, "__defaults__", (pauses.slept.append, lambda: pauses.total_s)
    )
    return pauses


def load() -> str:
    """The revision of the model that was loaded; unloaded again."""
    engine = create(SPEC)
    try:
        return str(engine.load().revision)
    finally:
        engine.unload()


def refusal() -> EngineError:
    with pytest.raises(EngineError) as caught:
        load()
    assert caught.value.missing, "status 2: something the user can provide, not a fault of the model"
    assert len(caught.value.message.split()) <= 25
    assert "Error" not in caught.value.message
    assert TOKEN not in str(caught.value)
    return caught.value


def always(answer: Answer, *, at: Callable[[Asked], bool]) -> Callable[[Asked], Answer | None]:
    return lambda asked: answer if at(asked) else None


def question(asked: Asked) -> bool:
    return asked.path.startswith("/api/models")


def config(asked: Asked) -> bool:
    return asked.is_file("config.json")


def weights(asked: Asked) -> bool:
    return asked.is_file(WEIGHTS)


def stored(asked: Asked) -> bool:
    return asked.server == "storage"


def settings(asked: Asked) -> bool:
    """Of generation: a file that transformers goes on without."""
    return asked.is_file("generation_config.json")


def test_a_whole_model_comes_from_hub_and_storage_and_its_token_stays_at_the_hub(served: Hub) -> None:
    assert load() == COMMIT
    assert [asked.headers["authorization"] for asked in served.asked if asked.server == "hub"] == [
        f"Bearer {TOKEN}"
    ] * len(served.paths())
    (fetched,) = (asked for asked in served.asked if asked.server == "storage")
    assert "authorization" not in fetched.headers
    assert TOKEN not in str(fetched)
    assert "/api/agent-harnesses" not in served.paths()


def test_a_question_that_is_sent_to_another_host_takes_no_token_there(served: Hub) -> None:
    elsewhere = f"{served.storage_url}/api/models/own/tiny"
    served.fault = always(
        Answer(302, {"Location": elsewhere}), at=lambda asked: question(asked) and not stored(asked)
    )
    refusal()
    (sent,) = (asked for asked in served.asked if asked.server == "storage")
    assert "authorization" not in sent.headers


@pytest.mark.parametrize(
    ("answer", "at", "message", "remedy"),
    [
        (Answer(403, GATED), question, "own/tiny is gated", "Accept it at"),
        (Answer(403, GATED), config, "own/tiny is gated", "Accept it at"),
        (Answer(403, GATED), weights, "own/tiny is gated", "Accept it at"),
        (Answer(401, GATED), weights, "own/tiny is gated", "Accept it at"),
        (Answer(403), stored, "(HTTP status 403): the token in HF_TOKEN", "HF_TOKEN"),
        (Answer(401), question, "a bad token in HF_TOKEN", "hf auth login"),
        (Answer(401), weights, "a bad token in HF_TOKEN", "hf auth login"),
        (Answer(404, {"X-Error-Code": "RepoNotFound"}), question, "has no model own/tiny", "Check the name"),
        (Answer(404, {"X-Error-Code": "RevisionNotFound"}), question, "no revision", "/commits/main"),
        (Answer(404, LOST), weights, "does not give the file model.safetensors", "Check its files"),
        (Answer(404), stored, "(HTTP status 404)", "HF_ENDPOINT"),
        (Answer(302, {"Location": "/api/models/own/tiny"}), question, "redirects without end", "HF_ENDPOINT"),
        (
            Answer(302, {"Location": f"/own/tiny/resolve/{COMMIT}/config.json"}),
            config,
            "redirects",
            "HF_ENDPOINT",
        ),
        (Answer(200, {}, b"<html>Log in</html>"), question, "is not a model hub", "log-in"),
        (Answer(200, {}, b"<html>Log in</html>"), config, "is not a model hub", "log-in"),
    ],
)
def test_what_the_hub_refuses_is_a_sentence_at_once(
    served: Hub, waited: Waited, answer: Answer, at: Callable[[Asked], bool], message: str, remedy: str
) -> None:
    served.fault = always(answer, at=at)
    begun_s = time.monotonic()
    refused = refusal()
    assert time.monotonic() - begun_s < 20, "of a busy machine: nothing is waited for"
    assert waited.slept == []
    assert message in refused.message
    assert remedy in str(refused.remedy)


@pytest.mark.parametrize("at", [question, config, weights, stored, settings])
def test_a_short_failure_is_waited_for_and_announced(
    served: Hub, waited: Waited, caplog: pytest.LogCaptureFixture, at: Callable[[Asked], bool]
) -> None:
    served.fault = Once(always(Answer(503), at=at), times=2)
    assert load() == COMMIT
    assert waited.slept == [1.0, 2.0]
    assert "answers 503 (trouble of its own): waiting 1 s, at most" in caplog.text
    waited.slept.clear()


@pytest.mark.parametrize("at", [question, weights, stored])
def test_a_pause_that_the_hub_asks_for_is_made_once_and_announced(
    served: Hub, waited: Waited, caplog: pytest.LogCaptureFixture, at: Callable[[Asked], bool]
) -> None:
    served.fault = Once(always(Answer(429, {"Retry-After": "7"}), at=at))
    assert load() == COMMIT
    assert waited.slept == [7.0]
    assert "answers 429 (too many requests): waiting 7 s, at most" in caplog.text


@pytest.mark.parametrize(
    ("answer", "at", "longest_s"),
    [
        (Answer(503), question, hub_request.LONGEST_TROUBLE_S),
        (Answer(503, {"Retry-After": "3600"}), question, 0.0),
        (Answer(503), config, hub.DOWNLOAD.trouble_s),
        (Answer(503), settings, hub.DOWNLOAD.trouble_s),
        (Answer(503, {"Retry-After": "3600"}), weights, 0.0),
        (Answer(500), stored, hub.DOWNLOAD.trouble_s),
        (Answer(429), question, hub_request.LONGEST_WAIT_S),
        (Answer(429, {"Retry-After": "3600"}), weights, 0.0),
        (Answer(429), stored, hub.DOWNLOAD.busy_s),
    ],
)
def test_a_failure_without_end_is_given_up_and_nothing_else_asked(
    served: Hub, waited: Waited, answer: Answer, at: Callable[[Asked], bool], longest_s: float
) -> None:
    served.fault = always(answer, at=at)
    refused = refusal()
    assert f"HTTP status {answer.status}" in refused.message
    assert waited.total_s <= longest_s
    assert at(served.asked[-1]), "the next file is not asked for"


@pytest.mark.parametrize("answer", [Answer(503), Answer(429, {"Retry-After": "60"}), Answer(403, GATED)])
def test_a_complete_local_copy_is_used_and_said(
    served: Hub, waited: Waited, caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    load()
    served.asked.clear()
    served.fault = lambda _: answer
    assert load() == COMMIT
    assert waited.slept == []
    assert len(served.asked) == 1
    assert "own/tiny" in caplog.text
    assert "Its complete local copy is used." in caplog.text


def test_a_download_that_breaks_off_is_resumed(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    cut = replace(served.whole("own/tiny", WEIGHTS), cut_at=5000)
    served.fault = Once(always(cut, at=stored))
    assert load() == COMMIT
    assert [asked.headers.get("range") for asked in served.asked if stored(asked)] == [None, "bytes=5000-"]


def test_a_download_that_breaks_off_every_time_is_given_up_and_nothing_of_it_kept(
    served: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hub_use, "MOST_BREAKS", 1)
    cut = replace(served.whole("own/tiny", WEIGHTS), cut_at=5000)
    served.fault = always(cut, at=stored)
    assert "broke off 2 times, at last after 5000 bytes" in refusal().message
    assert sum(map(stored, served.asked)) == 2
    kept = [path for path in tmp_path.glob("hub/models--*/blobs/*") if path.stat().st_size in (5000, 10000)]
    assert kept == []


def test_a_file_shorter_than_announced_is_refused(served: Hub) -> None:
    half = served.models["own/tiny"][WEIGHTS].content[:5000]
    served.fault = always(Answer(200, {}, half), at=stored)
    assert "arrived cut off" in refusal().message


def test_a_file_of_another_content_is_refused_and_not_kept(served: Hub, tmp_path: Path) -> None:
    content = bytearray(served.models["own/tiny"][WEIGHTS].content)
    content[-1] ^= 1
    served.fault = Once(always(Answer(200, {}, bytes(content)), at=stored))
    assert "has another SHA-256 than the hub announced" in refusal().message
    assert load() == COMMIT, "what was wrong is fetched anew"


def test_bytes_that_trickle_are_given_up(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "DOWNLOAD", replace(hub.DOWNLOAD, slow_s=1.0))
    slow = replace(served.whole("own/tiny", WEIGHTS), byte_pause_s=0.1)
    served.fault = always(slow, at=stored)
    begun_s = time.monotonic()
    refused = refusal()
    assert "bytes in 1 s, which is too slow" in refused.message
    assert time.monotonic() - begun_s < 20


def test_an_answer_about_the_model_that_trickles_is_given_up(
    served: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "TIMEOUT_S", 0.5)
    served.fault = always(Answer(200, {}, b"{}" * 1000, byte_pause_s=0.05), at=question)
    assert "which is too slow" in refusal().message


def test_a_hub_that_says_nothing_is_given_up(
    served: Hub, waited: Waited, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.3)
    for at, tries in ((question, 1), (stored, 6)):
        served.asked.clear()
        served.fault = always(Answer(200, silent_s=1.0), at=at)
        assert "cannot be reached" in refusal().message
        assert sum(map(at, served.asked)) == tries
    assert waited.slept == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_this_hub_would_see_the_librarys_telemetry(
    served: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    agents = pytest.importorskip("huggingface_hub.utils._detect_agent")
    monkeypatch.setattr(agents, "_registry", None)
    monkeypatch.setattr(constants, "AGENT_HARNESSES_PATH", str(tmp_path / "agents.json"))
    build_hf_headers()
    assert served.asked == []
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    build_hf_headers()
    assert served.paths() == ["/api/agent-harnesses"]


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_is_honoured(served: Hub, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://hub.invalid")
    template = "http://hub.invalid/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv(variable, served.url)
    assert load() == COMMIT
    assert {asked.headers["host"].partition(":")[0] for asked in served.asked} == {"hub.invalid", "localhost"}


@pytest.mark.parametrize(
    ("variable", "proxy", "message"),
    [
        ("HTTP_PROXY", "HUB", "The proxy refuses to ask the model hub for own/tiny (HTTP status 407)."),
        ("HTTP_PROXY", "http://me:hf_pass@127.0.0.1:9", "cannot be reached (asked through HTTP_PROXY"),
        ("HTTPS_PROXY", "HUB", "The proxy does not let the model hub be asked for own/tiny"),
        ("HTTPS_PROXY", "http://me:hf_pass@127.0.0.1:9", "cannot be reached (asked through HTTPS_PROXY"),
    ],
)
def test_a_wrong_proxy_is_named(
    served: Hub, monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str, message: str
) -> None:
    if variable == "HTTPS_PROXY":
        monkeypatch.setattr(constants, "ENDPOINT", "https://hub.invalid")
    monkeypatch.setenv(variable, served.url if proxy == "HUB" else proxy)
    served.fault = lambda _: Answer(407)
    refused = refusal()
    assert message in refused.message
    assert variable in str(refused)
    assert "hf_pass" not in str(refused)


def test_a_connection_that_is_lost_after_the_question_is_waited_for_and_then_given_up(
    served: Hub, waited: Waited
) -> None:
    unreachable = Answer(302, {**_linked(served), "Location": "http://127.0.0.1:9/x"})
    served.fault = always(unreachable, at=weights)
    assert "cannot be reached" in refusal().message
    assert 0 < waited.total_s <= hub.DOWNLOAD.trouble_s


def _linked(served: Hub) -> dict[str, str]:
    file: PublishedFile = served.models["own/tiny"][WEIGHTS]
    return {
        "X-Repo-Commit": COMMIT,
        "X-Linked-ETag": f'"{file.announced}"',
        "X-Linked-Size": str(len(file.content)),
    }


def test_offline_the_cache_serves_and_what_it_lacks_is_a_sentence(
    served: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load()
    served.asked.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert load() == COMMIT
    assert caplog.text == ""
    shutil.rmtree(tmp_path / "hub")
    refused = refusal()
    assert "is not asked (HF_HUB_OFFLINE), and the local cache lacks own/tiny" in refused.message
    assert "hf download own/tiny" in str(refused.remedy)
    assert served.asked == []
