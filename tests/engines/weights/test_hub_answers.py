"""A hub on loopback that answers with each status, and variables that keep it from being asked at all."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, get_hf_file_metadata
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils._http import close_session

from bench.core.weights import Weights
from bench.engines.base import EngineSpec
from bench.engines.weights import hub, hub_pauses, hub_request, hub_use
from bench.errors import EngineError
from tests.engines.conftest import TEXT
from tests.support.processes import ROOT

COMMIT = "a" * 40
SPEC = EngineSpec("m", Weights(kind="hub", hub_id="own/tiny", revision=COMMIT), TEXT, "float32", 1)
WHY = "answers 429 (too many requests)"
PATIENCE = hub_use.Patience(busy_s=60.0, trouble_s=0.0, slow_s=60.0)
PATH = f"/api/models/own/tiny/revision/{COMMIT}"


class Hub:
    """What the hub answers, one after the other (the last one again and again), and what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                status, headers = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                body = b'{"id": "own/tiny", "sha": "%s", "siblings": [{"rfilename": "model.safetensors"}]}'
                body = body % COMMIT.encode() if status == 200 else b"{}"
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 - the base's name

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, status: int, **headers: str) -> None:
        self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}))


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub and an empty cache; no token, and none of the client's connections left from before."""
    hub_server = Hub()
    thread = threading.Thread(target=hub_server.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub_server.address)
    monkeypatch.setattr("huggingface_hub.hf_api.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr(hub_request, "LONGEST_TROUBLE_S", 0.0)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    close_session()
    yield hub_server
    close_session()
    hub_server.server.shutdown()
    thread.join()
    hub_server.server.server_close()


@pytest.fixture
def cached(text_folder: Path, tmp_path: Path) -> Path:
    """A whole model at the pinned commit in the cache."""
    snapshot = tmp_path / "hub" / "models--own--tiny" / "snapshots" / COMMIT
    shutil.copytree(text_folder, snapshot)
    return snapshot


ANSWERS = [
    (401, {}, "which is not set", "hf auth login"),
    (401, {"X_Error_Message": "Invalid credentials in Authorization header"}, "which is not set", "HF_TOKEN"),
    (403, {"X_Error_Code": "GatedRepo"}, "is gated", "Accept it at"),
    (403, {}, "HTTP status 403", "HF_TOKEN"),
    (404, {"X_Error_Code": "RepoNotFound"}, "has no model own/tiny", "Check the name"),
    (404, {"X_Error_Code": "RevisionNotFound"}, "has no revision", "/commits/main"),
    (429, {"Retry_After": "3600"}, "pause of 3600 s", "Try again later"),
    (500, {}, "trouble of its own (HTTP status 500", "Try again later"),
    (503, {}, "trouble of its own (HTTP status 503", "--weights random"),
]


@pytest.mark.parametrize(("status", "headers", "message", "remedy"), ANSWERS)
def test_each_answer_is_told(
    served: Hub, status: int, headers: dict[str, str], message: str, remedy: str
) -> None:
    served.answer(status, **headers)
    with pytest.raises(EngineError) as caught:
        hub.locate(SPEC)
    assert message in caught.value.message
    assert "own/tiny" in str(caught.value)
    assert remedy in str(caught.value.remedy)
    assert caught.value.missing, "status 2: something the machine lacks, not a failed case"
    assert served.asked == [PATH], "asked once, and for nothing else"


@pytest.mark.parametrize(("status", "headers"), [answer[:2] for answer in ANSWERS])
def test_a_whole_pinned_copy_serves_whatever_the_hub_answers(
    served: Hub, cached: Path, monkeypatch: pytest.MonkeyPatch, status: int, headers: dict[str, str]
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it waited"))
    served.answer(status, **headers)
    assert hub.locate(SPEC) == hub.Located(str(cached), COMMIT, {"local_files_only": True})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks9://127.0.0.1:9"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
        ("SSL_CERT_FILE", "/nonexistent.pem"),
        ("HF_TOKEN", "hf_ключ"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_variable_that_keeps_the_hub_from_being_asked_is_named(
    served: Hub,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    whole: bool,
) -> None:
    served.answer(200)
    monkeypatch.setenv(variable, value)
    if whole:
        folder = request.getfixturevalue("cached")
        assert hub.locate(SPEC).name == str(folder)
        return
    with pytest.raises(EngineError) as caught:
        hub.locate(SPEC)
    assert variable in str(caught.value)
    assert value not in str(caught.value) or variable != "HF_TOKEN", "a token is never shown"
    assert caught.value.missing
    assert served.asked == []


def test_a_token_that_is_refused_is_named_by_its_variable(
    served: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    served.answer(401)
    with pytest.raises(EngineError, match="token in HF_TOKEN") as caught:
        hub.locate(SPEC)
    assert "secret" not in str(caught.value)


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now_s(self) -> float:
        return sum(self.slept)


LIMITED = {"RateLimit": '"api";r=0;t=12', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'}


def test_pauses_are_made_as_asked_said_and_bounded(served: Hub, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    served.answer(429, Retry_After="7")
    served.answer(429)
    served.answers.append((429, LIMITED))
    served.answer(429, Retry_After="0")
    served.answer(200)
    with hub_use.bounded(PATIENCE, hub_pauses.Pauses(60.0, clock.slept.append, clock.now_s)):
        assert HfApi().model_info("own/tiny", revision=COMMIT).sha == COMMIT
    assert clock.slept == [7.0, 5.0, 12.0, 1.0]
    assert [record.message for record in caplog.records] == [
        f"The model hub answers 429 (too many requests): waiting {pause} s, at most 60 s in all."
        for pause in (7, 5, 12, 1)
    ]


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "9"}, {"Retry-After": "3600"}, LIMITED])
def test_pauses_never_come_to_more_than_allowed(served: Hub, headers: dict[str, str]) -> None:
    clock = Clock()
    served.answers = [(429, headers)]
    with (
        pytest.raises(HfHubHTTPError, match="429"),
        hub_use.bounded(PATIENCE, hub_pauses.Pauses(60.0, clock.slept.append, clock.now_s)),
    ):
        HfApi().model_info("own/tiny", revision=COMMIT)
    assert sum(clock.slept) <= 60.0
    assert len(served.asked) == len(clock.slept) + 1


def test_a_download_waits_as_its_hub_asks_where_its_library_would_give_up(
    served: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(hub_pauses.Pauses.__init__, "__defaults__", (slept.append, lambda: sum(slept)))
    served.answer(429, Retry_After="3")
    served.answer(404)
    url = f"{served.address}/own/tiny/resolve/{COMMIT}/config.json"
    with pytest.raises(HfHubHTTPError, match="404"), hub.downloading():
        get_hf_file_metadata(url)
    assert slept == [3.0]
    assert "waiting 3 s, at most 330 s in all" in caplog.text
    served.answers = [(429, {"Retry-After": "3"})]
    with pytest.raises(HfHubHTTPError, match="429"):
        get_hf_file_metadata(url)
    assert slept == [3.0], "outside of the context the library is as it was"


def test_pauses_of_several_threads_count_and_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    meet = threading.Barrier(8, timeout=30)

    def together(_seconds: float) -> None:
        meet.wait()

    pauses = hub_pauses.Pauses(10.0, together, now_s=lambda: 100.0)
    threads = [threading.Thread(target=pauses.make, args=(9.0, WHY)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not meet.broken, "all of them slept, within a limit of one pause"
    assert len(caplog.records) == 1


def test_threads_that_are_told_of_no_length_share_one_pause() -> None:
    """Without that, each thread doubles the pause, and the fifth of them fails at its first answer."""
    clock = {"s": 100.0}
    slept: list[float] = []
    pauses = hub_pauses.Pauses(60.0, slept.append, now_s=lambda: clock["s"])
    assert all(pauses.make(None, WHY) for _ in range(8))
    assert set(slept) == {hub_pauses.FIRST_PAUSE_S}
    clock["s"] += hub_pauses.FIRST_PAUSE_S
    assert pauses.make(None, WHY)
    assert slept[-1] == 2 * hub_pauses.FIRST_PAUSE_S


def test_pauses_that_overlap_a_little_count_as_long_as_they_last_together() -> None:
    clock = {"s": 0.0}
    pauses = hub_pauses.Pauses(30.0, lambda _seconds: None, now_s=lambda: clock["s"])
    for _ in range(40):  # of 2 s each, beginning every half a second: 21.5 s in all
        assert pauses.make(2.0, WHY)
        clock["s"] += 0.5
    assert pauses.make(8.0, WHY)
    assert not pauses.make(20.0, WHY)


@pytest.mark.slow
def test_a_pause_in_the_worker_is_said_on_the_terminal(served: Hub, tmp_path: Path) -> None:
    served.answer(429, Retry_After="1")
    served.answer(503, Retry_After="3600")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    asked = ["run", "bloom-560m", "--device", "cpu", "--quick", "--results", str(tmp_path / "results")]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *asked],
        env=kept | {"HF_ENDPOINT": served.address, "HF_HOME": str(tmp_path / "home")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = [line for line in done.stderr.splitlines() if "429" in line]
    assert said == ["The model hub answers 429 (too many requests): waiting 1 s, at most 60 s in all."]
    assert "trouble of its own" in done.stdout + done.stderr
    assert done.returncode == 2


Break = Callable[[Path], None]


def _pointer(folder: Path) -> None:
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")


def _truncated(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def _header_only_begun(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:100])


def _empty(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def _dangling(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("../../blobs/not-there")


def _shard(folder: Path) -> None:
    index = '{"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}'
    (folder / "model.safetensors.index.json").write_text(index)


def _tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def _config(folder: Path) -> None:
    (folder / "config.json").unlink()


BROKEN = [
    (_pointer, "model.safetensors is a Git LFS pointer"),
    (_truncated, "model.safetensors is cut off"),
    (_header_only_begun, "model.safetensors is cut off"),
    (_empty, "model.safetensors is cut off: it has 0 bytes"),
    (_dangling, "model.safetensors cannot be read"),
    (_shard, "1 of 2 shards are missing"),
    (_tokenizer, "it has no tokenizer"),
    (_config, "config.json is missing"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_a_folder_that_is_not_whole_names_its_file(
    text_folder: Path, tmp_path: Path, change: Break, message: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(text_folder, folder)
    local = EngineSpec("m", Weights(kind="path", path=str(folder)), TEXT, "float32", 1)
    hub.locate(local)
    change(folder)
    with pytest.raises(EngineError) as caught:
        hub.locate(local)
    assert message in caught.value.message
    assert "--weights random" in str(caught.value.remedy)
    assert caught.value.missing


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_a_cached_copy_that_is_not_whole_does_not_serve(
    served: Hub, cached: Path, monkeypatch: pytest.MonkeyPatch, change: Break, message: str
) -> None:
    change(cached)
    served.answer(503)
    with pytest.raises(EngineError, match="trouble of its own"):
        hub.locate(SPEC)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EngineError) as caught:
        hub.locate(SPEC)
    assert message in caught.value.message, "offline, the file is what is in the way"
