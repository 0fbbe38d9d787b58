"""What may go wrong with a server: each is a sentence, a reason code or both, and no key is ever in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.errors import EngineError, UsageError
from bench.worker.producer import WorkRequest
from bench.worker.serving import address
from tests.support.processes import ROOT
from tests.support.served.producing import case, producer, window
from tests.support.served.server import Manners, serving

KEY = "sk-planted-0123456789abcdef"
SERVER = f"{sys.executable} -m tests.support.served.server {{port}}"


def sentence(manners: Manners, **asked: Any) -> str:
    """The error that a window of such a server ends with, however slow the machine is."""
    with serving(manners) as url, pytest.raises(EngineError) as caught:
        window(case(**asked), url, seconds=60.0)
    return str(caught.value)


def test_a_wrong_url_is_said_before_anything_is_measured() -> None:
    port = address.free_port()
    with pytest.raises(EngineError) as caught:
        window(case(), f"http://127.0.0.1:{port}/v1")
    assert str(caught.value).startswith(f"No server answers at http://127.0.0.1:{port}/v1")
    with serving(Manners()) as url, pytest.raises(EngineError, match=r"There is nothing at .*/v3"):
        window(case(), url.replace("/v1", "/v3"))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("localhost:8000", "is not an http or https URL"),
        ("http://", "is not an http or https URL"),
        ("http://localhost:99999/v1", "this is not a URL"),
        (f"https://me:{KEY}@host/v1", "may hold a secret"),
        (f"https://host/v1?api_key={KEY}", "may hold a secret"),
    ],
)
def test_a_url_that_is_none_or_may_hold_a_secret_is_refused_unseen(url: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        address.parse(url)
    assert says in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_server_that_speaks_no_tls_is_said_to_be_not_secure() -> None:
    with serving(Manners()) as url, pytest.raises(EngineError) as caught:
        window(case(), url.replace("http:", "https:"))
    assert "is not secure" in str(caught.value)


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """A certificate that no authority has signed."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([program, "req", "-x509", *curve, *name, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def test_a_self_signed_certificate_is_refused_before_a_key_is_sent(
    self_signed: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVED_TEST_KEY", KEY)
    manners = Manners(key=KEY)
    with serving(manners, self_signed) as url, pytest.raises(EngineError) as caught:
        window(case({"key": "SERVED_TEST_KEY"}), url)
    assert str(caught.value).startswith(f"The connection to {url} is not secure: ")
    assert "self-signed certificate" in str(caught.value)
    assert "Mend the server's certificate." in str(caught.value)
    assert manners.seen == []


def test_a_model_that_the_server_does_not_have_is_said_with_those_it_has() -> None:
    said = sentence(Manners(model="llama"))
    assert "The server has no model tiny; it has llama." in said
    assert "serve: {name: ...}" in said


def test_a_server_that_fails_to_load_a_model_by_its_name_is_asked_for_those_it_has() -> None:
    """`transformers serve` answers with status 500 where the hub has no such model."""
    with serving(Manners(status=500)) as url, pytest.raises(EngineError) as caught:
        window(case({"name": "another"}), url)
    assert "The server has no model another; it has tiny." in str(caught.value)
    assert caught.value.missing, "exit status 2, as other wrong use"


def test_a_missing_key_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVED_TEST_KEY", raising=False)
    said = sentence(Manners(), spec={"key": "SERVED_TEST_KEY"})
    assert said.startswith("The variable SERVED_TEST_KEY is not set")
    assert "asks for a key" in sentence(Manners(key=KEY))
    monkeypatch.setenv("SERVED_TEST_KEY", KEY)
    said = sentence(Manners(key="another"), spec={"key": "SERVED_TEST_KEY"})
    assert said.startswith("The server refuses the key in SERVED_TEST_KEY.")
    assert KEY not in said


def test_a_key_is_in_no_error_that_a_server_writes_it_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVED_TEST_KEY", KEY)
    manners = Manners(key=KEY, status=500, says=f"cannot use {KEY}, 'api_key': '{KEY[:9]}'")
    said = sentence(manners, spec={"key": "SERVED_TEST_KEY"})
    assert "http-500" in said
    assert KEY[:9] not in said
    assert "***" in said


@pytest.mark.parametrize("status", [429, 500])
def test_a_server_that_only_refuses_from_some_request_on_ends_the_case(status: int) -> None:
    said = sentence(Manners(status=status, status_from=4, says="too much"))
    assert "requests failed one after another" in said
    assert f"http-{status}: too much" in said


def test_streams_that_are_cut_are_counted_and_give_no_tokens() -> None:
    with serving(Manners(drops_every=4)) as url:
        produced = window(case(kind="concurrency", load=3), url)
    found = produced.served
    assert found is not None
    assert found.failed["stream-cut"] >= 1
    assert found.reason_codes == ["requests-failed"]
    assert found.finished == len(produced.done)
    assert len(produced.batches) < found.finished + sum(found.failed.values()) + 4


def test_one_failed_request_ends_a_saturated_case() -> None:
    said = sentence(Manners(drops_every=30, running=4), kind="saturated", load=4, requests=60)
    assert said.startswith("A request failed (stream-cut")
    assert "a saturated window may have none that fails" in said


def test_a_silent_server_is_given_up_after_the_time_of_the_catalogue() -> None:
    begun = time.monotonic()
    said = sentence(Manners(silent_from=1), spec={"answer_seconds": 0.3})
    assert "(silent): nothing came for 0.3 s" in said
    assert "`serve: {answer_seconds: ...}`" in said
    assert time.monotonic() - begun < 5


def test_requests_that_queue_may_wait_longer_than_an_answer_but_not_all_of_them() -> None:
    """A second, since a busy machine is silent for less; the last of the queue waits for 1.5."""
    with serving(Manners(running=2, token_s=0.008)) as url:
        queued = window(case({"answer_seconds": 1.0}, kind="saturated", load=2, requests=20), url)
    assert queued.served is not None
    assert queued.served.ttft_s is not None
    assert queued.served.ttft_s.p99 > 1.0
    manners = Manners(running=2, silent_from=10)
    said = sentence(manners, spec={"answer_seconds": 1.0}, kind="saturated", load=2, requests=20)
    assert said.startswith("Nothing came from the server for 1.")


def test_a_slow_first_token_is_a_latency_and_no_failure() -> None:
    with serving(Manners(first_s=0.2)) as url:
        found = window(case(), url).served
    assert found is not None
    assert found.ttft_s is not None
    assert found.inter_token_s is not None
    assert found.end_to_end_s is not None
    assert 0.2 <= found.ttft_s.median < found.end_to_end_s.median
    assert found.inter_token_s.median < 0.1
    assert found.failed == {}


def test_a_server_that_changes_its_model_ends_the_case() -> None:
    said = sentence(Manners(other_model_from=4))
    assert said.startswith("The server answered as model other, and as tiny when the case began.")


def test_an_answer_that_ends_too_early_is_a_problem_of_the_output() -> None:
    with serving(Manners(eos_after=7)) as url, producer(case(), url) as made:
        made.produce(WorkRequest(0.1, batches=1))
        checked = made.check(None, "x")
    assert "An answer has 7 tokens (stop), 20 were asked for" in checked.found[0].problems[0]
    with serving(Manners(eos_after=7)) as url, producer(case(ends="model"), url) as made:
        made.produce(WorkRequest(0.1, batches=1))
        assert not made.check(None, "x").found[0].problems


def tokenizer(folder: Path) -> str:
    """A file of a tokenizer for which each word is a token."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.save(str(folder / "tokenizer.json"))
    return str(folder / "tokenizer.json")


@pytest.mark.parametrize(
    ("factor", "codes"), [(1.0, []), (2.0, ["usage-disagrees"]), (0.9, ["usage-disagrees"])]
)
def test_a_server_that_lies_about_its_tokens_is_found_out(
    factor: float, codes: list[str], tmp_path: Path
) -> None:
    with serving(Manners(usage_factor=factor)) as url:
        found = window(case({"tokenizer": tokenizer(tmp_path)}), url).served
    assert found is not None
    assert found.reason_codes == codes
    assert found.stated_tokens is not None
    assert found.counted_tokens == found.finished * 20
    assert found.stated_tokens == round(found.counted_tokens * factor)


def test_without_usage_tokens_are_our_own_count_or_pieces_of_the_stream(tmp_path: Path) -> None:
    with serving(Manners(usage=False)) as url:
        pieces = window(case(), url, 0.1).served
        counted = window(case({"tokenizer": tokenizer(tmp_path)}), url, 0.1).served
    assert pieces is not None
    assert counted is not None
    assert (pieces.output_tokens_by, counted.output_tokens_by) == ("pieces of the stream", "tokenizer")
    assert pieces.output_tokens == pieces.finished * 20
    assert counted.output_tokens == counted.finished * 20
    assert pieces.reason_codes == ["no-usage"]
    assert pieces.input_tokens is None
    assert pieces.absent["input_tokens"] == "the server does not state the tokens of every prompt"


def test_a_rate_that_the_client_cannot_keep_ends_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.worker.serving import load_watch

    monkeypatch.setattr(load_watch, "LATE_S", 0.05)
    with serving(Manners()) as url, pytest.raises(EngineError) as caught:
        window(case(kind="rate", load=20_000), url, seconds=3.0)
    assert "it cannot keep 20000 a second" in str(caught.value)


class TestStarted:
    """Servers that are started by the command of the catalogue."""

    @pytest.fixture(autouse=True)
    def at_the_root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(ROOT)

    def test_it_is_started_asked_and_ended_with_all_its_processes(self, tmp_path: Path) -> None:
        command = f"sh -c '{SERVER} {{{{}}}} & wait'"
        with producer(case({"command": command}), None, tmp_path) as made:
            found = made.produce(WorkRequest(0.1, batches=1)).served
            pids = made.pids
            assert len(pids) >= 2
        assert found is not None
        assert found.finished >= 1
        assert not any(psutil.pid_exists(pid) and alive(pid) for pid in pids)
        (log,) = tmp_path.iterdir()
        assert log.name.startswith("tiny-")

    def test_one_that_is_never_healthy_is_given_up(self, tmp_path: Path) -> None:
        command = f"""{SERVER} '{{{{"unhealthy": true}}}}'"""
        with (
            pytest.raises(EngineError) as caught,
            producer(case({"command": command, "start_seconds": 1.5}), None, tmp_path),
        ):
            """It is not reached."""
        assert "The server was not healthy after" in str(caught.value)

    def test_one_that_ends_at_once_is_said_with_its_status_and_its_last_words(self, tmp_path: Path) -> None:
        command = "sh -c 'echo no such card {port}; exit 5'"
        with pytest.raises(EngineError) as caught, producer(case({"command": command}), None, tmp_path):
            """It is not reached."""
        assert "The server ended with exit status 5." in str(caught.value)
        assert any("no such card" in log.read_text() for log in tmp_path.iterdir())

    def test_a_program_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        with (
            pytest.raises(EngineError) as caught,
            producer(case({"command": "no-such-server --port {port}"}), None, tmp_path),
        ):
            """It is not reached."""
        assert "no-such-server: No such file or directory" in str(caught.value)

    def test_one_that_dies_in_the_middle_is_said_so(self, tmp_path: Path) -> None:
        command = f"""{SERVER} '{{{{"dies_at": 4}}}}'"""
        with producer(case({"command": command}), None, tmp_path) as made:
            with pytest.raises(EngineError) as caught:
                made.produce(WorkRequest(5.0, batches=1))
            assert "The server ended with exit status 3." in str(caught.value)

    def test_a_key_in_a_servers_log_is_taken_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SERVED_TEST_KEY", KEY)
        command = f"""{SERVER} '{{{{"key": "from the environment"}}}}'"""
        with producer(case({"command": command, "key": "SERVED_TEST_KEY"}), None, tmp_path) as made:
            made.produce(WorkRequest(0.1, batches=1))
            assert "api_key" in made.last_words()
            assert KEY not in made.last_words()
            assert not list(tmp_path.iterdir()), "what it says is written there without the key, at its end"
        (log,) = tmp_path.iterdir()
        assert "serving with api_key=***" in log.read_text()


def alive(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def test_a_server_elsewhere_is_told_by_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    assert address.parse("http://127.0.0.1:1/v1").elsewhere() is None
    assert address.parse(f"http://{socket.gethostname()}:1/v1").elsewhere() is None
    assert "is on another machine" in str(address.parse("http://192.0.2.1:8000/v1").elsewhere())


def test_an_interrupt_ends_a_window_and_closes_what_is_open() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    of = case(kind="concurrency", load=3)
    with (
        serving(Manners(token_s=0.05)) as url,
        pytest.raises(KeyboardInterrupt),
        producer(of, url, meanwhile=interrupt) as made,
    ):
        made.produce(WorkRequest(30.0, batches=1))


def test_ctrl_c_ends_a_window() -> None:
    with (
        serving(Manners(token_s=0.05)) as url,
        pytest.raises(KeyboardInterrupt),
        producer(case(), url, meanwhile=lambda: os.kill(os.getpid(), signal.SIGINT)) as made,
    ):
        made.produce(WorkRequest(30.0, batches=1))
