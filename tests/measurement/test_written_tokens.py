"""Tokens of a server beside, from its metrics or its client's file, and joules over them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.measurement.live.written_tokens import WrittenTokens, tokens_in

VLLM = """# HELP vllm:generation_tokens_total Number of generation tokens processed.
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{engine="0",model_name="a"} 100.0
vllm:generation_tokens_total{engine="0",model_name="b"} 2.5e+02
vllm:prompt_tokens_total{engine="0",model_name="a"} 9000.0
"""


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (VLLM, 350.0),
        ('sglang:generation_tokens_total{model_name="a"} 7.557572e+06\n', 7557572.0),
        ("llamacpp:prompt_tokens_total 5\nllamacpp:tokens_predicted_total 42\n", 42.0),
        ("vllm:generation_tokens_total_created 17\nprocess_cpu_seconds_total 3\n", None),
    ],
)
def test_counters_of_three_servers_are_summed_over_their_models(text: str, tokens: float | None) -> None:
    assert tokens_in(text) == tokens


class Metrics:
    """A page of metrics that a test changes."""

    def __init__(self) -> None:
        self.text, self.status, self.url = VLLM, 200, ""


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    page = Metrics()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(page.status if self.path == "/metrics" else 404)
            self.end_headers()
            self.wfile.write(page.text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    page.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield page
    server.shutdown()
    thread.join()
    server.server_close()


def test_joules_between_two_looks_are_over_the_tokens_between_them(metrics: Metrics) -> None:
    counter = WrittenTokens.at(f"{metrics.url}/v1")
    first = counter.look({"gpu": 50.0, "host": None})
    assert (first.tokens, first.j_per_token, first.reason) == (0.0, {}, "no token was counted yet")
    metrics.text = VLLM.replace("100.0", "300.0")
    second = counter.look({"gpu": 450.0, "host": 500.0})
    assert second.tokens == 200.0
    assert second.j_per_token == {"gpu": 2.0}, "the host's joules at the first look are not known"
    assert second.per_s is not None
    assert second.per_s > 0


def test_a_server_that_starts_anew_or_is_gone_has_no_figure_and_a_reason(metrics: Metrics) -> None:
    counter = WrittenTokens.at(metrics.url)
    counter.look({"gpu": 0.0})
    metrics.status = 500
    gone = counter.look({"gpu": 10.0})
    assert gone.tokens is None
    assert "cannot be read" in str(gone.reason)
    metrics.status, metrics.text = 200, "vllm:generation_tokens_total 5\n"
    anew = counter.look({"gpu": 20.0})
    assert (anew.tokens, anew.j_per_token) == (None, {})
    assert "the counter went back" in str(anew.reason)


def test_a_clients_own_count_is_the_last_number_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("10\n25\n")
    counter = WrittenTokens.at(str(file))
    counter.look({"gpu": 0.0})
    file.write_text("10\n25\n65\n")
    assert counter.look({"gpu": 20.0}).j_per_token == {"gpu": 0.5}


def test_what_counts_nothing_is_one_sentence(metrics: Metrics, tmp_path: Path) -> None:
    metrics.text = "process_cpu_seconds_total 3\n"
    sources = {
        metrics.url: "has no counter of written tokens that is known: vllm:generation_tokens_total,",
        "http://127.0.0.1:9/v1": "http://127.0.0.1:9/metrics cannot be read: ",
        "http://203.0.113.7:8000": "the server at 203.0.113.7 is on another machine",
        str(tmp_path / "none"): "has no running number of tokens",
    }
    for source, says in sources.items():
        with pytest.raises(BenchError) as raised:
            WrittenTokens.at(source)
        assert says in str(raised.value)
